// @ts-check
/** A chart on its own: curves, points or steps over an axis that is not shared. */

import { h, setAttribute, setText } from "../h.js";
import { onTheme, themeColors } from "../theme.js";
import { makeCard } from "./card.js";
import { saveCsv } from "./csv.js";
import { listenToKeys } from "./keys.js";
import { layoutOf, MARGIN } from "./layout.js";
import { Legend } from "./legend.js";
import { exact, extent } from "./numbers.js";
import { fade } from "./palette.js";
import { savePicture } from "./picture.js";
import { Plot } from "./plot.js";
import { isTouched } from "./pointer.js";
import { plain } from "./text.js";
import { placeTip } from "./tip.js";

const REACH = 40;

/**
 * What is drawn. `steps` are as wide as their `edges` say; the size of points is that of their `weight`.
 * @typedef {{key: string, label: string, value?: string, color: string, dash?: string, kind: "line"|"points"|"steps",
 *   x: number[], y: (number|null)[], edges?: number[], weight?: number[], isHelp?: boolean,
 *   tip?: (at: number) => [string, string][]}} Drawn
 * @typedef {{drawn: Drawn[], x: string, y: string, rangeX?: [number, number], rangeY?: [number, number], note?: string,
 *   least?: number}} Content With `least`, the least number above 0, its axes may be logarithmic.
 */

/** A chart with its own zoom. */
export class XYChart {
  /**
   * @param {string} title
   * @param {string} run
   * @param {AbortSignal} signal
   */
  constructor(title, run, signal) {
    this.title = title;
    this.run = run;
    /** @type {Content | null} */
    this.content = null;
    this.hidden = new Set();
    /** @type {Record<string, number[]>} Ranges by axis, of what it is zoomed to. */
    this.zoomed = {};
    /** @type {[Drawn, number] | null} */
    this.at = null;
    this.isLog = false;
    this.card = makeCard(title, [
      { label: "Log", title: "Logarithmic or linear axes", do: () => this.turn() },
      { label: "Whole", title: "Show the whole (double click)", do: () => this.reset() },
      { label: "PNG", title: "Save as PNG", do: () => this.save("png") },
      { label: "SVG", title: "Save as SVG", do: () => this.save("svg") },
      { label: "CSV", title: "Save the numbers as CSV", do: () => this.saveNumbers() },
    ]);
    this.element = this.card.element;
    this.element.classList.add("xy-chart");
    this.legend = new Legend(this.card.legend, (key) => {
      if (!this.hidden.delete(key)) this.hidden.add(key);
      void this.draw();
    });
    this.plot = new Plot(this.card.canvas, () => this.drawPoint());
    this.dot = h("div", { class: "plot-dot", hidden: true });
    this.tip = h("div", { class: "plot-tip", hidden: true });
    this.card.overlay.append(this.dot, this.tip);
    this.listen();
    onTheme(() => this.draw(), signal);
    signal.addEventListener("abort", () => this.plot.destroy());
  }

  listen() {
    const { area } = this.card;
    const point = (/** @type {PointerEvent} */ event) => {
      const frame = area.getBoundingClientRect();
      this.at = this.nearestTo(event.clientX - frame.left, event.clientY - frame.top);
      this.drawPoint();
    };
    const leave = () => {
      this.at = null;
      this.drawPoint();
    };
    area.addEventListener("pointermove", point);
    area.addEventListener("pointerdown", point);
    area.addEventListener("pointerleave", leave);
    area.addEventListener("blur", leave);
    listenToKeys(area, {
      move: (count) => this.move(count),
      zoom: (factor) => this.zoom(factor),
      reset: () => this.reset(),
      picture: () => this.save("png"),
      numbers: () => this.saveNumbers(),
      leave,
    });
  }

  /** @param {Content} content */
  show(content) {
    this.content = content;
    this.at = null;
    return this.draw();
  }

  turn() {
    this.isLog = !this.isLog;
    this.zoomed = {};
    void this.draw();
  }

  /** @returns {Drawn[]} */
  get seen() {
    return (this.content?.drawn ?? []).filter((drawn) => !this.hidden.has(drawn.key));
  }

