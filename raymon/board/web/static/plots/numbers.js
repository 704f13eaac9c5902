/**
 * Numbers as a reader of plots has them; what has no value is "–".
 */

/**
 * A number to be read at a glance.
 *
 * @param {?number} value The number, or null.
 * @param {string} [unit] One of "", "bytes", "share", "seconds".
 * @returns {string} With five digits at most.
 */
export function short(value, unit = "") {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (unit === "bytes") return withPrefix(value, ["B", "kB", "MB", "GB", "TB", "PB"]);
  if (unit === "share") return `${Number((value * 100).toPrecision(4))} %`;
  const text = unit === "seconds" ? " s" : "";
  const size = Math.abs(value);
  if (size >= 1e5) return withPrefix(value, ["", "k", "M", "G", "T"]) + text;
  if (size !== 0 && size < 1e-4) return value.toExponential(3) + text;
  return Number(value.toPrecision(5)).toLocaleString("en", { maximumFractionDigits: 9 }) + text;
}

/**
 * A number with all its digits.
 *
 * @param {?number} value The number, or null.
 * @returns {string} What reads back as the same number.
 */
export function exact(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  return Number.isInteger(value) ? value.toLocaleString("en") : String(value);
}

function withPrefix(value, prefixes) {
  let rank = 0;
  let left = value;
  while (Math.abs(left) >= 1000 && rank < prefixes.length - 1) {
    left /= 1000;
    rank += 1;
  }
  return `${Number(left.toPrecision(4))}${prefixes[rank] && ` ${prefixes[rank]}`}`;
}

/**
 * The least and the most of numbers.
 *
 * @param {Iterable<?number>} values Numbers, null where there is none.
 * @returns {?[number, number]} Both; null if there is no number.
 */
export function extent(values) {
  let least = Infinity;
  let most = -Infinity;
  for (const value of values) {
    if (value === null || !Number.isFinite(value)) continue;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return least <= most ? [least, most] : null;
}

/**
 * Where in ascending numbers the nearest to one is.
 *
 * @param {number[]} sorted Numbers that ascend.
 * @param {number} value What is looked for.
 * @returns {number} Its index; -1 if there are none.
 */
export function nearest(sorted, value) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  if (low === sorted.length) return low - 1;
  return low > 0 && value - sorted[low - 1] <= sorted[low] - value ? low - 1 : low;
}
