// @ts-check
/** Bars of parts that stand one after another. */

import { setAttribute } from "../h.js";
import { themeColors } from "../theme.js";
import { makeCard } from "./card.js";
import { saveCsv } from "./csv.js";
import { layoutOf } from "./layout.js";
import { short } from "./numbers.js";
import { lineColor } from "./palette.js";
import { savePicture } from "./picture.js";
import { Plot } from "./plot.js";
import { plain } from "./text.js";

/** Bars from left to right, one below another. */
export class StackedBars {
  /** @param {string} title @param {string} run */
  constructor(title, run) {
    this.title = title;
    this.run = run;
    /** @type {{bars: {label: string, values: Record<string, number>}[], parts: string[]} | null} */
    this.shown = null;
    this.card = makeCard(title, [
      { label: "PNG", title: "Save as PNG", do: () => this.save("png") },
      { label: "SVG", title: "Save as SVG", do: () => this.save("svg") },
      { label: "CSV", title: "Save the numbers as CSV", do: () => this.saveNumbers() },
    ]);
    this.element = this.card.element;
    this.element.classList.add("stacked-bars");
    this.plot = new Plot(this.card.canvas, () => this.draw());
    this.card.area.addEventListener("keydown", (event) => {
      if (event.key === "s") void this.save("png");
      if (event.key === "c") this.saveNumbers();
    });
  }

  /** @param {string[]} parts @param {{label: string, values: Record<string, number>}[]} bars */
  show(parts, bars) {
    this.shown = { parts, bars };
    return this.draw();
  }

  async draw() {
    if (!this.shown || !this.element.isConnected) return;
    const { parts, bars } = this.shown;
    const colors = themeColors();
    const labels = bars.map((bar) => plain(bar.label));
    const traces = parts.map((part, index) => ({
      type: "bar", orientation: "h", name: plain(part), y: labels, x: bars.map((bar) => bar.values[part] ?? null),
      marker: { color: lineColor(colors, index), line: { width: 0 } }, meta: { part },
    })); // prettier-ignore
    const layout = layoutOf(colors, {
      barmode: "stack", bargap: 0.35, dragmode: false, margin: { l: 110, r: 16, t: 4, b: 30 },
      xaxis: { tickformat: "~s", ticksuffix: "s", rangemode: "tozero", fixedrange: true },
      yaxis: { type: "category", autorange: "reversed", showgrid: false, fixedrange: true, ticklen: 6, tickcolor: "rgba(0,0,0,0)" },
    }); // prettier-ignore
    await this.plot.show(traces, layout);
    const words = bars.map((bar) => `${bar.label}: ${parts.map((part) => `${part} ${short(bar.values[part] ?? null)} s`).join(", ")}`);
    setAttribute(this.card.area, "aria-label", `${this.title}. ${words.join("; ")}`);
  }

  /** @param {"svg"|"png"} format */
  async save(format) {
    if (!this.plot.isDrawn) return;
    const { data, layout } = this.plot.graph;
    const { clientWidth: width, clientHeight: height } = this.card.canvas;
    await savePicture({ data, layout, title: this.title, run: this.run, width, height }, format);
  }

  saveNumbers() {
    if (!this.shown) return;
    const { parts, bars } = this.shown;
    saveCsv([this.run, this.title], ["", ...parts], bars.map((bar) => [bar.label, ...parts.map((part) => bar.values[part] ?? null)]));
  }

  destroy() {
    this.plot.destroy();
  }
}
