// @ts-check
/** One chart of curves, linked with the others of its page. */

import { setAttribute, setText, h } from "../h.js";
import { makeCard } from "./card.js";
import { readings, snap, stepFrom } from "./crosshair.js";
import { rangeOfY, tracesOf } from "./curve_traces.js";
import { listenToKeys } from "./keys.js";
import { layoutOf, MARGIN } from "./layout.js";
import { Legend } from "./legend.js";
import { drawMarks, marksAt } from "./marks.js";
import { exact, extent, short } from "./numbers.js";
import { savePicture } from "./picture.js";
import { Plot } from "./plot.js";
import { isTouched, listenToPointer } from "./pointer.js";
import { logTicks, ticks } from "./ticks.js";
import { placeTip, tipContent } from "./tip.js";

const MARK_PIXELS = 5;
const HINT_MS = 1200;
const REST_MS = 120;

/**
 * What the charts of a page have in common.
 * @typedef {{axis: import("./x_axis.js").XAxis, isLog: boolean, marks: import("./marks.js").Mark[],
 *   colors: any, run: string}} Settings
 */

/** A chart of curves over one axis. */
export class CurveChart {
  /**
   * @param {{title: string, unit?: string, hidden?: string[]}} what
   * @param {import("./linked_view.js").LinkedView} view
   * @param {Settings} settings Shared; `draw` after a change.
   * @param {{numbers: () => void, exactAt?: (x: number) => Promise<any[]>}} can What gives its numbers as a file;
   *   and the curves around some x, of which the chart itself has fewer points than there are windows.
   */
  constructor(what, view, settings, can) {
    this.title = what.title;
    this.unit = what.unit ?? "";
    this.view = view;
    this.settings = settings;
    /** @type {any[]} */
    this.curves = [];
    this.hidden = new Set(what.hidden ?? []);
    this.exactAt = can.exactAt;
    /** @type {{x: number, curves: any[]} | null} All windows around the crosshair. */
    this.near = null;
    this.resting = 0;
    /** @type {[number, number] | null} What of y it is zoomed to. */
    this.ownY = null;
    this.isLog = false;
    /** @type {[number, number]} */
    this.rangeY = [0, 1];
    this.isPointed = false;
    const expand = () => {
      this.card.element.classList.toggle("plot-large");
      this.plot.resize();
    };
    this.card = makeCard(this.title, [
      { label: "Whole", title: "Show the whole (double click)", do: () => this.reset() },
      { label: "PNG", title: "Save as PNG", do: () => this.savePicture("png") },
      { label: "SVG", title: "Save as SVG", do: () => this.savePicture("svg") },
      { label: "CSV", title: "Save the numbers as CSV", do: can.numbers },
      { label: "⤢", title: "Larger or smaller", do: expand },
    ]);
    this.element = this.card.element;
    this.legend = new Legend(this.card.legend, (key) => this.toggle(key));
    this.plot = new Plot(this.card.canvas, () => this.draw());
    this.line = h("div", { class: "plot-crosshair", hidden: true });
    this.dots = h("div", {});
    this.tip = h("div", { class: "plot-tip", hidden: true });
    this.card.overlay.append(this.line, this.dots, this.tip);
    this.listen(can);
  }

  /** @param {{numbers: () => void}} can */
  listen(can) {
    const { area } = this.card;
    listenToKeys(area, {
      move: (count) => {
        this.isPointed = true;
        this.view.point(stepFrom(this.seen, this.view.crosshair, count));
        this.keepInSight();
        this.drawCrosshair();
        setText(this.card.spoken, this.tip.textContent ?? "");
      },
      zoom: (factor) => this.zoomAround(factor, this.view.crosshair ?? this.middle),
      reset: () => this.reset(),
      picture: () => this.savePicture("png"),
      numbers: can.numbers,
      leave: () => this.leave(),
    });
    listenToPointer(area, {
      point: (pixel) => {
        this.isPointed = true;
        const x = this.xOf(pixel);
        this.view.point(snap(this.seen, x));
      },
      leave: () => this.leave(),
      zoom: (factor, pixel) => this.zoomAround(factor, this.xOf(pixel)),
      pan: (part) => this.view.pan(part),
      hint: () => this.hint(),
    });
    area.addEventListener("blur", () => this.leave());
  }

  leave() {
    this.isPointed = false;
    this.view.point(null);
    this.drawCrosshair();
  }

  hint() {
    if (this.view.range === null && this.wasHinted) return;
    this.wasHinted = true;
    const text = h("div", { class: "plot-hint" }, "Drag to zoom; or Ctrl and the wheel, or click first");
    this.card.overlay.append(text);
    setTimeout(() => text.remove(), HINT_MS);
  }

  /** Curves that are not hidden. */
  get seen() {
    return this.curves.filter((curve) => !this.hidden.has(curve.key));
  }