  async draw() {
    const { content } = this;
    if (!content || !this.element.isConnected) return;
    const colors = themeColors();
    this.legend.show(content.drawn.filter((drawn) => !drawn.isHelp), this.hidden);
    this.legend.say(new Map(content.drawn.map((drawn) => [drawn.key, drawn.value ?? ""])));
    const isEmpty = content.drawn.every((drawn) => drawn.isHelp || drawn.x.length === 0);
    setText(this.card.note, isEmpty ? content.note ?? "There are no numbers for it." : "");
    const traces = isEmpty ? [] : this.seen.map((drawn) => traceOf(drawn, this.seen));
    const isLog = this.isLog && content.least !== undefined;
    this.card.element.classList.toggle("plot-with-log", content.least !== undefined);
    const title = (/** @type {string} */ text) => ({ text: plain(text), font: { size: 11 }, standoff: 4 });
    const axis = (/** @type {string} */ name, /** @type {[number, number]|undefined} */ range, /** @type {string} */ text) => ({
      title: title(text), ...(isLog ? { type: "log", dtick: 1 } : { type: "linear" }),
      range: [...(this.zoomed[name] ?? (isLog ? logRange(content, range) : range) ?? this.roomFor(name))],
    }); // prettier-ignore
    await this.plot.show(traces, layoutOf(colors, {
      margin: { ...MARGIN, b: 44, l: 62 },
      dragmode: isTouched() ? false : "zoom",
      xaxis: axis("xaxis", content.rangeX, content.x),
      yaxis: axis("yaxis", content.rangeY, content.y),
    })); // prettier-ignore
    this.describe();
    if (!this.isListening && this.plot.isDrawn) {
      this.isListening = true;
      this.plot.on("plotly_relayout", (changes) => this.wasZoomed(changes));
      this.plot.on("plotly_doubleclick", () => this.reset());
    }
    this.drawPoint();
  }

  /** @param {string} name @returns {[number, number]} */
  roomFor(name) {
    const of = name === "xaxis" ? "x" : "y";
    const both = extent(this.seen.filter((drawn) => !drawn.isHelp).flatMap((drawn) => (of === "x" && drawn.edges) || drawn[of]));
    if (!both) return [0, 1];
    const isSteps = this.seen.some((drawn) => drawn.kind === "steps");
    const room = (both[1] - both[0]) * 0.05 || Math.abs(both[0]) * 0.1 || 1;
    return [of === "y" && isSteps ? 0 : both[0] - room, both[1] + room];
  }

  /** @param {any} changes */
  wasZoomed(changes) {
    for (const name of ["xaxis", "yaxis"]) {
      const range = [changes[`${name}.range[0]`], changes[`${name}.range[1]`]];
      if (range[0] !== undefined) this.zoomed[name] = range;
    }
    this.drawPoint();
  }

  /** @param {number} factor */
  zoom(factor) {
    const axes = this.axes();
    if (!axes) return;
    const place = this.at ? { xaxis: this.at[0].x[this.at[1]], yaxis: this.at[0].y[this.at[1]] ?? 0 } : null;
    for (const name of /** @type {const} */ (["xaxis", "yaxis"])) {
      const [from, to] = axes[name];
      const around = place ? this.onAxis(place[name]) : (from + to) / 2;
      this.zoomed[name] = [around - (around - from) * factor, around + (to - around) * factor];
    }
    void this.draw();
  }

  reset() {
    this.zoomed = {};
    void this.draw();
  }

  /** @returns {{xaxis: number[], yaxis: number[]} | null} Ranges of what is drawn. */
  axes() {
    const { layout } = this.plot.graph;
    return this.plot.isDrawn && layout?.xaxis?.range ? { xaxis: layout.xaxis.range, yaxis: layout.yaxis.range } : null;
  }

  /** @param {number} value @returns {number} As the ranges of axes have it. */
  onAxis(value) {
    return this.isLog && this.content?.least !== undefined ? Math.log10(value) : value;
  }

  /** @param {Drawn} drawn @param {number} index @returns {[number, number] | null} Pixels in the area. */
  pixelsOf(drawn, index) {
    const axes = this.axes();
    const y = drawn.y[index];
    if (!axes || y === null || y === undefined) return null;
    const { clientWidth, clientHeight } = this.card.canvas;
    const [width, height] = [clientWidth - 62 - MARGIN.r, clientHeight - MARGIN.t - 44];
    const part = (/** @type {number} */ value, /** @type {number[]} */ range) => (value - range[0]) / (range[1] - range[0]);
    const [x, up] = [part(this.onAxis(drawn.x[index]), axes.xaxis), part(this.onAxis(y), axes.yaxis)];
    if (!(x + up > -Infinity) || x < -0.01 || x > 1.01 || up < -0.01 || up > 1.01) return null;
    return [62 + x * width, MARGIN.t + (1 - up) * height];
  }

