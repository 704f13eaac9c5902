// @ts-check
/** What is set for all curves of a page. */

import { h, setText } from "../h.js";
import { MARK_GROUPS } from "../plots/marks.js";
import { X_KINDS } from "../plots/x_axis.js";

const SIZES = { small: "Small", medium: "Medium", large: "Large" };
const MOST = 0.999;
const SLIDER = 100;

/**
 * Makes the tools above curves.
 * @param {{x: string, smooth: number, isLog: boolean, size: string, word: string, marks?: Set<string>}} now Without
 *   `marks` there is no choice of them.
 * @param {(changes: Record<string, any>) => void} change Gets what was changed.
 * @param {() => void} reset Shows the whole.
 * @param {Record<string, string>} [kinds] What the horizontal axis may be.
 * @returns {{element: HTMLElement, zoomed: (text: string) => void}} `zoomed` says what is shown; "" is the whole.
 */
export function makeToolbar(now, change, reset, kinds = X_KINDS) {
  const smooth = h("output", { class: "smooth-text" }, smoothText(now.smooth));
  const slider = h("input", { type: "range", min: 0, max: SLIDER, step: 1, value: String(sliderOf(now.smooth)),
    "aria-label": "Smoothing", oninput: (/** @type {any} */ event) => {
      const value = smoothOf(Number(event.target.value));
      setText(smooth, smoothText(value));
      slider.setAttribute("aria-valuetext", smoothText(value));
      change({ smooth: value });
    } }); // prettier-ignore
  const range = h("span", { class: "muted" });
  const whole = h("button", { type: "button", hidden: true, onclick: reset }, "Show the whole");
  const element = h("div", { class: "tools curve-tools" },
    h("input", { type: "search", placeholder: "Search charts", "aria-label": "Search charts", value: now.word,
      oninput: (/** @type {any} */ event) => change({ word: event.target.value }) }),
    select("Horizontal axis", kinds, now.x, (x) => change({ x })),
    h("label", { class: "smooth", title: "Exponential mean; the numbers stay visible behind it" }, "Smoothing", slider, smooth),
    h("label", {}, h("input", { type: "checkbox", checked: now.isLog,
      onchange: (/** @type {any} */ event) => change({ isLog: event.target.checked }) }), "Log scale"),
    now.marks ? marksMenu(now.marks, change) : null,
    select("Size of charts", SIZES, now.size, (size) => change({ size })),
    h("span", { class: "grow" }), range, whole); // prettier-ignore
  return {
    element,
    zoomed(text) {
      setText(range, text);
      whole.hidden = text === "";
    },
  };
}

/**
 * A choice of one.
 * @param {string} label @param {Record<string, string>} choices @param {string} now
 * @param {(choice: string) => void} onChoice
 */
export function select(label, choices, now, onChoice) {
  const options = Object.entries(choices).map(([value, text]) =>
    h("option", { value, selected: value === now }, text));
  return h("select", { "aria-label": label, title: label,
    onchange: (/** @type {any} */ event) => onChoice(event.target.value) }, options); // prettier-ignore
}

/** @param {Set<string>} shown Groups of marks that are shown. @param {(changes: any) => void} change */
function marksMenu(shown, change) {
  const boxes = Object.entries(MARK_GROUPS).map(([key, { title }]) =>
    h("label", {}, h("input", { type: "checkbox", checked: shown.has(key),
      onchange: (/** @type {any} */ event) => {
        if (event.target.checked) shown.add(key);
        else shown.delete(key);
        change({ marks: shown });
      } }), title)); // prettier-ignore
  const menu = h("details", { class: "menu", onkeydown: (/** @type {any} */ event) => {
    if (event.key === "Escape") /** @type {HTMLDetailsElement} */ (menu).open = false;
  } }, h("summary", { class: "button" }, "Marks"), h("div", { class: "menu-body" }, boxes)); // prettier-ignore
  return menu;
}

/** @param {number} slider Of 100. @returns {number} The smoothing: finer the more there is. */
function smoothOf(slider) {
  return Math.min(MOST, Number((1 - (1 - slider / SLIDER) ** 2).toFixed(3)));
}

/** @param {number} smooth */
function sliderOf(smooth) {
  return Math.round(SLIDER * (1 - Math.sqrt(1 - Math.min(1, Math.max(0, smooth)))));
}

/** @param {number} smooth */
function smoothText(smooth) {
  return smooth === 0 ? "off" : String(smooth);
}
