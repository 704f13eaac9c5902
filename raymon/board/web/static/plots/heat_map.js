// @ts-check
/** A heat map: a number of each row, over steps. */

import { fill, h, setAttribute, setText } from "../h.js";
import { themeColors } from "../theme.js";
import { makeCard } from "./card.js";
import { saveCsv } from "./csv.js";
import { layoutOf } from "./layout.js";
import { nearest, short } from "./numbers.js";
import { heatScale } from "./palette.js";
import { savePicture } from "./picture.js";
import { Plot } from "./plot.js";
import { isTouched } from "./pointer.js";
import { colorRange, groupRows } from "./rows.js";
import { plain } from "./text.js";
import { ticks } from "./ticks.js";
import { placeTip } from "./tip.js";

const MARGIN = { l: 70, r: 86, t: 6, b: 30 };
const ROW_PIXELS = 2;
const MANY = 10;

/**
 * What a heat map shows: `edges` are the steps at which columns begin, and the end of the last one.
 * @typedef {{edges: number[], times: (number|null)[], rows: {label: string, about: string, values: (number|null)[]}[],
 *   unit: string, fromZero: boolean, title: string}} Heat
 */

/** A heat map that zooms in both directions. */
export class HeatMap {
  /**
   * @param {string} title
   * @param {string} run
   * @param {(range: [number, number] | null) => void} onRange Told when other steps are wanted.
   */
  constructor(title, run, onRange) {
    this.title = title;
    this.run = run;
    this.onRange = onRange;
    /** @type {Heat | null} */
    this.heat = null;
    /** @type {[number, number] | null} Steps that are seen. */
    this.range = null;
    /** @type {[number, number] | null} First and last step of all there is. */
    this.whole = null;
    /** @type {[number, number] | null} Rows that are seen. */
    this.rows = null;
    /** @type {import("./rows.js").RowGroup[]} */
    this.groups = [];
    /** @type {[number, number] | null} Group and column of the cursor. */
    this.cursor = null;
    this.card = makeCard(title, [
      { label: "Whole", title: "Show the whole (double click)", do: () => this.reset() },
      { label: "PNG", title: "Save as PNG", do: () => this.save("png") },
      { label: "SVG", title: "Save as SVG", do: () => this.save("svg") },
      { label: "CSV", title: "Save the numbers as CSV", do: () => this.saveNumbers() },
    ]);
    this.element = this.card.element;
    this.element.classList.add("heat-map");
    this.plot = new Plot(this.card.canvas, () => this.draw());
    this.box = h("div", { class: "heat-cursor", hidden: true });
    this.tip = h("div", { class: "plot-tip", hidden: true });
    this.card.overlay.append(this.box, this.tip);
    this.listen();
  }