  /** @param {number} left @param {number} down @returns {[Drawn, number] | null} */
  nearestTo(left, down) {
    let best = null;
    let least = REACH ** 2;
    for (const drawn of this.seen) {
      if (drawn.isHelp) continue;
      drawn.x.forEach((_, index) => {
        const place = this.pixelsOf(drawn, index);
        if (!place) return;
        const away = (place[0] - left) ** 2 + (place[1] - down) ** 2;
        if (away >= least) return;
        least = away;
        best = /** @type {[Drawn, number]} */ ([drawn, index]);
      });
    }
    return best;
  }

  /** @param {number} count */
  move(count) {
    const drawn = this.at?.[0] ?? this.seen.find((each) => !each.isHelp && each.x.length > 0);
    if (!drawn) return;
    const index = this.at ? this.at[1] + count : count < 0 ? drawn.x.length - 1 : 0;
    this.at = [drawn, Math.max(0, Math.min(drawn.x.length - 1, index))];
    this.drawPoint();
    setText(this.card.spoken, this.tip.textContent ?? "");
  }

  drawPoint() {
    const place = this.at && this.pixelsOf(...this.at);
    this.dot.hidden = this.tip.hidden = !place;
    if (!place || !this.at || !this.content) return;
    const [drawn, index] = this.at;
    Object.assign(this.dot.style, { left: `${place[0]}px`, top: `${place[1]}px` });
    this.dot.style.setProperty("--swatch", drawn.color);
    const rows = drawn.tip?.(index) ?? [[this.content.x, exact(drawn.x[index])], [this.content.y, exact(drawn.y[index])]];
    placeTip(this.tip, [
      h("div", { class: "plot-tip-title" }, drawn.label),
      h("table", {}, h("tbody", {}, rows.map(([name, text]) => h("tr", {}, h("td", { class: "muted" }, name), h("td", { class: "n" }, text))))),
    ], place[0], this.card.canvas.clientWidth); // prettier-ignore
  }

  describe() {
    const words = this.seen.filter((drawn) => !drawn.isHelp).map((drawn) => {
      const both = extent(drawn.y);
      return `${drawn.label} ${drawn.value ?? ""}: ${both ? `from ${exact(both[0])} to ${exact(both[1])}` : "no value"}`;
    });
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
    if (!this.content) return;
    const { x, y, drawn } = this.content;
    const rows = drawn.filter((each) => !each.isHelp).flatMap((each) => each.x.map((value, at) =>
      [each.label, each.edges ? each.edges[at] : value, each.y[at], each.weight?.[at] ?? each.edges?.[at + 1] ?? null])); // prettier-ignore
    const isSteps = drawn.some((each) => each.edges);
    const header = ["curve", isSteps ? `${x}, from` : x, y];
    const last = isSteps ? `${x}, to` : drawn.some((each) => each.weight) ? "weight" : null;
    saveCsv([this.run, this.title], last ? [...header, last] : header, last ? rows : rows.map((row) => row.slice(0, 3)));
  }

  /** Empties the chart. @param {string} note Why. */
  clear(note) {
    return this.show({ drawn: [], x: "", y: "", note });
  }
}

/** @param {Content} content @param {[number, number]} [range] @returns {[number, number]} In powers of ten. */
function logRange(content, range) {
  return [Math.log10(content.least || 1e-6) - 0.1, Math.log10(range?.[1] ?? 1)];
}

/** @param {Drawn} drawn @param {Drawn[]} all */
function traceOf(drawn, all) {
  const { color, dash = "solid", x, y, edges, weight } = drawn;
  /** @type {any} */
  const common = {
    type: "scatter", name: plain(drawn.value ? `${drawn.label} ${drawn.value}` : drawn.label), showlegend: !drawn.isHelp,
    meta: { curve: drawn.key },
  }; // prettier-ignore
  if (drawn.kind === "points") {
    const most = Math.max(1e-300, ...all.flatMap((each) => each.weight ?? []));
    const size = weight ? weight.map((each) => 3 + 9 * Math.sqrt(each / most)) : 6;
    return { ...common, x, y, mode: "lines+markers", line: { color: fade(color, 0.5), width: 1, dash },
      marker: { color: fade(color, 0.75), size, line: { width: 1, color } } }; // prettier-ignore
  }
  if (drawn.kind === "steps" && edges) {
    return { ...common, x: edges, y: [...y, y[y.length - 1] ?? null], mode: "lines", fill: "tozeroy",
      fillcolor: fade(color, dash === "solid" ? 0.25 : 0), line: { color, width: 1.5, shape: "hv", dash } }; // prettier-ignore
  }
  return { ...common, x, y, mode: "lines", line: { color, width: drawn.isHelp ? 1 : 1.8, dash } };
}
