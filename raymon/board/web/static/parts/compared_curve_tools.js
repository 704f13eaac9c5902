// @ts-check
/** What is set for the curves of several runs. */

import { h, setAttribute, setText } from "../h.js";

const AXES = { step: "By step", elapsed: "By time since the start", time: "By time of day" };
const SMOOTHINGS = [0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99];

/**
 * @param {{x: string, smooth: number, isLog: boolean, word: string}} now
 * @param {(changes: Record<string, any>) => void} change
 * @param {() => void} reset Shows the whole.
 */
export function makeCurveTools(now, change, reset) {
  const values = [...new Set([...SMOOTHINGS, now.smooth])].sort((a, b) => a - b);
  const smooth = select("Smoothing", values.map((value) =>
    [String(value), value ? `Smoothed by ${value}` : "Not smoothed"]), String(now.smooth),
  (value) => change({ smooth: Number(value) }));
  const range = h("span", { class: "muted" });
  const whole = h("button", { type: "button", onclick: reset }, "Show the whole");
  const element = h("div", { class: "tools" },
    h("input", { type: "search", value: now.word, placeholder: "Search charts", "aria-label": "Search charts",
      oninput: (/** @type {any} */ event) => change({ word: event.target.value }) }),
    select("Align by", Object.entries(AXES), now.x, (x) => change({ x })), smooth,
    h("label", {}, h("input", { type: "checkbox", checked: now.isLog,
      onchange: (/** @type {any} */ event) => change({ isLog: event.target.checked }) }), "Log scale"),
    h("span", { class: "grow" }), range, whole);
  return {
    element,
    /** @param {string} text What is shown; "" is the whole. */
    zoomed(text) {
      setText(range, text);
      setAttribute(whole, "hidden", text ? null : "");
    },
  };
}

/**
 * @param {string} label
 * @param {[string, string][]} choices Values and texts.
 * @param {string} now
 * @param {(value: string) => void} onChoice
 */
function select(label, choices, now, onChoice) {
  return h("select", { "aria-label": label, onchange: (/** @type {any} */ event) => onChoice(event.target.value) },
    choices.map(([value, text]) => h("option", { value, selected: value === now }, text)));
}
