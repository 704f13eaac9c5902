// @ts-check
/** The frame of a plot: its title, what can be done with it, its legend, and room for it. */

import { h } from "../h.js";

/**
 * Makes the frame of a plot.
 * @param {string} title
 * @param {{label: string, title: string, do: () => void}[]} tools
 * @returns {{element: HTMLElement, legend: HTMLElement, area: HTMLElement, canvas: HTMLElement,
 *   overlay: HTMLElement, note: HTMLElement, spoken: HTMLElement}}
 */
export function makeCard(title, tools) {
  const legend = h("div", { class: "plot-legend" });
  const canvas = h("div", { class: "plot-canvas" });
  const overlay = h("div", { class: "plot-overlay", "aria-hidden": "true" });
  const note = h("div", { class: "plot-note", role: "note" });
  const spoken = h("div", { class: "plot-spoken", "aria-live": "polite" });
  const area = h("div", { class: "plot-area", tabindex: "0", role: "img", "aria-label": title },
    canvas, overlay, note);
  const buttons = tools.map((tool) =>
    h("button", { type: "button", class: "plot-tool", dataset: { tool: tool.label }, title: tool.title, "aria-label": `${tool.title}: ${title}`,
      onclick: tool.do }, tool.label));
  const head = h("div", { class: "plot-head" }, h("h3", { class: "plot-title", title }, title),
    h("div", { class: "plot-tools" }, buttons));
  const element = h("section", { class: "plot-card", "aria-label": title }, head, legend, area, spoken);
  return { element, legend, area, canvas, overlay, note, spoken };
}
