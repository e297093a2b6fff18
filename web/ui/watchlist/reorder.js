const SLOP = 5; // px that the pointer may move before a drag begins

/**
 * @typedef {object} Row
 * @property {HTMLElement} box their parent, which is not replaced
 * @property {() => HTMLElement[]} items in their order
 * @property {(e: HTMLElement) => string} id of an item, whose element may be replaced
 * @property {boolean} across horizontal, else vertical
 * @property {(id: string, to: number) => void} move moves an item before it returns
 */

/** Lets a pointer that was pressed on an item reorder it among the others: it takes a place once it is past the middle of who had it. @param {PointerEvent} pressed @param {Row} row */
export function reorder(pressed, { box, items, id, across, move }) {
  const on = items().find((e) => e.contains(/** @type {Node} */ (pressed.target)));
  if (!on) return;
  const what = id(on);
  const along = (/** @type {PointerEvent} */ e) => (across ? e.clientX : e.clientY);
  let dragging = false;
  const over = new AbortController();
  const { signal } = over;
  const end = () => {
    over.abort();
    for (const e of items()) e.classList.remove('carried');
    if (dragging) setTimeout(() => box.removeEventListener('click', suppress, true)); // a click may follow the release
  };
  addEventListener('pointerdown', (e) => { if (e.pointerId === pressed.pointerId) end(); }, { signal, capture: true }); // its release was before this module was loaded
  box.addEventListener('pointermove', (e) => {
    if (e.pointerId !== pressed.pointerId) return;
    if (e.buttons === 0) return end(); // released before this module was loaded
    if (!dragging && Math.abs(along(e) - along(pressed)) < SLOP) return;
    if (!dragging) {
      dragging = true;
      box.setPointerCapture(e.pointerId);
      box.addEventListener('click', suppress, true);
    }
    const all = items();
    const from = all.findIndex((i) => id(i) === what);
    const to = all.filter((i, k) => k !== from && middle(i, across) < along(e)).length;
    if (from >= 0 && to !== from) move(what, to);
    for (const i of items()) i.classList.toggle('carried', id(i) === what);
  }, { signal });
  for (const name of /** @type {const} */ (['pointerup', 'pointercancel'])) box.addEventListener(name, (e) => { if (e.pointerId === pressed.pointerId) end(); }, { signal });
}

/** @param {HTMLElement} e @param {boolean} across */
function middle(e, across) {
  const r = e.getBoundingClientRect();
  return across ? r.left + r.width / 2 : r.top + r.height / 2;
}

/** Suppresses the click after a drag. @param {Event} e */
function suppress(e) {
  e.stopPropagation();
  e.preventDefault();
}
