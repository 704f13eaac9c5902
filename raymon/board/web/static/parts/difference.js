// @ts-check
/** A difference of two numbers with its uncertainty, as text. */

import { number } from "../format.js";

const DIGITS = 2;
const MOST_DECIMALS = 8;

/**
 * A difference to two digits of its uncertainty: `+0.0021 ± 0.0008`.
 * @param {unknown} difference
 * @param {unknown} uncertainty null if it is not known.
 * @returns {string} Empty if there is no difference to be had.
 */
export function differenceText(difference, uncertainty) {
  if (typeof difference !== "number" || !Number.isFinite(difference)) return "";
  if (difference === 0 && !uncertainty) return "the same";
  const sign = difference > 0 ? "+" : difference < 0 ? "−" : "";
  const size = Math.abs(difference);
  if (typeof uncertainty !== "number" || !Number.isFinite(uncertainty) || uncertainty <= 0) {
    return `${sign}${size >= 1e-4 && size < 1 ? size.toPrecision(3) : number(size, 3)}`;
  }
  const decimals = DIGITS - 1 - Math.floor(Math.log10(uncertainty));
  if (decimals > MOST_DECIMALS || decimals < 0) {
    return `${sign}${number(size, 3)} ± ${number(uncertainty, DIGITS)}`;
  }
  return `${sign}${size.toFixed(decimals)} ± ${uncertainty.toFixed(decimals)}`;
}

/**
 * What the uncertainty says of a difference.
 * @param {unknown} clear Whether the difference is larger than it; null if that is not known.
 */
export function clearText(clear) {
  return clear === true ? "clear" : clear === false ? "within its uncertainty" : "";
}
