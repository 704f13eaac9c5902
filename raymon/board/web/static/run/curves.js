// @ts-check
/** All curves of a run. */

import { get, runPath } from "../api.js";
import { fill, h } from "../h.js";
import { loadPlotly } from "../plots/plotly.js";
import { ChartBoard } from "../plots/chart_board.js";
import { LinkedView } from "../plots/linked_view.js";
import { MARK_GROUPS, placeMarks, withEnds } from "../plots/marks.js";
import { lineColor, lineDash } from "../plots/palette.js";
import { style } from "../plots/styles.js";
import { XAxis } from "../plots/x_axis.js";
import { themeColors } from "../theme.js";
import { chartsOf } from "./charts.js";
import { getNumbers, saveNumbers } from "./series.js";
import { paramsOf, rangeOf, stateOf } from "./curve_state.js";
import { makeToolbar } from "./toolbar.js";

const POINTS = 1000;
const PAUSE_MS = 250;
const LIVE_MS = 400;

// Plotly is large: it comes while the run is asked for.
void loadPlotly().catch(() => null);

/**
 * @param {HTMLElement} root
 * @param {{run: any, params: URLSearchParams, setParams: (changes: any) => void, signal: AbortSignal,
 *   onUpdate: (callback: (run: any) => void) => void}} context
 */
export async function show(root, { run: entry, params, setParams, signal, onUpdate }) {
  let run = entry;
  await style("plots/plots.css");
  const state = stateOf(params);
  let axis = new XAxis(state.x, startOf(run));
  const view = new LinkedView(wholeOf(run, axis));
  view.range = rangeOf(params);
  /** @type {any[]} */
  let served = [];
  /** @type {any} */
  const settings = { axis, isLog: state.isLog, marks: [], colors: themeColors(), run: run.name };

  const board = new ChartBoard({ view, settings, signal, load, saveNumbers: save, closed: state.closed,
    onClosed: (closed) => setParams({ closed: [...closed].join(",") || "none" }) }); // prettier-ignore
  board.element.dataset.size = state.size;
  const empty = h("p", { class: "empty" });
  const toolbar = makeToolbar(state, change, () => view.zoom(null));
  fill(root, toolbar.element, empty, board.element);

  /** @param {any[]} specs @param {AbortSignal} aborted @param {number} [at] */
  async function load(specs, aborted, at) {
    const range = at === undefined ? view.range : /** @type {[number, number]} */ ([at, at]);
    const names = [...new Set(specs.flatMap((spec) => spec.curves.map((/** @type {any} */ curve) => curve.key)))];
    const numbers = await getNumbers(run.id, names, { axis, range, points: POINTS, smooth: state.smooth }, aborted);
    return new Map(specs.map((spec) => [spec.key, spec.curves.flatMap((/** @type {any} */ curve) => {
      const own = numbers.get(curve.key);
      if (!own) return [];
      const smoothed = curve.isEvaluation ? null : own.smoothed;
      return [{ ...curve, ...own, smoothed, color: lineColor(settings.colors, curve.color), dash: lineDash(curve.color) }];
    })])); // prettier-ignore
  }

  /** @param {any} spec */
  function save(spec) {
    void saveNumbers(run, spec.title, spec.curves.map((/** @type {any} */ curve) => curve.key));
  }

  /** @param {Record<string, any>} changes */
  function change(changes) {
    Object.assign(state, changes);
    if ("word" in changes) board.filter(state.word);
    if ("size" in changes) board.element.dataset.size = state.size;
    if ("isLog" in changes) settings.isLog = state.isLog;
    if ("marks" in changes) placeAll();
    if ("marks" in changes || "isLog" in changes) board.redraw();
    if ("x" in changes) turn();
    if ("smooth" in changes) board.refresh(PAUSE_MS);
    keep();
  }

  function turn() {
    axis = new XAxis(state.x, startOf(run));
    settings.axis = axis;
    view.range = null;
    view.whole = wholeOf(run, axis);
    placeAll();
    sayRange();
    board.refresh();
  }

  function placeAll() {
    const kinds = new Set([...state.marks].flatMap((key) => MARK_GROUPS[/** @type {keyof typeof MARK_GROUPS} */ (key)].kinds));
    settings.marks = placeMarks(withEnds(served, run.attempts ?? []), (place) => axis.of(place), kinds);
  }

  /** @type {number | undefined} */
  let keeping;
  function keep() {
    clearTimeout(keeping);
    keeping = window.setTimeout(() => setParams(paramsOf(state, view.range)), PAUSE_MS);
  }

  function sayRange() {
    const { range } = view;
    toolbar.zoomed(range ? `${axis.text(range[0])} to ${axis.text(range[1])}` : "");
  }

  async function getMarks() {
    try {
      served = await get(runPath(run.id, "marks"), {}, signal);
    } catch {
      return; // What happened to a run is asked for again with its next change.
    }
    placeAll();
    board.redraw();
  }

  function showCharts() {
    const groups = chartsOf(run.series ?? [], run.evaluation_series ?? []);
    empty.hidden = groups.length > 0;
    fill(empty, emptyText(run));
    board.show(groups);
  }

  /** @type {number | undefined} */
  let updating;
  onUpdate((now) => {
    run = now;
    settings.run = run.name;
    updating ??= window.setTimeout(() => {
      updating = undefined;
      if (signal.aborted) return;
      view.grow(wholeOf(run, axis));
      showCharts();
      board.update();
      void getMarks();
    }, LIVE_MS);
  });
  view.addEventListener("range", () => {
    sayRange();
    keep();
  });
  sayRange();
  showCharts();
  await getMarks();
}

/** @param {any} run */
function emptyText(run) {
  if ((run.windows ?? 0) === 0) return "This run has no window yet: curves begin with its first line of progress.";
  return "This run has no numbers of windows.";
}

/** @param {any} run */
function startOf(run) {
  return run.times?.[0] ?? run.start ?? 0;
}

/** @param {any} run @param {XAxis} axis @returns {[number, number]} */
function wholeOf(run, axis) {
  const [first, last] = (axis.kind === "step" ? run.steps : run.times) ?? [0, 1];
  if (first === null || last === null || first === undefined || last === undefined) return [0, 1];
  return [axis.kind === "step" ? Math.min(0, first) : first - axis.start, last - axis.start];
}
