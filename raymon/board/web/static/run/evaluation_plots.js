// @ts-check
/** What the plots of an evaluation show, from a line of `evaluations.jsonl`. */

import { exact, short } from "../plots/numbers.js";
import { lineColor } from "../plots/palette.js";

/**
 * An evaluation to be drawn, the first as it is, others broken.
 * @typedef {{step: number, line: any, suffix: string, dash: string, at: number}} Shown
 */

/** @param {number[]} edges */
function middles(edges) {
  return edges.slice(0, -1).map((edge, at) => (edge + edges[at + 1]) / 2);
}

/** @param {number[]} values */
function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}

/**
 * Predicted against observed.
 * @param {Shown[]} shown @param {string} name Of the scores. @param {any} colors
 */
export function calibration(shown, name, colors) {
  let most = 0;
  let least = 1;
  const drawn = shown.flatMap(({ line, suffix, dash, at }) => {
    const found = line.curves?.[name]?.calibration;
    if (!found) return [];
    const { predicted, observed, weight } = found;
    most = Math.max(most, ...predicted, ...observed);
    least = Math.min(least, ...[...predicted, ...observed].filter((value) => value > 0));
    const total = sum(weight);
    const ratio = sum(predicted.map((/** @type {number} */ p, /** @type {number} */ i) => p * weight[i])) /
      sum(observed.map((/** @type {number} */ o, /** @type {number} */ i) => o * weight[i]));
    return [{
      key: `calibration${suffix}`, label: `predicted / observed${suffix}`, value: short(ratio), color: lineColor(colors, at), dash,
      kind: /** @type {const} */ ("points"), x: predicted, y: observed, weight,
      tip: (/** @type {number} */ i) => /** @type {[string, string][]} */ ([
        ["predicted", exact(predicted[i])], ["observed", exact(observed[i])], ["weight", `${short(weight[i])} (${short(weight[i] / total, "share")})`],
      ]),
    }];
  }); // prettier-ignore
  const top = (most || 1) * 1.05;
  return {
    drawn: [...drawn, diagonal(colors, top)], x: "predicted", y: "observed",
    rangeX: /** @type {[number, number]} */ ([0, top]), rangeY: /** @type {[number, number]} */ ([0, top]),
    least,
  }; // prettier-ignore
}

/**
 * How scores are spread, of each class.
 * @param {Shown[]} shown @param {string} name @param {any} colors
 */
export function scores(shown, name, colors) {
  const drawn = shown.flatMap(({ line, suffix, dash }) => {
    const found = line.curves?.[name]?.scores;
    if (!found) return [];
    const { edges } = found;
    return ["negative", "positive"].map((kind, at) => {
      const total = sum(found[kind]);
      const y = found[kind].map((/** @type {number} */ weight, /** @type {number} */ i) =>
        total > 0 && edges[i + 1] > edges[i] ? weight / total / (edges[i + 1] - edges[i]) : 0);
      return {
        key: kind + suffix, label: kind + suffix, value: short(total), color: lineColor(colors, at), dash,
        kind: /** @type {const} */ ("steps"), x: middles(edges), y, edges,
        tip: (/** @type {number} */ i) => /** @type {[string, string][]} */ ([
          ["scores", `${short(edges[i])} to ${short(edges[i + 1])}`], ["weight", short(found[kind][i])],
          ["share of its class", short(total > 0 ? found[kind][i] / total : null, "share")],
        ]),
      };
    });
  }); // prettier-ignore
  return { drawn, x: "score", y: "density in its class" };
}

/**
 * @param {Shown[]} shown @param {string} name @param {any} colors
 */
export function roc(shown, name, colors) {
  const drawn = shown.flatMap(({ line, suffix, dash, at }) => {
    const found = line.curves?.[name]?.roc;
    if (!found) return [];
    const { false_positive_rate: x, true_positive_rate: y } = found;
    return [{
      key: `roc${suffix}`, label: `AUC${suffix}`, value: withBound(line, name), color: lineColor(colors, at), dash,
      kind: /** @type {const} */ ("line"), x, y,
      tip: (/** @type {number} */ i) => /** @type {[string, string][]} */ ([
        ["false positive rate", exact(x[i])], ["true positive rate", exact(y[i])],
      ]),
    }];
  }); // prettier-ignore
  const unit = /** @type {[number, number]} */ ([0, 1]);
  return { drawn: [...drawn, diagonal(colors, 1)], x: "false positive rate", y: "true positive rate", rangeX: unit, rangeY: unit };
}