  get middle() {
    const [from, to] = this.view.shown;
    return (from + to) / 2;
  }

  get inner() {
    return Math.max(1, this.card.canvas.clientWidth - MARGIN.l - MARGIN.r);
  }

  /** @param {number} pixel */
  xOf(pixel) {
    const [from, to] = this.view.shown;
    return from + ((pixel - MARGIN.l) / this.inner) * (to - from);
  }

  /** @param {number} x */
  pixelOf(x) {
    const [from, to] = this.view.shown;
    return MARGIN.l + ((x - from) / (to - from)) * this.inner;
  }

  /** @param {number} factor @param {number} around */
  zoomAround(factor, around) {
    this.view.scale(factor, around, this.settings.axis.least);
  }

  reset() {
    this.ownY = null;
    if (this.view.range) this.view.zoom(null);
    else this.draw();
  }

  keepInSight() {
    const at = this.view.crosshair;
    const [from, to] = this.view.shown;
    if (at === null || (at >= from && at <= to) || !this.view.range) return;
    this.view.limit([at - (to - from) / 2, at + (to - from) / 2]);
  }

  /** @param {string} key */
  toggle(key) {
    if (!this.hidden.delete(key)) this.hidden.add(key);
    this.draw();
  }

  /**
   * Shows numbers.
   * @param {any[]} curves
   */
  show(curves) {
    this.curves = curves;
    this.near = null;
    return this.draw();
  }

  /** @param {string} text In place of curves; "" takes it away. */
  say(text) {
    setText(this.card.note, text);
  }

  /** Draws what there is, as the settings have it now. */
  async draw() {
    const { colors, isLog } = this.settings;
    if (isLog !== this.isLog) this.ownY = null;
    this.isLog = isLog;
    const drawn = this.seen;
    const hasNumbers = this.curves.some((curve) => curve.y.some((/** @type {any} */ y) => y !== null));
    this.legend.show(this.curves, this.hidden);
    this.describe();
    if (!this.element.isConnected) return;
    const range = this.view.shown;
    const rangeY = this.ownY ?? rangeOfY(drawn, range, isLog);
    this.say(this.emptiness(hasNumbers, rangeY));
    this.rangeY = rangeY ?? (isLog ? [-1, 0] : [0, 1]);
    const marks = drawMarks(this.settings.marks, colors, range, this.inner);
    const data = [...drawn.flatMap((curve) => tracesOf(curve)), ...marks.traces];
    await this.plot.show(data.length > 0 ? data : [{ type: "scatter", x: [], y: [] }], this.layout(range, marks.shapes));
    if (!this.isListening && this.plot.isDrawn) {
      this.isListening = true;
      this.plot.on("plotly_relayout", (changes) => this.wasZoomed(changes));
      this.plot.on("plotly_doubleclick", () => this.reset());
    }
    this.drawCrosshair();
  }

  /** @param {boolean} hasNumbers @param {?[number, number]} rangeY */
  emptiness(hasNumbers, rangeY) {
    if (this.curves.length === 0) return "";
    if (!hasNumbers) return "No value in any window so far.";
    if (rangeY) return "";
    return this.isLog ? "Nothing above 0 here, which a logarithmic axis needs." : "No value in this range.";
  }

  /** @param {[number, number]} range @param {any[]} shapes */
  layout(range, shapes) {
    const { axis, colors, isLog } = this.settings;
    const look = { share: { tickformat: ".0%" }, bytes: { tickformat: ".3~s", ticksuffix: "B" } }[this.unit] ?? {};
    return layoutOf(colors, {
      dragmode: isTouched() ? false : "zoom",
      xaxis: { range: [...range], ...ticks(axis.kind, range, this.inner) },
      yaxis: { type: isLog ? "log" : "linear", range: [...this.rangeY], nticks: 6, ...look,
        ...(isLog ? this.logTicks() : {}) },
      yaxis2: { overlaying: "y", range: [0, 1], visible: false, fixedrange: true },
      shapes,
    }); // prettier-ignore
  }

  logTicks() {
    const tickvals = logTicks(this.rangeY);
    return { tickvals, ticktext: tickvals.map((value) => short(value, this.unit)) };
  }

  /** @param {any} changes What Plotly says that somebody did with the mouse. */
  wasZoomed(changes) {
    const y = [changes["yaxis.range[0]"], changes["yaxis.range[1]"]];
    const x = [changes["xaxis.range[0]"], changes["xaxis.range[1]"]];
    if (y[0] !== undefined) this.ownY = /** @type {[number, number]} */ (y);
    if (x[0] !== undefined) this.view.zoom(/** @type {[number, number]} */ (x));
    else if (y[0] !== undefined) void this.draw();
  }

