// @ts-check
/** The columns of the table of runs: which there are is what the runs have. */

import { ago, count, duration, moment, number, percent, rate } from "../format.js";
import { h, setAttribute, setText } from "../h.js";
import { link } from "../router.js";
import { makeProgress, makeStatus } from "./status.js";

/** @typedef {import("./grid.js").Column & {group: string, isShown: boolean}} RunColumn */

const MOST_SCORES = 3;
const MOST_FIELDS = 4;
const PLACE = /(_path|_dir)$/;

const isOn = (/** @type {any} */ run) => run.status === "running" || run.status === "starting";
const end = (/** @type {any} */ run) => run.end ?? (isOn(run) ? Date.now() / 1000 : run.updated);

/** Groups of numbers by name: what an entry calls them, what stands above them. */
const NUMBERS = [
  { key: "eval", group: "Last evaluation", over: "last evaluation" },
  { key: "best", group: "Best checkpoint", over: "best checkpoint" },
  { key: "metrics", group: "Training metrics", over: "training" },
  { key: "losses", group: "Losses", over: "training" },
];

/** What runs have, gathered so that a column stays once it was seen. */
export function makeColumnNames() {
  /** @type {Record<string, Set<string>>} */
  const names = { eval: new Set(), best: new Set(), metrics: new Set(), losses: new Set(),
    config: new Set() };
  const seen = { alerts: false, restarts: false, workers: false, errors: false };
  return {
    names,
    seen,
    /** @param {any[]} runs */
    add(runs) {
      for (const run of runs) {
        for (const [group, set] of Object.entries(names)) {
          for (const name of Object.keys(run[group] ?? {})) set.add(name);
        }
        seen.alerts ||= run.alerts > 0;
        seen.restarts ||= run.restarts > 0;
        seen.workers ||= run.workers > 1;
        seen.errors ||= Boolean(run.error);
      }
    },
  };
}

/**
 * All columns but that of the selection; `isShown` says which are shown unless it is chosen.
 * @param {ReturnType<typeof makeColumnNames>} known
 * @returns {RunColumn[]}
 */
export function columnsOf({ names, seen }) {
  const hasScores = names.eval.size > 0;
  return [
    { group: "Run", key: "name", label: "Run", className: "name", isShown: true, make: makeName,
      tip: (run) => run.path },
    { group: "Run", key: "status", label: "State", isShown: true, make: makeState },
    { group: "Run", key: "step", label: "Progress", className: "wide", isNumber: true, isShown: true,
      make: makeSteps },
    { group: "Run", key: "eta_s", label: "Left", isNumber: true, isShown: true,
      text: (run) => (isOn(run) ? duration(run.eta_s) : "") },
    { group: "Run", key: "samples_per_second", label: "Samples/s", isNumber: true, isShown: true,
      text: (run) => rate(run.samples_per_second) },
    { group: "Run", key: "start", label: "Started", isNumber: true, isShown: true,
      text: (run) => ago(run.start), tip: (run) => moment(run.start) },
    { group: "Run", key: "took", label: "Took", isNumber: true, isFixed: true, isShown: false,
      text: (run) => (Number.isFinite(run.start) ? duration(end(run) - run.start) : "–") },
    { group: "Run", key: "updated", label: "Changed", isNumber: true, isShown: false,
      text: (run) => ago(run.updated), tip: (run) => moment(run.updated) },
    { group: "Run", key: "workers", label: "Ranks", isNumber: true, isShown: seen.workers,
      text: (run) => count(run.workers) },
    { group: "Run", key: "restarts", label: "Restarts", isNumber: true, isShown: seen.restarts,
      text: (run) => count(run.restarts) },
    { group: "Run", key: "alerts", label: "Alerts", isNumber: true, isShown: seen.alerts,
      className: "alerts", text: (run) => (run.alerts ? count(run.alerts) : "") },
    { group: "Run", key: "error", label: "Error", className: "field failure", isShown: seen.errors,
      text: (run) => run.error ?? "", tip: (run) => run.error },
    ...NUMBERS.flatMap(({ key, group, over }) => [...names[key]].map((name, i) => ({
      group, over, key: `${key}.${name}`, label: name, isNumber: true,
      isShown: key === "eval" ? i < MOST_SCORES : key === "best" ? i < 1 : !hasScores && i < 2,
      title: `${name}, ${group.toLowerCase()}`,
      text: (/** @type {any} */ run) => number(run[key]?.[name]),
    }))),
    ...fieldColumns([...names.config]),
    { group: "Run", key: "verdict", label: "Verdict", className: "words", isShown: false,
      text: (run) => run.verdict ?? "" },
    { group: "Run", key: "path", label: "Directory", className: "words", isShown: false,
      text: (run) => run.path },
  ];
}

/**
 * The least of each path that tells it from the others.
 * @param {string[]} fields Paths with dots.
 * @returns {Map<string, string>}
 */
export function shortNames(fields) {
  const found = new Map();
  for (const field of fields) {
    const parts = field.split(".");
    let n = 1;
    const tail = () => parts.slice(-n).join(".");
    while (n < parts.length
      && fields.some((other) => other !== field && `.${other}`.endsWith(`.${tail()}`))) n += 1;
    found.set(field, tail());
  }
  return found;
}

/**
 * A value of a config as text.
 * @param {any} value
 */
export function fieldText(value) {
  if (value === null || value === undefined) return "–";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** @param {string[]} fields @returns {RunColumn[]} */
function fieldColumns(fields) {
  const labels = shortNames(fields);
  // What people tune comes before where things are.
  const inOrder = [...fields].sort((a, b) => Number(PLACE.test(a)) - Number(PLACE.test(b)));
  return inOrder.map((field, i) => ({
    group: "Config, where runs differ", over: "config", key: `config.${field}`,
    label: labels.get(field) ?? field, title: field, className: "field", isShown: i < MOST_FIELDS,
    text: (/** @type {any} */ run) => fieldText(run.config?.[field]),
    tip: (/** @type {any} */ run) => `${field}: ${fieldText(run.config?.[field])}`,
  }));
}

function makeName() {
  const anchor = h("a", { tabindex: "-1" });
  return {
    element: anchor,
    /** @param {any} run */
    update(run) {
      setText(anchor, String(run.name));
      setAttribute(anchor, "href", link(["run", run.id]));
    },
  };
}

function makeState() {
  const status = makeStatus();
  return {
    element: status.element,
    /** @param {any} run */
    update(run) {
      status.update(run.status);
      setAttribute(status.element, "title", run.error ?? run.verdict ?? null);
    },
  };
}

function makeSteps() {
  const bar = makeProgress();
  const text = h("span", { class: "steps" });
  return {
    element: h("span", { class: "steps-cell" }, bar.element, text),
    /** @param {any} run */
    update(run) {
      bar.update(run.step, run.total_steps);
      const isKnown = Number.isFinite(run.total_steps) && run.total_steps > 0;
      setText(text, isKnown ? percent(run.step / run.total_steps) : count(run.step));
      setAttribute(text, "title", `step ${count(run.step)} of ${count(run.total_steps)}`);
    },
  };
}
