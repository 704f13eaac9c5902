// @ts-check
/** Curves as traces of Plotly. */

import { extent } from "./numbers.js";
import { fade } from "./palette.js";
import { plain } from "./text.js";

const FEW_POINTS = 40;

/**
 * A curve to be drawn.
 * @typedef {{key: string, label: string, color: string, dash?: string, isEvaluation?: boolean,
 *   x: number[], y: (number|null)[], smoothed?: (number|null)[]|null, bound?: (number|null)[]|null}} Curve
 */

/**
 * The traces of a curve: its band, the faint line of its numbers under the smoothed one, its line,
 * and points that have a gap on both sides.
 * @param {Curve} curve
 * @returns {any[]}
 */
export function tracesOf(curve) {
  const { key, color, dash = "solid", isEvaluation = false, x, y, smoothed, bound } = curve;
  const common = { type: "scatter", x, connectgaps: false, name: plain(curve.label) };
  const meta = { curve: key };
  const isFew = isEvaluation || x.length <= FEW_POINTS;
  const marker = { size: dash === "dash" ? 3.5 : isEvaluation ? 5 : 4, color };
  const traces = bound ? bandOf(curve, common, meta) : [];
  if (smoothed) {
    traces.push({
      ...common, y, mode: "lines", showlegend: false, line: { color: fade(color, 0.28), width: 1 },
      meta: { ...meta, part: "numbers" },
    }, {
      ...common, y: smoothed, mode: "lines", line: { color, width: 1.8, dash }, meta: { ...meta, part: "smoothed" },
    }); // prettier-ignore
    return traces;
  }
  traces.push({
    ...common, y, mode: isFew ? "lines+markers" : "lines", marker, line: { color, width: 1.5, dash },
    meta: { ...meta, part: "numbers" },
  }); // prettier-ignore
  const alone = isFew ? [] : y.flatMap((_, at) => (isAlone(y, at) ? [at] : []));
  if (alone.length > 0) {
    traces.push({
      ...common, x: alone.map((at) => x[at]), y: alone.map((at) => y[at]), mode: "markers", marker,
      showlegend: false, meta: { ...meta, part: "alone" },
    }); // prettier-ignore
  }
  return traces;
}

/** @param {(number|null)[]} y @param {number} at */
function isAlone(y, at) {
  return y[at] !== null && (y[at - 1] ?? null) === null && (y[at + 1] ?? null) === null;
}

/** @param {Curve} curve @param {any} common @param {any} meta */
function bandOf({ color, y, bound }, common, meta) {
  const edge = (/** @type {number} */ sign) =>
    y.map((value, at) => {
      const by = bound?.[at] ?? null;
      return value === null || by === null ? null : value + sign * by;
    });
  const look = { mode: "lines", line: { width: 0, color }, showlegend: false };
  return [
    { ...common, ...look, y: edge(-1), meta: { ...meta, part: "lower" } },
    { ...common, ...look, y: edge(1), fill: "tonexty", fillcolor: fade(color, 0.22), meta: { ...meta, part: "upper" } },
  ];
}

/**
 * The range of y in which all that is seen of curves has room.
 * @param {Curve[]} curves
 * @param {[number, number]} range What of x is seen.
 * @param {boolean} isLog Whether the axis is logarithmic; its range is in powers of ten.
 * @returns {[number, number] | null} null if nothing is seen.
 */
export function rangeOfY(curves, range, isLog) {
  const seen = curves.flatMap((curve) => {
    const [first, end] = around(curve.x, range);
    const numbers = curve.y.slice(first, end).concat(curve.smoothed?.slice(first, end) ?? []);
    return isLog ? numbers.filter((value) => value !== null && value > 0) : numbers;
  });
  const both = extent(seen) ?? extent(curves.flatMap((curve) => passing(curve, range, isLog)));
  if (!both) return null;
  let [least, most] = both;
  const span = most - least;
  for (const { x, y, bound } of isLog ? [] : curves) {
    if (!bound) continue;
    const [first, end] = around(x, range);
    for (let at = first; at < end; at += 1) {
      const value = y[at];
      const by = bound[at];
      if (value === null || by === null || by === undefined) continue;
      least = Math.min(least, Math.max(value - by, both[0] - span));
      most = Math.max(most, Math.min(value + by, both[1] + span));
    }
  }
  if (isLog) [least, most] = [Math.log10(least), Math.log10(most)];
  const room = (most - least) * 0.06 || Math.max(Math.abs(most) * 0.05, isLog ? 0.1 : 1e-9);
  return [least - room, most + room];
}

/**
 * Where a line passes through a range in which it has no point.
 * @param {Curve} curve @param {[number, number]} range @param {boolean} isLog
 */
function passing({ x, y }, range, isLog) {
  const [first, end] = around(x, range);
  const [before, after] = [y[first - 1] ?? null, y[end] ?? null];
  if (before === null || after === null || (isLog && Math.min(before, after) <= 0)) return [];
  const at = (/** @type {number} */ place) => before + ((place - x[first - 1]) / (x[end] - x[first - 1])) * (after - before);
  return range.map(at);
}

/** @param {number[]} x @param {[number, number]} range @returns {[number, number]} First and end of the indices seen. */
function around(x, [from, to]) {
  let first = 0;
  while (first < x.length && x[first] < from) first += 1;
  let end = x.length;
  while (end > first && x[end - 1] > to) end -= 1;
  return [first, end];
}