  /** Moves to the range of now, before more detailed numbers are there. */
  follow() {
    if (!this.plot.isDrawn) return;
    const range = this.view.shown;
    this.rangeY = this.ownY ?? rangeOfY(this.seen, range, this.isLog) ?? this.rangeY;
    const { tickvals, ticktext } = ticks(this.settings.axis.kind, range, this.inner);
    this.plot.relayout({
      "xaxis.range": [...range], "xaxis.tickvals": tickvals, "xaxis.ticktext": ticktext,
      "yaxis.range": [...this.rangeY],
      ...(this.isLog ? { "yaxis.tickvals": this.logTicks().tickvals, "yaxis.ticktext": this.logTicks().ticktext } : {}),
    }); // prettier-ignore
    this.drawCrosshair();
  }

  /** Draws the crosshair where that of the page is, and says the numbers there. */
  drawCrosshair() {
    const at = this.view.crosshair;
    const [from, to] = this.view.shown;
    const isSeen = at !== null && at >= from && at <= to && this.plot.isDrawn;
    this.line.hidden = !isSeen;
    const isNear = this.near !== null && this.near.x === at;
    const curves = isNear ? this.near.curves.filter((curve) => !this.hidden.has(curve.key)) : this.seen;
    const found = isSeen ? readings(curves, at) : [];
    if (isSeen && this.isPointed && !isNear) this.lookCloser(at, found);
    this.legend.say(new Map(isSeen ? found.map((each) => [each.curve.key, short(each.y, this.unit)]) : this.lastTexts()));
    if (!isSeen) {
      this.dots.replaceChildren();
      this.tip.hidden = true;
      return;
    }
    const left = this.pixelOf(at);
    this.line.style.left = `${left}px`;
    this.dots.replaceChildren(...found.flatMap((each) => this.dotOf(each)));
    this.tip.hidden = !this.isPointed;
    if (!this.isPointed) return;
    const { axis, marks } = this.settings;
    const near = (MARK_PIXELS * (to - from)) / this.inner;
    const rows = found.map((each) => ({
      label: each.curve.label, color: each.curve.color, y: each.y, bound: each.bound, smoothed: each.smoothed,
      place: each.x === at ? "" : `at ${axis.text(each.x)}`,
    })); // prettier-ignore
    placeTip(this.tip, tipContent(axis.text(at), rows, marksAt(marks, at, near)), left, this.card.canvas.clientWidth);
  }

  /**
   * Asks for the windows around the crosshair once it rests, if what is drawn has left some of them out.
   * @param {number} at
   * @param {import("./crosshair.js").Reading[]} found
   */
  lookCloser(at, found) {
    clearTimeout(this.resting);
    if (!this.exactAt || found.every((each) => each.x === at || each.curve.isEvaluation)) return;
    this.resting = window.setTimeout(async () => {
      const curves = await this.exactAt?.(at).catch(() => null);
      if (!curves || curves.length === 0 || this.view.crosshair !== at) return;
      this.near = { x: at, curves };
      this.drawCrosshair();
    }, REST_MS);
  }

  /** @param {import("./crosshair.js").Reading} reading */
  dotOf(reading) {
    const value = reading.smoothed ?? reading.y;
    const height = this.card.canvas.clientHeight - MARGIN.t - MARGIN.b;
    const y = this.isLog ? Math.log10(value ?? 0) : (value ?? NaN);
    const part = (y - this.rangeY[0]) / (this.rangeY[1] - this.rangeY[0]);
    if (!(part >= 0 && part <= 1)) return [];
    return [h("div", { class: "plot-dot", style: {
      left: `${this.pixelOf(reading.x)}px`, top: `${MARGIN.t + (1 - part) * height}px`, "--swatch": reading.curve.color } })];
  } // prettier-ignore

  /** @returns {[string, string][]} The last number of each curve. */
  lastTexts() {
    return this.curves.map((curve) => [curve.key, short(lastOf(curve.y), this.unit)]);
  }

  /** Says in words what is drawn, for who does not see it. */
  describe() {
    const words = this.seen.map((curve) => {
      const both = extent(curve.y);
      if (!both) return `${curve.label}: no value`;
      return `${curve.label}: last ${exact(lastOf(curve.y))}, minimum ${exact(both[0])}, maximum ${exact(both[1])}`;
    });
    setAttribute(this.card.area, "aria-label", `${this.title}. ${words.join("; ")}`);
  }

  /** @param {"svg"|"png"} format */
  async savePicture(format) {
    if (!this.plot.isDrawn) return;
    await savePicture(this.drawn, format);
  }

  /** What is drawn, for a picture. */
  get drawn() {
    const { data, layout } = this.plot.graph;
    const { clientWidth: width, clientHeight: height } = this.card.canvas;
    return { data, layout, title: this.title, run: this.settings.run, width, height };
  }

  destroy() {
    this.plot.destroy();
  }
}

/** @param {(number|null)[]} y @returns {?number} */
function lastOf(y) {
  for (let at = y.length - 1; at >= 0; at -= 1) if (y[at] !== null) return y[at];
  return null;
}
