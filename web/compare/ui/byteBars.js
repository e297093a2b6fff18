import { t } from '../../text.js';
import { el, part, setText } from '../../ui/common/dom.js';
import { perTick } from './formats.js';

/** @typedef {import('../core/types.js').Result} Result */

/** Bytes of a tick on the wire: message, SSE's id line, other framing. */
export class ByteBars {
  #rows = ['side-a', 'side-b'].map((side) => {
    const pieces = [el('i'), el('i'), el('i')];
    const name = el('span', { class: 'soft' });
    const total = el('span', { class: 'num' });
    const bar = el('span', { class: `byte-bar ${side}`, role: 'img' }, ...pieces);
    return { name, total, bar, pieces, row: el('div', { class: 'byte-row' }, name, bar, total) };
  });
  #note = el('p', { class: 'faint small' });

  constructor() {
    part('byte-key').append(...[t('compare.bytebars.message'), t('compare.bytebars.framing'), t('compare.bytebars.id')].map((text) => el('span', {}, el('i', { 'aria-hidden': 'true' }), text)));
    part('bytes').append(...this.#rows.map((r) => r.row), this.#note);
  }

  /** @param {Result} result */
  paint({ sides }) {
    const most = Math.max(...sides.map((s) => s.bytes.wire).filter(Number.isFinite), 1);
    sides.forEach((s, k) => {
      const at = this.#rows[k];
      if (!at) return;
      const { payload, wire, framing, id } = s.bytes;
      const known = Number.isFinite(wire) && Number.isFinite(payload);
      setText(at.name, s.name.includes(s.encoding) ? s.name : `${s.name} ${s.encoding}`);
      setText(at.total, perTick(wire));
      const idLine = Number.isFinite(id) ? id : 0;
      const widths = !known ? [0, 0, 0] : Number.isFinite(framing) ? [payload, Math.max(0, framing - idLine), idLine] : [wire, 0, 0];
      at.pieces.forEach((piece, p) => {
        const width = `${((100 * Number(widths[p])) / most).toFixed(2)}%`;
        if (piece.style.width !== width) piece.style.width = width;
      });
      const args = { side: s.name, encoding: s.encoding, wire: perTick(wire), payload: perTick(payload), framing: perTick(framing) };
      at.bar.setAttribute('aria-label', t(`compare.bytebars.${!known ? 'unknown' : Number.isFinite(framing) ? 'description' : 'compressed'}`, args));
    });
    const joined = sides.map((s) => s.bytes.writes).filter((w) => Number.isFinite(w) && w > 0 && w < 0.8);
    const notes = [joined.length ? t('compare.bytebars.joined') : '', sides.some((s) => Number.isFinite(s.bytes.wire) && !Number.isFinite(s.bytes.framing)) ? t('compare.bytebars.noframing') : ''];
    setText(this.#note, notes.filter(Boolean).join(' '));
  }
}
