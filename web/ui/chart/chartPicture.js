// The picture of a chart, loaded on demand.
import { t } from '../../text.js';
import { colours } from '../settings/theme.js';

const LINE = 20; // px, height of a line above the chart
const EDGE = 12; // px at the sides
const averages = /** @type {const} */ ({ sma20: 'average-a', sma50: 'average-b', ema20: 'average-c' });

/**
 * Draws a chart under its name, its averages, the time and what kind of data it shows.
 * @param {HTMLCanvasElement} chart @param {number} width of the chart in CSS px
 * @param {{ title: string, time: string, source: string, shown: string[] }} head shown: names of the averages
 * @returns {Promise<Blob | null>} PNG
 */
export function picture(chart, width, { title, time, source, shown }) {
  const scale = chart.width / width;
  const c = colours(['panel', 'text', 'soft', 'warn', ...Object.values(averages)]);
  const font = getComputedStyle(document.body).fontFamily;
  const canvas = document.createElement('canvas');
  const to = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  const small = `12px ${font}`;
  to.font = small;
  const sourceAt = width - EDGE - to.measureText(source).width;
  const fits = EDGE + to.measureText(time).width + EDGE < sourceAt;
  canvas.width = chart.width;
  canvas.height = chart.height + Math.round((EDGE + (fits ? 2 : 3) * LINE) * scale);
  to.fillStyle = c.panel;
  to.fillRect(0, 0, canvas.width, canvas.height);
  to.drawImage(chart, 0, canvas.height - chart.height);
  to.scale(scale, scale);
  const write = (/** @type {string} */ text, /** @type {string} */ colour, /** @type {string} */ style, /** @type {number} */ x, /** @type {number} */ line) => {
    to.font = style;
    to.fillStyle = colour;
    to.fillText(text, x, line * LINE + 4);
    return x + to.measureText(text).width;
  };
  let x = write(title, c.text, `600 16px ${font}`, EDGE, 1) + EDGE;
  for (const name of shown) x = write(t(`chart.show.${name}`), c[averages[/** @type {keyof typeof averages} */ (name)]], small, x, 1) + 8;
  write(time, c.soft, small, EDGE, 2);
  if (fits) write(source, c.warn, small, sourceAt, 2);
  else write(source, c.warn, small, EDGE, 3);
  return new Promise((resolve) => canvas.toBlob(resolve, 'image/png'));
}
