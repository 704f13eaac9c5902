// @ts-check
/** The curves of several runs laid over each other: a chart for each number, a curve for each run. */

import { apiUrl, listed, runPath } from "../api.js";
import { h } from "../h.js";
import { ChartBoard } from "../plots/chart_board.js";
import { download } from "../plots/download.js";
import { LinkedView } from "../plots/linked_view.js";
import { lineColor, lineDash } from "../plots/palette.js";
import { loadPlotly } from "../plots/plotly.js";
import { style } from "../plots/styles.js";
import { XAxis } from "../plots/x_axis.js";
import { getNumbers } from "../run/series.js";
import { themeColors } from "../theme.js";
import { makeCurveTools } from "./compared_curve_tools.js";
import { chartsOfRuns } from "./compared_charts.js";

const POINTS = 600;
const PAUSE_MS = 250;
const CLOSED = "other";

/**
 * @param {any[]} runs Entries of the runs.
 * @param {import("../router.js").Context} context
 */
export async function makeComparedCurves(runs, { params, setParams, signal }) {
  void loadPlotly().catch(() => null);
  await style("plots/plots.css");
  let now = runs;
  const state = {
    x: params.get("x") ?? "step",
    smooth: Number(params.get("smooth")) || 0,
    isLog: params.get("log") === "1",
    word: params.get("q") ?? "",
  };
  const axisOf = (/** @type {any} */ run) => new XAxis(state.x, run.times?.[0] ?? run.start ?? 0);
  const view = new LinkedView(whole());
  const [from, to] = ["from", "to"].map((name) => Number.parseFloat(params.get(name) ?? ""));
  if (to > from) view.range = [from, to];
  /** @type {any} */
  const settings = { axis: new XAxis(state.x, 0), isLog: state.isLog, marks: [], colors: themeColors(),
    run: runs.map((run) => run.name).join(", ") };
  const board = new ChartBoard({ view, settings, signal, load, saveNumbers: (spec) => void save(spec),
    closed: new Set((params.get("closed") ?? CLOSED).split(",")), onClosed: keepClosed });
  const tools = makeCurveTools(state, change, () => view.zoom(null));
  const empty = h("p", { class: "muted", hidden: true }, "None of these runs has a window yet.");
  const element = h("div", {}, tools.element, empty, board.element);

  /** @returns {[number, number]} From the first to the last x of any of them. */
  function whole() {
    const ends = now.flatMap((run) => {
      const axis = axisOf(run);
      const [first, last] = (axis.kind === "step" ? run.steps : run.times) ?? [null, null];
      if (!Number.isFinite(first) || !Number.isFinite(last)) return [];
      return [axis.kind === "step" ? 0 : first - axis.start, last - axis.start];
    });
    return ends.length ? [Math.min(...ends), Math.max(...ends)] : [0, 1];
  }

  /** @param {any[]} specs @param {AbortSignal} aborted @param {number} [at] All windows around it. */
  async function load(specs, aborted, at) {
    const range = at === undefined ? view.range : /** @type {[number, number]} */ ([at, at]);
    const numbers = await Promise.all(now.map((run) => {
      const has = new Set([...run.series ?? [], ...(run.evaluation_series ?? []).map(
        (/** @type {string} */ name) => `eval:${name}`)]);
      const names = specs.flatMap((spec) => spec.numbers).filter((name) => has.has(name));
      return names.length ? getNumbers(run.id, names,
        { axis: axisOf(run), range, points: POINTS, smooth: state.smooth }, aborted) : new Map();
    }));
    return new Map(specs.map((spec) => [spec.key, spec.curves.flatMap((/** @type {any} */ curve) => {
      const own = numbers[curve.index]?.get(curve.number);
      if (!own) return [];
      return [{ ...curve, ...own, smoothed: curve.isEvaluation ? null : own.smoothed,
        color: lineColor(settings.colors, curve.index), dash: curve.isEvaluation ? "dash" : lineDash(curve.index) }];
    })]));
  }

  /** @param {Record<string, any>} changes */
  function change(changes) {
    Object.assign(state, changes);
    if ("word" in changes) board.filter(state.word);
    if ("isLog" in changes) {
      settings.isLog = state.isLog;
      board.redraw();
    }
    if ("x" in changes) {
      settings.axis = new XAxis(state.x, 0);
      view.range = null;
      view.whole = whole();
      sayRange();
    }
    if ("x" in changes || "smooth" in changes) board.refresh("x" in changes ? 0 : PAUSE_MS);
    keep();
  }

  /** @param {Set<string>} closed */
  function keepClosed(closed) {
    const text = [...closed].join(",") || "none";
    setParams({ closed: text === CLOSED ? null : text });
  }

  /** @type {number | undefined} */
  let keeping;
  function keep() {
    clearTimeout(keeping);
    keeping = window.setTimeout(() => setParams({
      x: state.x === "step" ? null : state.x, smooth: state.smooth || null,
      log: state.isLog ? "1" : null, q: state.word,
      from: view.range ? Number(view.range[0].toPrecision(12)) : null,
      to: view.range ? Number(view.range[1].toPrecision(12)) : null,
    }), PAUSE_MS);
  }

  function sayRange() {
    const { range } = view;
    tools.zoomed(range ? `${settings.axis.text(range[0])} to ${settings.axis.text(range[1])}` : "");
  }

  /** @param {any} spec Gives every window of every run as one file, with the run in front. */
  async function save(spec) {
    const texts = await Promise.all(now.map(async (run) => {
      const answer = await fetch(apiUrl(runPath(run.id, "series.csv"), { names: listed(spec.numbers) }), { signal });
      return answer.ok ? answer.text() : "";
    }));
    const rows = texts.flatMap((text, i) => {
      const [header, ...lines] = text.trimEnd().split(/\r?\n/);
      const name = `"${String(now[i].name).replaceAll('"', '""')}"`;
      return header ? lines.map((line) => `${name},${line}`) : [];
    });
    const header = texts.find(Boolean)?.split(/\r?\n/)[0] ?? "";
    download(`${[`run,${header}`, ...rows].join("\r\n")}\r\n`, "text/csv;charset=utf-8",
      ["comparison", spec.title, "csv"]);
  }

  /** @param {any[]} newer Entries of the same runs. */
  function update(newer) {
    now = newer;
    view.grow(whole());
    const groups = chartsOfRuns(now);
    empty.hidden = groups.length > 0;
    tools.element.hidden = groups.length === 0;
    board.show(groups);
    board.update();
  }

  view.addEventListener("range", () => {
    sayRange();
    keep();
  });
  sayRange();
  board.show(chartsOfRuns(now));
  board.filter(state.word);
  empty.hidden = chartsOfRuns(now).length > 0;
  tools.element.hidden = !empty.hidden;
  return { element, update };
}
