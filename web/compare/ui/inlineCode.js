import { el } from '../../ui/common/dom.js';

/** A sentence's `code` as elements. @param {string} text @returns {(Node | string)[]} */
export const coded = (text) => text.split('`').map((piece, k) => (k % 2 === 1 ? el('code', {}, piece) : piece));
