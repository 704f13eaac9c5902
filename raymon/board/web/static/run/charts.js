// @ts-check
/** Which charts a run has: one a quantity, in groups. */

const MANY = 8;

/** Names that say where a window is, or are in charts of ranks. */
const NO_CURVES = /^(global_step|time|first_step|epoch|slowest_rank|phases\.|first_window_weights\.|metric_bounds\.)/;

const GROUPS = [
  { key: "losses", title: "Losses" },
  { key: "metrics", title: "Metrics" },
  { key: "scalars", title: "Logged scalars" },
  { key: "learning_rates", title: "Learning rates" },
  { key: "gradient_norms", title: "Gradient norms" },
  { key: "throughput", title: "Throughput" },
  { key: "phases", title: "Where the time goes" },
  { key: "memory", title: "Memory and devices" },
  { key: "tables", title: "Embedding tables" },
  { key: "other", title: "Other" },
];

const MEMORY = {
  host_bytes: "host",
  device_bytes: "device, most at once",
  device_allocated_bytes: "device, allocated",
  device_reserved_bytes: "device, reserved",
};
const SINGLE = {
  dense_gradient_norm: ["gradient_norms", "dense_gradient_norm", ""],
  samples_per_second: ["throughput", "samples_per_second", ""],
  seconds: ["throughput", "seconds a window", "seconds"],
  device_utilization: ["memory", "device_utilization", "share"],
};

/**
 * A curve of a chart: `key` is what the server calls it.
 * @typedef {{key: string, label: string, color: number, isEvaluation?: boolean, isEvaluationOf?: string}} CurveSpec
 */

/**
 * The charts of a run, by group; groups without any are left out.
 * @param {string[]} series Names of the numbers of windows.
 * @param {string[]} evaluations Names of the numbers of evaluations.
 * @returns {import("../plots/chart_board.js").GroupSpec[]}
 */
export function chartsOf(series, evaluations) {
  /** @type {Map<string, any[]>} */
  const charts = new Map(GROUPS.map((group) => [group.key, []]));
  const add = (/** @type {string} */ group, /** @type {any} */ chart) => charts.get(group)?.push(chart);
  const left = new Set(series.filter((name) => !NO_CURVES.test(name)));
  const scores = new Set(evaluations.filter((name) => /^(metrics|losses)\./.test(name)));
  const take = (/** @type {RegExp} */ pattern) => {
    const found = [...left].filter((name) => pattern.test(name));
    for (const name of found) left.delete(name);
    return found;
  };
  const losses = named(take(/^losses\./), "losses.");
  for (const name of first(losses, "total_loss")) {
    add("losses", together(name, `losses.${name}`, null, scoreOf(scores, name)));
  }
  const trained = named(take(/^metrics\./), "metrics.");
  const windows = new Set(named(take(/^window_metrics\./), "window_metrics."));
  const left_over = [...scores].map((name) => name.replace(/^[a-z]+\./, ""));
  for (const name of new Set([...trained, ...windows, ...left_over])) {
    const own = trained.includes(name) ? `metrics.${name}` : null;
    const last = windows.has(name) ? `window_metrics.${name}` : null;
    add("metrics", together(name, own, last, scoreOf(scores, name)));
  }
  for (const name of take(/^scalars\./)) add("scalars", single(name, name.slice(8)));
  for (const chart of several("learning rate", take(/^learning_rates\./), (name) => `group ${name.slice(15)}`)) {
    add("learning_rates", chart);
  }
  for (const name of take(/^gradient_norms\./)) add("gradient_norms", single(name, name.slice(15)));
  for (const chart of several("share of time", take(/^phase_shares\./), (name) => name.slice(13), "share")) add("phases", chart);
  addPhases(take(/^phases_(median|slowest)\./), add);
  for (const chart of several("memory", Object.keys(MEMORY).filter((name) => left.delete(name)),
    (name) => MEMORY[/** @type {keyof typeof MEMORY} */ (name)], "bytes")) add("memory", chart); // prettier-ignore
  for (const [name, [group, title, unit]] of Object.entries(SINGLE)) {
    if (left.delete(name)) add(group, single(name, title, unit));
  }
  addTables(take(/^tables\./), add);
  for (const name of left) add("other", single(name, name, /bytes$/.test(name) ? "bytes" : ""));
  return GROUPS.map((group) => ({ ...group, charts: charts.get(group.key) ?? [] })).filter((group) => group.charts.length > 0);
}

/** @param {string[]} names @param {string} prefix */
function named(names, prefix) {
  return names.map((name) => name.slice(prefix.length));
}

/** @param {string[]} names @param {string} wanted */
function first(names, wanted) {
  return [...names.filter((name) => name === wanted), ...names.filter((name) => name !== wanted)];
}

/** @param {Set<string>} scores @param {string} name @returns {?string} What is taken of the scores. */
function scoreOf(scores, name) {
  for (const kind of ["losses", "metrics"]) if (scores.delete(`${kind}.${name}`)) return `eval:${kind}.${name}`;
  return null;
}

/**
 * Training and evaluation on one axis.
 * @param {string} title
 * @param {?string} own @param {?string} last @param {?string} score
 */
function together(title, own, last, score) {
  const curves = [
    own && { key: own, label: "training", color: 0 },
    score && { key: score, label: "evaluation", color: 1, isEvaluation: true },
    last && { key: last, label: "last window", color: 2 },
  ].filter(Boolean);
  const hidden = last && (own || score) ? [last] : [];
  return { key: own ?? score ?? last, title, curves, hidden };
}

/** @param {string} name @param {string} title @param {string} [unit] */
function single(name, title, unit = "") {
  return { key: name, title, unit, curves: [{ key: name, label: title, color: 0 }] };
}

/**
 * Charts of several curves each.
 * @param {string} title @param {string[]} names @param {(name: string) => string} label @param {string} [unit]
 */
function several(title, names, label, unit = "") {
  const count = Math.ceil(names.length / MANY);
  return Array.from({ length: count }, (_, part) => {
    const own = names.slice(part * MANY, (part + 1) * MANY);
    return { key: `${title} ${part}:${own[0]}`, title: count > 1 ? `${title} (${part + 1} of ${count})` : title, unit,
      curves: own.map((name, color) => ({ key: name, label: label(name), color })) };
  }); // prettier-ignore
}

/** @param {string[]} names @param {(group: string, chart: any) => void} add */
function addPhases(names, add) {
  const phases = new Set(names.map((name) => name.slice(name.indexOf(".") + 1)));
  for (const phase of phases) {
    const curves = [["phases_median", "median rank", 0], ["phases_slowest", "slowest rank", 1]]
      .map(([kind, label, color]) => ({ key: `${kind}.${phase}`, label, color }))
      .filter((curve) => names.includes(curve.key));
    add("phases", { key: `phase ${phase}`, title: `${phase}, seconds a window`, unit: "seconds", curves });
  } // prettier-ignore
}

/** @param {string[]} names Of the figures of tables. @param {(group: string, chart: any) => void} add */
function addTables(names, add) {
  /** @type {Map<string, string[]>} */
  const figures = new Map();
  for (const name of names) {
    const figure = name.slice(name.lastIndexOf(".") + 1);
    figures.set(figure, [...(figures.get(figure) ?? []), name]);
  }
  for (const [figure, own] of figures) {
    const unit = figure.endsWith("share") ? "share" : "";
    const tableOf = (/** @type {string} */ name) => name.slice("tables.".length, name.lastIndexOf("."));
    for (const chart of several(figure, own, tableOf, unit)) add("tables", chart);
  }
}
