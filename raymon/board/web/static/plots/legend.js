// @ts-check
/** Names of curves with their numbers; a click hides a curve. */

import { fill, h, setText } from "../h.js";

/** What a plot's curves are called, each with a number beside it. */
export class Legend {
  /**
   * @param {HTMLElement} element
   * @param {(key: string) => void} onToggle
   */
  constructor(element, onToggle) {
    this.element = element;
    this.onToggle = onToggle;
    /** @type {Map<string, HTMLElement>} */
    this.values = new Map();
    this.shown = "";
  }

  /**
   * @param {{key: string, label: string, color: string, dash?: string, isEvaluation?: boolean}[]} curves
   * @param {Set<string>} hidden Keys of those that are hidden.
   */
  show(curves, hidden) {
    const now = JSON.stringify(curves.map((curve) => [curve.key, curve.label, curve.color, hidden.has(curve.key)]));
    if (now === this.shown) return;
    this.shown = now;
    this.values.clear();
    fill(this.element, curves.map((curve) => {
      const value = h("span", { class: "plot-value" });
      this.values.set(curve.key, value);
      const isShown = !hidden.has(curve.key);
      return h("button", { type: "button", class: "plot-name", "aria-pressed": String(isShown),
        title: `${curve.label}: ${isShown ? "hide" : "show"} it`,
        onclick: () => this.onToggle(curve.key) },
        h("span", { class: "plot-swatch", dataset: { dash: curve.dash ?? "solid" },
          style: { "--swatch": curve.color } }),
        h("span", { class: "plot-label" }, curve.label), value);
    }));
  }

  /** @param {Map<string, string>} texts Numbers by key; others have none. */
  say(texts) {
    for (const [key, value] of this.values) setText(value, texts.get(key) ?? "");
  }
}
