import { el } from '../../ui/common/dom.js';

/** Turns `code` in a sentence into elements. @param {string} text @returns {(Node | string)[]} */
export const inlineCode = (text) => text.split('`').map((piece, k) => (k % 2 === 1 ? el('code', {}, piece) : piece));