/**
 * @param {Shown[]} shown @param {string} name @param {any} colors
 */
export function precisionRecall(shown, name, colors) {
  const drawn = shown.flatMap(({ line, suffix, dash, at }) => {
    const found = line.curves?.[name]?.pr;
    if (!found) return [];
    // Before the first row nothing is recalled, and there is no precision.
    const first = found.recall.findIndex((/** @type {number} */ recall) => recall > 0);
    const [x, y] = [found.recall.slice(Math.max(0, first)), found.precision.slice(Math.max(0, first))];
    const own = Object.keys(line.metrics ?? {}).find((metric) => metric === name.replace(/^auc/, "pr_auc"));
    return [{
      key: `pr${suffix}`, label: own ? `PR-AUC${suffix}` : `precision${suffix}`, value: own ? withBound(line, own) : "",
      color: lineColor(colors, at), dash, kind: /** @type {const} */ ("line"), x, y,
      tip: (/** @type {number} */ i) => /** @type {[string, string][]} */ ([["recall", exact(x[i])], ["precision", exact(y[i])]]),
    }];
  }); // prettier-ignore
  const base = drawn.length > 0 ? [helpLine("base", colors, [0, 1], [baseOf(shown, name), baseOf(shown, name)])] : [];
  const unit = /** @type {[number, number]} */ ([0, 1]);
  return { drawn: [...drawn, ...base], x: "recall", y: "precision", rangeX: unit, rangeY: unit };
}

/** @param {Shown[]} shown @param {string} name @returns {number} Share of positives: what a guess has. */
function baseOf(shown, name) {
  const found = shown[0]?.line.curves?.[name]?.scores;
  if (!found) return 0;
  const positive = sum(found.positive);
  return positive / (positive + sum(found.negative) || 1);
}

/**
 * How a grouped metric is spread over its groups.
 * @param {Shown[]} shown @param {string} metric @param {any} colors
 */
export function groups(shown, metric, colors) {
  const drawn = shown.flatMap(({ line, suffix, dash, at }) => {
    const found = line.groups?.[metric];
    if (!found) return [];
    const { edges, groups: counts, quantiles = {} } = found;
    const spread = Object.entries(quantiles).map(([share, value]) => `${Number(share) * 100} %: ${short(/** @type {number} */ (value))}`);
    return [{
      key: `groups${suffix}`, label: `groups${suffix}`, value: short(sum(counts)), color: lineColor(colors, at), dash,
      kind: /** @type {const} */ ("steps"), x: middles(edges), y: counts, edges,
      tip: (/** @type {number} */ i) => /** @type {[string, string][]} */ ([
        [metric, `${short(edges[i])} to ${short(edges[i + 1])}`], ["groups", `${exact(counts[i])} (${short(counts[i] / (sum(counts) || 1), "share")})`],
        ...(spread.length > 0 ? [["quantiles", spread.join(", ")]] : []),
      ]),
    }];
  }); // prettier-ignore
  return { drawn, x: metric, y: "groups" };
}

/** @param {any} line @param {string} metric */
function withBound(line, metric) {
  const value = line.metrics?.[metric] ?? null;
  const bound = line.metric_bounds?.[metric] ?? null;
  if (value === null) return "–";
  return bound ? `${short(value)} ± ${Number(bound.toPrecision(2))}` : short(value);
}

/** @param {any} colors @param {number} top */
function diagonal(colors, top) {
  const along = [0, ...Array.from({ length: 60 }, (_, at) => top * 10 ** ((at - 59) / 10))];
  return helpLine("diagonal", colors, along, along);
}

/** @param {string} key @param {any} colors @param {number[]} x @param {number[]} y */
function helpLine(key, colors, x, y) {
  return { key, label: key, color: colors.muted, dash: "dot", kind: /** @type {const} */ ("line"), x, y, isHelp: true };
}
