// One picture of a run: its sentence, a legend, and all plots.
import { colours } from '../../ui/settings/theme.js';
import { wrap } from './wrap.js';

/** @import { Part } from '../core/types.js' */
/** @typedef {{ title: string, canvas: HTMLCanvasElement | null }} Plot */
/** @typedef {{ name: string, colour: 'sse' | 'ws' | 'soft', dashed?: boolean }} Key */
/** @typedef {{ sentence: readonly Part[], small: string, keys: Key[], plots: Plot[], foot: string }} Contents small: footnotes; foot: source and time */

const GAP = 16; // px
const TITLE = 22; // px
const WIDTH = 640; // px of a column
const SHEET = 2 * WIDTH + 3 * GAP;
const SCALE = 2; // pixels for each px, for dense screens
const LINE = { sentence: 28, small: 18 };
const FAMILY = 'system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif';
const font = (/** @type {number} */ px, /** @type {boolean} */ strong = false) => `${strong ? 650 : 400} ${px}px ${FAMILY}`;

/** @param {Contents} of @returns {Promise<Blob | null>} PNG; null while all plots are empty */
export function picture({ sentence, small, keys, plots, foot }) {
  const sheet = document.createElement('canvas');
  const ctx = sheet.getContext('2d');
  const lines = (/** @type {readonly Part[]} */ parts, /** @type {number} */ px) => wrap(parts, SHEET - 2 * GAP, (text, { strong }) => {
    if (!ctx) return 0;
    ctx.font = font(px, strong);
    return ctx.measureText(text).width;
  });
  const top = lines(sentence, 20);
  const below = lines([{ text: small }], 12);
  const start = GAP + top.length * LINE.sentence + below.length * LINE.small + GAP + TITLE;
  const { placed, end } = place(plots, start);
  if (!ctx || !placed.length) return Promise.resolve(null);
  sheet.width = SHEET * SCALE;
  sheet.height = Math.ceil(end + TITLE) * SCALE; // clears the context's state
  ctx.scale(SCALE, SCALE);
  ctx.textBaseline = 'top';
  const c = colours(['panel', 'text', 'soft', 'faint', 'sse', 'ws']);
  ctx.fillStyle = c.panel;
  ctx.fillRect(0, 0, SHEET, end + TITLE);
  const write = (/** @type {ReturnType<typeof wrap>} */ rows, /** @type {number} */ y, /** @type {number} */ height, /** @type {number} */ px, /** @type {string} */ colour) => rows.forEach((row, k) => row.forEach(({ part, text, x }) => {
    ctx.font = font(px, part.strong);
    ctx.fillStyle = part.lane ? c[part.lane] : colour;
    ctx.fillText(text, GAP + x, y + k * height);
  }));
  write(top, GAP, LINE.sentence, 20, c.text);
  write(below, GAP + top.length * LINE.sentence, LINE.small, 12, c.faint);
  ctx.font = font(12);
  let x = GAP;
  for (const { name, colour, dashed } of keys) {
    ctx.strokeStyle = c[colour];
    ctx.lineWidth = 3;
    ctx.setLineDash(dashed ? [4, 3] : []);
    ctx.beginPath();
    ctx.moveTo(x, start - TITLE + 2);
    ctx.lineTo(x + 18, start - TITLE + 2);
    ctx.stroke();
    ctx.fillStyle = c.soft;
    ctx.fillText(name, x + 24, start - TITLE - 5);
    x += 24 + ctx.measureText(name).width + 20;
  }
  for (const { title, canvas, height, x, y } of placed) {
    ctx.fillStyle = c.text;
    ctx.fillText(title, x, y);
    ctx.drawImage(canvas, x, y + TITLE, WIDTH, height);
  }
  ctx.fillStyle = c.soft;
  ctx.fillText(foot, GAP, end);
  return new Promise((done) => sheet.toBlob(done, 'image/png'));
}

/** Puts each plot into the column that ends first. @param {Plot[]} plots @param {number} start y */
function place(plots, start) {
  const below = [start, start];
  const placed = plots.flatMap(({ title, canvas }) => {
    if (!canvas || canvas.width === 0) return [];
    const column = Number(below[0]) <= Number(below[1]) ? 0 : 1;
    const height = (canvas.height * WIDTH) / canvas.width;
    const y = Number(below[column]);
    below[column] = y + TITLE + height + GAP;
    return [{ title, canvas, height, x: GAP + column * (WIDTH + GAP), y }];
  });
  return { placed, end: Math.max(...below) };
}
