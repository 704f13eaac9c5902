// @ts-check
/** The evaluations of a run: their scores, and the curves behind them. */

import { get, runPath } from "../api.js";
import { moment } from "../format.js";
import { fill, h, setText } from "../h.js";
import { loadPlotly } from "../plots/plotly.js";
import { style } from "../plots/styles.js";
import { XYChart } from "../plots/xy_chart.js";
import { message } from "../router.js";
import { onTheme, themeColors } from "../theme.js";
import { calibration, groups, precisionRecall, roc, scores } from "./evaluation_plots.js";
import { scoreTable } from "./score_table.js";
import { select } from "./toolbar.js";

const LIVE_MS = 500;
const NOT_KEPT = "Of this evaluation only the scores were kept.";

void loadPlotly().catch(() => null);

/**
 * @param {HTMLElement} root
 * @param {{run: any, params: URLSearchParams, setParams: (changes: any) => void, signal: AbortSignal,
 *   onUpdate: (callback: (run: any) => void) => void}} context
 */
export async function show(root, { run, params, setParams, signal, onUpdate }) {
  await Promise.all([style("plots/plots.css"), style("run/run.css")]);
  /** @type {any[]} */
  let list = [];
  /** @type {number | null} null is the newest. */
  let step = stepOf(params, "step");
  let other = stepOf(params, "with");
  let name = params.get("of") ?? "";
  /** @type {Map<number, any>} */
  const lines = new Map();

  const empty = h("p", { class: "empty", hidden: true });
  const trouble = h("p", { class: "plot-trouble", role: "alert", hidden: true });
  const slider = h("input", { type: "range", min: 0, max: 0, step: 1, "aria-label": "Evaluation",
    oninput: (/** @type {any} */ event) => choose(list[Number(event.target.value)]?.step ?? null) }); // prettier-ignore
  const said = h("output", { class: "evaluation-said" });
  const choices = h("span", { class: "tools" });
  const table = h("div", {});
  const charts = {
    calibration: new XYChart("Calibration", run.name, signal),
    scores: new XYChart("Scores by class", run.name, signal),
    roc: new XYChart("ROC", run.name, signal),
    pr: new XYChart("Precision and recall", run.name, signal),
  };
  const grid = h("div", { class: "evaluation-grid" });
  /** @type {Map<string, XYChart>} */
  const groupCharts = new Map();
  const content = h("div", {}, h("div", { class: "tools evaluation-tools" }, slider, said, choices), table,
    h("section", { class: "part" }, grid)); // prettier-ignore
  fill(root, trouble, empty, content);

  /** @param {number | null} wanted */
  function choose(wanted) {
    step = wanted === list[list.length - 1]?.step ? null : wanted;
    setParams({ step });
    void guarded(draw);
  }

  /** @param {number} wanted */
  async function lineOf(wanted) {
    const known = lines.get(wanted);
    if (known) return known;
    const entry = list.find((each) => each.step === wanted);
    const found = entry.curves?.length || entry.groups?.length ? await get(runPath(run.id, "evaluation"), { step: wanted }, signal) : {};
    const line = { ...entry, curves: found.curves ?? {}, groups: found.groups ?? {} };
    lines.set(wanted, line);
    return line;
  }

  async function update() {
    const found = await get(runPath(run.id, "evaluations"), {}, signal);
    for (const entry of found) {
      const before = list.find((each) => each.step === entry.step);
      if (before && before.time !== entry.time) lines.delete(entry.step);
    }
    list = found;
    await draw();
  }

  let drawing = 0;
  let offered = "";
  async function draw() {
    drawing += 1;
    const own = drawing;
    empty.hidden = list.length > 0;
    content.hidden = list.length === 0;
    if (list.length === 0) {
      setText(empty, "No checkpoint of this run has been evaluated yet.");
      return;
    }
    const at = list.findIndex((each) => each.step === step);
    const entry = list[at < 0 ? list.length - 1 : at];
    const with_ = list.find((each) => each.step === other && each !== entry) ?? null;
    saySteps(entry, with_);
    const [line, second] = await Promise.all([lineOf(entry.step), with_ && lineOf(with_.step)]);
    if (own !== drawing || signal.aborted) return;
    fill(table, scoreTable(line, second));
    drawCurves(line, second);
  }

  /** @param {any} entry @param {any} with_ */
  function saySteps(entry, with_) {
    Object.assign(slider, { max: String(list.length - 1) });
    /** @type {any} */ (slider).value = String(list.indexOf(entry));
    slider.hidden = list.length < 2;
    const text = `Step ${entry.step.toLocaleString("en-US")}${entry.time === null ? "" : ` · ${moment(entry.time)}`}`;
    slider.setAttribute("aria-valuetext", text);
    setText(said, `${text} · ${list.indexOf(entry) + 1} of ${list.length}`);
    const steps = (/** @type {any[]} */ entries) => entries.map((each) => [` ${each.step}`, `step ${each.step.toLocaleString("en-US")}`]);
    const names = entry.curves ?? [];
    if (!names.includes(name)) name = names[0] ?? "";
    const now = JSON.stringify([list.map((each) => each.step), entry.step, with_?.step, names, name]);
    if (now === offered) return;
    offered = now;
    const focused = choices.contains(document.activeElement) && document.activeElement?.getAttribute("aria-label");
    fill(choices,
      list.length < 2 ? null : select("Evaluation", Object.fromEntries(steps(list)), ` ${entry.step}`, (choice) => choose(Number(choice))),
      list.length < 2 ? null : h("label", {}, "compared with", select("Compared with",
        Object.fromEntries([["", "none"], ...steps(list.filter((each) => each !== entry))]), with_ ? ` ${with_.step}` : "", (choice) => {
          other = choice === "" ? null : Number(choice);
          setParams({ with: other });
          void guarded(draw);
        })),
      names.length < 2 ? null : h("label", {}, "scores of", select("Scores of", Object.fromEntries(names.map((/** @type {string} */ each) => [each, each])), name, (choice) => {
        name = choice;
        setParams({ of: choice });
        void guarded(draw);
      }))); // prettier-ignore
    if (focused) /** @type {?HTMLElement} */ (choices.querySelector(`[aria-label="${focused}"]`))?.focus();
  }

  /** @param {any} line @param {any} second */
  function drawCurves(line, second) {
    const colors = themeColors();
    const shown = [{ step: line.step, line, suffix: "", dash: "solid", at: 0 }];
    if (second) shown.push({ step: second.step, line: second, suffix: `, step ${second.step.toLocaleString("en-US")}`, dash: "dash", at: 1 });
    const hasCurves = shown.some((each) => Object.hasOwn(each.line.curves, name));
    const metrics = [...new Set(shown.flatMap((each) => Object.keys(each.line.groups)))];
    for (const metric of metrics) if (!groupCharts.has(metric)) groupCharts.set(metric, new XYChart(`${metric} by group`, run.name, signal));
    const wanted = [...(hasCurves ? Object.values(charts) : []), ...metrics.map((metric) => /** @type {XYChart} */ (groupCharts.get(metric)))];
    if (wanted.length !== grid.children.length || wanted.some((chart, at) => grid.children[at] !== chart.element)) {
      fill(grid, wanted.map((chart) => chart.element));
    }
    if (hasCurves) {
      void charts.calibration.show(calibration(shown, name, colors));
      void charts.scores.show(scores(shown, name, colors));
      void charts.roc.show(roc(shown, name, colors));
      void charts.pr.show(precisionRecall(shown, name, colors));
    }
    for (const metric of metrics) void groupCharts.get(metric)?.show(groups(shown, metric, colors));
    setText(trouble, hasCurves || metrics.length > 0 ? "" : NOT_KEPT);
    trouble.hidden = hasCurves || metrics.length > 0;
  }

  /** @param {() => Promise<void>} task */
  async function guarded(task) {
    try {
      trouble.hidden = true;
      await task();
    } catch (error) {
      if (signal.aborted) return;
      setText(trouble, message(error));
      trouble.hidden = false;
    }
  }

  onTheme(() => void guarded(draw), signal);
  /** @type {number | undefined} */
  let updating;
  onUpdate((now) => {
    run = now;
    updating ??= window.setTimeout(() => {
      updating = undefined;
      if (!signal.aborted) void guarded(update);
    }, LIVE_MS);
  });
  await guarded(update);
}

/** @param {URLSearchParams} params @param {string} name @returns {number | null} */
function stepOf(params, name) {
  const value = Number.parseInt(params.get(name) ?? "", 10);
  return Number.isFinite(value) ? value : null;
}
