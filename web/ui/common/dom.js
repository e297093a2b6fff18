// Helpers for elements. Content is always inserted as text: the page's policy (Trusted Types) forbids HTML from strings.

/**
 * The element with an id. A missing one is an error in the template.
 * @template {Element} E
 * @param {string} id
 * @param {{ new (): E, name: string }} kind
 * @returns {E}
 */
export function byId(id, kind) {
  const e = document.getElementById(id);
  if (!(e instanceof kind)) throw new Error(`the page has no ${kind.name} with the id ${id}`);
  return e;
}

/** @param {string} id */
export const part = (id) => byId(id, HTMLElement);

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} name
 * @param {Record<string, string>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function el(name, attributes = {}, ...children) {
  const e = document.createElement(name);
  for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
  e.append(...children);
  return e;
}

/** @param {string} name @param {Record<string, string>} [attributes] @param {...Node} children */
export function svg(name, attributes = {}, ...children) {
  const e = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
  e.append(...children);
  return e;
}

/** Sets text only when it differs: writing the same text causes a layout, too. @param {Node} node @param {string} text */
export function setText(node, text) {
  const first = node.firstChild;
  if (first instanceof Text && node.childNodes.length === 1) {
    if (first.data !== text) first.data = text;
  } else {
    node.textContent = text;
  }
}

/** Identifies an element by its tag and data attributes, across re-rendering. @param {Element} e */
const identity = (e) => JSON.stringify([e.tagName, ...[...e.attributes].filter(({ name }) => name.startsWith('data-')).map(({ name, value }) => [name, value])]);

/** Renders the contents of a box and restores the focus to the same element, if it still exists. @param {Element} box @param {() => void} render */
export function keepFocus(box, render) {
  const before = box.ownerDocument.activeElement;
  const own = before && before !== box && box.contains(before) ? identity(before) : '';
  render();
  if (!own || box.ownerDocument.activeElement === before) return;
  const again = [...box.querySelectorAll(/** @type {Element} */ (before).tagName)].find((e) => identity(e) === own);
  if (again instanceof HTMLElement) again.focus();
}

/** The button that an event happened in. @param {Event} e */
export const buttonOf = (e) => (e.target instanceof Element ? e.target.closest('button') : null);

/** Lets a click outside a dialog close it, and then focuses the button that opens it. @param {HTMLDialogElement} dialog @param {HTMLElement} opener */
export function dismissable(dialog, opener) {
  dialog.addEventListener('click', (e) => { if (e.target === dialog) dialog.close(); });
  dialog.addEventListener('close', () => opener.focus());
}

/** Marks the pressed buttons of a group. @param {Iterable<Element>} buttons @param {(b: HTMLElement) => boolean} pressed */
export function press(buttons, pressed) {
  for (const b of buttons) {
    if (b instanceof HTMLElement) b.setAttribute('aria-pressed', String(pressed(b)));
  }
}