  listen() {
    const { area } = this.card;
    const point = (/** @type {PointerEvent} */ event) => {
      const frame = area.getBoundingClientRect();
      this.pointAt(event.clientX - frame.left, event.clientY - frame.top);
    };
    area.addEventListener("pointermove", point);
    area.addEventListener("pointerdown", point);
    area.addEventListener("pointerleave", () => this.pointTo(null));
    area.addEventListener("blur", () => this.pointTo(null));
    area.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const by = event.shiftKey ? MANY : 1;
      const does = {
        ArrowLeft: () => this.move(0, -by),
        ArrowRight: () => this.move(0, by),
        ArrowUp: () => this.move(-by, 0),
        ArrowDown: () => this.move(by, 0),
        "+": () => this.zoom(0.5),
        "=": () => this.zoom(0.5),
        "-": () => this.zoom(2),
        0: () => this.reset(),
        s: () => this.save("png"),
        c: () => this.saveNumbers(),
        Escape: () => this.pointTo(null),
      }[event.key];
      if (!does) return;
      event.preventDefault();
      event.stopPropagation();
      does();
    });
    area.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey && document.activeElement !== area) return;
      event.preventDefault();
      this.zoom(event.deltaY > 0 ? 1.25 : 0.8);
    }, { passive: false });
  }

  /** @param {Heat} heat */
  show(heat) {
    if (this.heat && this.heat.rows.length !== heat.rows.length) this.rows = null;
    this.heat = heat;
    return this.draw();
  }

  /** @returns {[number, number]} */
  get seenRows() {
    return this.rows ?? [0, this.heat?.rows.length ?? 1];
  }

  /** @returns {[number, number]} */
  get seenSteps() {
    const edges = this.heat?.edges ?? [0, 1];
    return this.range ?? [edges[0], edges[edges.length - 1]];
  }

  get size() {
    const { clientWidth, clientHeight } = this.card.canvas;
    return [Math.max(1, clientWidth - MARGIN.l - MARGIN.r), Math.max(1, clientHeight - MARGIN.t - MARGIN.b)];
  }

  async draw() {
    const { heat } = this;
    if (!heat || !this.element.isConnected) return;
    const [, height] = this.size;
    const [top, bottom] = this.seenRows;
    const values = heat.rows.map((row) => row.values);
    this.groups = groupRows(values, Math.floor(top), Math.ceil(bottom), Math.floor(height / ROW_PIXELS));
    const colors = themeColors();
    const [least, most] = colorRange(values, heat.fromZero);
    const isTime = heat.unit.startsWith("s");
    const bar = {
      thickness: 10, outlinewidth: 0, x: 1.02, xpad: 0, tickformat: "~s", nticks: 6,
      ticksuffix: isTime ? "s" : heat.unit === "bytes" ? "B" : "", tickfont: { size: 11, color: colors.muted },
    }; // prettier-ignore
    const trace = {
      type: "heatmap", x: heat.edges, y: [...this.groups.map((group) => group.first), Math.ceil(bottom)],
      z: this.groups.map((group) => group.most), zmin: least, zmax: most, colorscale: heatScale(colors), colorbar: bar,
      showlegend: false, hoverongaps: false,
    }; // prettier-ignore
    const range = this.seenSteps;
    const layout = layoutOf(colors, {
      margin: { ...MARGIN },
      dragmode: isTouched() ? false : "zoom",
      pictureLegend: false,
      xaxis: { range: [...range], showgrid: false, ...ticks("step", range, this.size[0]) },
      yaxis: { range: [bottom, top], showgrid: false, ...this.rowTicks(top, bottom, height) },
    });
    const isEmpty = heat.rows.length === 0 || heat.edges.length < 2;
    setText(this.card.note, isEmpty ? "There are no numbers of ranks yet." : "");
    await this.plot.show(isEmpty ? [] : [trace], layout);
    this.describe();
    if (!this.isListening && this.plot.isDrawn) {
      this.isListening = true;
      this.plot.on("plotly_relayout", (changes) => this.wasZoomed(changes));
      this.plot.on("plotly_doubleclick", () => this.reset());
    }
    this.drawCursor();
  }

  /** @param {number} top @param {number} bottom @param {number} height */
  rowTicks(top, bottom, height) {
    const rows = this.heat?.rows ?? [];
    const every = Math.max(1, Math.ceil((bottom - top) / Math.max(1, height / 18)));
    const tickvals = [];
    for (let row = Math.floor(top); row < bottom; row += every) tickvals.push(row + 0.5);
    return { tickvals, ticktext: tickvals.map((at) => plain(rows[Math.floor(at)]?.label ?? "")) };
  }

  /** @param {any} changes */
  wasZoomed(changes) {
    const x = [changes["xaxis.range[0]"], changes["xaxis.range[1]"]];
    const y = [changes["yaxis.range[0]"], changes["yaxis.range[1]"]];
    const count = this.heat?.rows.length ?? 1;
    if (y[0] !== undefined) {
      const [top, bottom] = [Math.min(...y), Math.max(...y)];
      this.rows = [Math.max(0, Math.floor(top)), Math.min(count, Math.ceil(bottom))];
    }
    if (x[0] !== undefined) this.goTo([Math.min(...x), Math.max(...x)]);
    else void this.draw();
  }

  /** @param {[number, number] | null} range */
  goTo(range) {
    this.range = range;
    void this.draw();
    this.onRange(range);
  }

  reset() {
    this.rows = null;
    this.goTo(null);
  }

  /** @param {number} factor */
  zoom(factor) {
    const [top, bottom] = this.seenRows;
    const [from, to] = this.seenSteps;
    const count = this.heat?.rows.length ?? 1;
    const [row, step] = this.cursorPlace() ?? [(top + bottom) / 2, (from + to) / 2];
    const height = Math.max(1, Math.round((bottom - top) * factor));
    const first = Math.max(0, Math.min(count - height, Math.round(row - height / 2)));
    this.rows = height >= count ? null : [first, first + height];
    const width = (to - from) * factor;
    const isWhole = factor > 1 && (this.range === null || width >= this.wholeWidth());
    if (isWhole) this.goTo(null);
    else this.goTo([Math.max(0, step - ((step - from) / (to - from)) * width), step + ((to - step) / (to - from)) * width]);
  }

  wholeWidth() {
    return this.whole ? this.whole[1] - this.whole[0] : Infinity;
  }

  /** @returns {[number, number] | null} Row and step of the cursor. */
  cursorPlace() {
    if (!this.cursor || !this.heat) return null;
    const [group, column] = this.cursor;
    const { edges } = this.heat;
    return [this.groups[group]?.first ?? 0, (edges[column] + edges[column + 1]) / 2];
  }

  /** @param {number} left @param {number} down Pixels within the area. */
  pointAt(left, down) {
    if (!this.heat || this.groups.length === 0) return;
    const [width, height] = this.size;
    const [x, y] = [(left - MARGIN.l) / width, (down - MARGIN.t) / height];
    if (x < 0 || x > 1 || y < 0 || y > 1) return this.pointTo(null);
    const [from, to] = this.seenSteps;
    const [top, bottom] = this.seenRows;
    const row = top + y * (bottom - top);
    const step = from + x * (to - from);
    const group = this.groups.findIndex((each) => row >= each.first && row < each.end);
    const column = this.heat.edges.findLastIndex((edge) => edge <= step);
    return this.pointTo(group < 0 || column < 0 || column >= this.heat.edges.length - 1 ? null : [group, column]);
  }

  /** @param {number} rows @param {number} columns */
  move(rows, columns) {
    if (!this.heat || this.groups.length === 0) return;
    const last = this.heat.edges.length - 2;
    const start = nearest(this.heat.edges.slice(0, -1), this.seenSteps[0]);
    const [group, column] = this.cursor ?? [0, Math.max(0, start)];
    const at = this.cursor ? [group + rows, column + columns] : [group, column];
    this.pointTo([Math.max(0, Math.min(this.groups.length - 1, at[0])), Math.max(0, Math.min(last, at[1]))]);
    setText(this.card.spoken, this.tip.textContent ?? "");
  }

  /** @param {[number, number] | null} cursor */
  pointTo(cursor) {
    this.cursor = cursor;
    this.drawCursor();
  }

  drawCursor() {
    const { heat, cursor } = this;
    const group = cursor && this.groups[cursor[0]];
    this.box.hidden = this.tip.hidden = !group || !heat;
    if (!group || !heat || !cursor) return;
    const [width, height] = this.size;
    const [from, to] = this.seenSteps;
    const [top, bottom] = this.seenRows;
    const [begin, end] = [heat.edges[cursor[1]], heat.edges[cursor[1] + 1]];
    const left = MARGIN.l + ((Math.max(from, begin) - from) / (to - from)) * width;
    const right = MARGIN.l + ((Math.min(to, end) - from) / (to - from)) * width;
    const upper = MARGIN.t + ((group.first - top) / (bottom - top)) * height;
    const lower = MARGIN.t + ((group.end - top) / (bottom - top)) * height;
    Object.assign(this.box.style, {
      left: `${left}px`, width: `${Math.max(2, right - left)}px`, top: `${upper}px`, height: `${Math.max(2, lower - upper)}px`,
    }); // prettier-ignore
    const row = heat.rows[group.of[cursor[1]]];
    const several = group.end - group.first;
    placeTip(this.tip, [
      h("div", { class: "plot-tip-title" }, row.label === row.about ? row.label : `${row.label} · ${row.about}`),
      h("div", {}, `${heat.title}: `, h("b", {}, heatText(group.most[cursor[1]], heat.unit))),
      h("div", { class: "muted" }, `steps ${begin.toLocaleString("en-US")} to ${end.toLocaleString("en-US")}`),
      several > 1 ? h("div", { class: "muted" }, `the most of ${several} ranks here; zoom in to see each`) : h("span", {}),
    ], right, this.card.canvas.clientWidth); // prettier-ignore
    this.tip.style.top = `${Math.max(0, Math.min(upper, height - 60))}px`;
  }

  describe() {
    const { heat } = this;
    if (!heat) return;
    const text = `${heat.title} of ${heat.rows.length} ranks, steps ${this.seenSteps.map((step) => Math.round(step)).join(" to ")}. Arrow keys move from cell to cell.`;
    setAttribute(this.card.area, "aria-label", text);
    fill(this.card.legend, h("span", { class: "muted" }, this.groups.some((group) => group.end - group.first > 1)
      ? `${heat.rows.length.toLocaleString("en-US")} ranks; each line shows the most of ${this.groups[0].end - this.groups[0].first}`
      : `${heat.rows.length.toLocaleString("en-US")} ranks`)); // prettier-ignore
  }

  /** @param {"svg"|"png"} format */
  async save(format) {
    if (!this.plot.isDrawn || !this.heat) return;
    const { data, layout } = this.plot.graph;
    const { clientWidth: width, clientHeight: height } = this.card.canvas;
    await savePicture({ data, layout, title: `${this.title}: ${this.heat.title}`, run: this.run, width, height }, format);
  }

  saveNumbers() {
    const { heat } = this;
    if (!heat) return;
    const rows = heat.rows.flatMap((row) => row.values.map((value, at) =>
      [row.label, row.about, heat.edges[at], heat.edges[at + 1], value])); // prettier-ignore
    saveCsv([this.run, this.title, heat.title], ["rank", "host", "first_step", "end_step", heat.title], rows);
  }

  destroy() {
    this.plot.destroy();
  }
}

/**
 * A number of a cell in words.
 * @param {?number} value
 * @param {string} unit
 */
export function heatText(value, unit) {
  if (value === null || value === undefined) return "no value";
  if (unit === "bytes") return short(value, "bytes");
  if (!unit.startsWith("s")) return short(value);
  const isSmall = Math.abs(value) < 1;
  return `${Number((isSmall ? value * 1000 : value).toPrecision(4))} ${isSmall ? "ms" : "s"}${unit.slice(1).replace("/", " a ")}`;
}
