// @ts-check
/** What is written beside a crosshair. */

import { fill, h } from "../h.js";
import { exact } from "./numbers.js";

const ASIDE = 14;
const EDGE = 4;

/**
 * The rows of a tip: each curve's exact number, and what happened there.
 * @param {string} title Where the crosshair is.
 * @param {{label: string, color: string, y: ?number, bound: ?number, smoothed: ?number, place: string}[]} rows
 * @param {{kind: string, text: string}[]} marks
 * @returns {Node[]}
 */
export function tipContent(title, rows, marks) {
  return [
    h("div", { class: "plot-tip-title" }, title),
    h("table", {}, h("tbody", {}, rows.map(({ label, color, y, bound, smoothed, place }) =>
      h("tr", {},
        h("td", {}, h("span", { class: "plot-swatch", style: { "--swatch": color } }), label),
        h("td", { class: "n" }, exact(y), bound === null ? null : h("span", { class: "muted" }, ` ± ${Number(bound.toPrecision(3))}`),
          smoothed === null ? null : h("div", { class: "muted" }, `smoothed ${Number(smoothed.toPrecision(6))}`),
          place ? h("div", { class: "muted" }, place) : null))))),
    ...marks.map((mark) => h("div", { class: "plot-tip-mark", dataset: { kind: mark.kind } }, mark.text)),
  ];
}

/**
 * Puts a tip beside a place, where it does not hide it.
 * @param {HTMLElement} tip
 * @param {Node[]} content
 * @param {number} left Pixels of the place.
 * @param {number} width Pixels of the area.
 */
export function placeTip(tip, content, left, width) {
  fill(tip, content);
  tip.hidden = false;
  const own = tip.offsetWidth;
  const start = tip.parentElement?.getBoundingClientRect().left ?? 0;
  const wanted = left < width / 2 ? left + ASIDE : left - ASIDE - own;
  const last = document.documentElement.clientWidth - start - own - EDGE;
  tip.style.left = `${Math.max(EDGE - start, Math.min(wanted, last))}px`;
}
