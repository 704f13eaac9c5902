// @ts-check
/** The numbers of curves at one place. */

import { nearest } from "./numbers.js";

/**
 * A number of a curve.
 * @typedef {{curve: any, x: number, y: number|null, at: number, smoothed: number|null, bound: number|null}} Reading
 */

/**
 * The place nearest to some x at which one of the curves has a number.
 * @param {any[]} curves
 * @param {number} x
 * @returns {?number} null if they have no number.
 */
export function snap(curves, x) {
  let best = null;
  for (const curve of curves) {
    const at = nearestNumber(curve, x);
    if (at >= 0 && (best === null || Math.abs(curve.x[at] - x) < Math.abs(best - x))) best = curve.x[at];
  }
  return best;
}

/**
 * What each curve has nearest to some x: a number that was measured, never one in between.
 * @param {any[]} curves
 * @param {number} x
 * @returns {Reading[]} Those of curves without a number are left out.
 */
export function readings(curves, x) {
  return curves.flatMap((curve) => {
    const at = nearestNumber(curve, x);
    if (at < 0) return [];
    return [{
      curve, at, x: curve.x[at], y: curve.y[at],
      smoothed: curve.smoothed?.[at] ?? null, bound: curve.bound?.[at] ?? null,
    }]; // prettier-ignore
  });
}

/**
 * The place some windows before or after another.
 * @param {any[]} curves
 * @param {?number} x null is the end.
 * @param {number} count How many windows to go, below 0 to the left.
 * @returns {?number}
 */
export function stepFrom(curves, x, count) {
  const places = [...new Set(curves.flatMap((curve) => curve.x.filter((_, at) => curve.y[at] !== null)))];
  places.sort((one, other) => one - other);
  if (places.length === 0) return null;
  if (x === null) return places[count < 0 ? places.length - 1 : 0];
  const at = nearest(places, x) + count;
  return places[Math.max(0, Math.min(places.length - 1, at))];
}

/** @param {any} curve @param {number} x */
function nearestNumber(curve, x) {
  const at = nearest(curve.x, x);
  if (at < 0 || curve.y[at] !== null) return at;
  for (let by = 1; by < curve.x.length; by += 1) {
    const before = at - by >= 0 && curve.y[at - by] !== null;
    const after = at + by < curve.x.length && curve.y[at + by] !== null;
    if (before && after) return x - curve.x[at - by] <= curve.x[at + by] - x ? at - by : at + by;
    if (before) return at - by;
    if (after) return at + by;
  }
  return -1;
}
