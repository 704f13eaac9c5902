// @ts-check
/** Where the time of a step goes: bars, and the same in numbers. */

import { get, runPath } from "../api.js";
import { percent } from "../format.js";
import { fill, h } from "../h.js";
import { heatText } from "../plots/heat_map.js";
import { lineColor } from "../plots/palette.js";
import { StackedBars } from "../plots/stacked_bars.js";
import { onTheme, themeColors } from "../theme.js";

/**
 * Makes the part of the page about a step.
 * @param {any} run @param {AbortSignal} signal
 */
export function makeAnatomy(run, signal) {
  const bars = new StackedBars("Anatomy of a step", run.name);
  const table = h("div", { class: "scroll" });
  const empty = h("p", { class: "muted", hidden: true }, "No rank has said yet where its time goes.");
  const element = h("div", { class: "anatomy" }, empty, bars.element, table);
  /** @type {any} */
  let shown = null;
  signal.addEventListener("abort", () => bars.destroy());
  onTheme(() => shown && show(shown), signal);

  /** @param {any} found */
  function show(found) {
    shown = found;
    const { phases, mean, median, slowest, slowest_rank: rank, unit = "s/step" } = found;
    empty.hidden = phases.length > 0;
    bars.element.hidden = table.hidden = phases.length === 0;
    if (phases.length === 0) return;
    const kinds = [["mean", mean], ["median", median], [rank === null ? "slowest" : `slowest: ${rank}`, slowest]]
      .map(([label, values]) => ({ label, values })); // prettier-ignore
    void bars.show(phases, kinds);
    const colors = themeColors();
    const total = (/** @type {any} */ values) => phases.reduce((/** @type {number} */ sum, /** @type {string} */ phase) => sum + (values[phase] ?? 0), 0);
    const row = (/** @type {any[]} */ ...cells) => h("tr", {}, cells);
    fill(table, h("table", { class: "anatomy-table" },
      h("thead", {}, row(h("th", {}, "Phase"), kinds.map((kind) => h("th", { class: "n" }, kind.label)), h("th", { class: "n" }, "share"))),
      h("tbody", {}, phases.map((/** @type {string} */ phase, /** @type {number} */ index) => row(
        h("td", {}, h("span", { class: "plot-swatch", style: { "--swatch": lineColor(colors, index) } }), " ", phase.replaceAll("_", " ")),
        kinds.map((kind) => h("td", { class: "n" }, heatText(kind.values[phase] ?? null, unit.replace("/step", "")))),
        h("td", { class: "n muted" }, percent((mean[phase] ?? 0) / total(mean)))))),
      h("tfoot", {}, row(h("th", {}, "a step"), kinds.map((kind) => h("th", { class: "n" }, heatText(total(kind.values), unit.replace("/step", "")))), h("td", {}))))); // prettier-ignore
  }

  return {
    element,
    /** Brings it up to date. @param {Record<string, any>} range */
    async update(range = {}) {
      show(await get(runPath(run.id, "anatomy"), range, signal));
    },
  };
}
