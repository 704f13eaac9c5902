// @ts-check
/** Numbers, durations, sizes and dates as text. What has no value is "–". */

/** Text of a number that has no value. */
export const NO_VALUE = "–";

/** @param {unknown} value @returns {value is number} */
function isNumber(value) {
  return typeof value === "number" && Number.isFinite(value);
}

/**
 * A number in up to five significant digits, integers with all of theirs: `0.80701`, `58,465`.
 * @param {unknown} value
 * @param {number} [digits] Significant digits.
 */
export function number(value, digits = 5) {
  if (!isNumber(value)) return NO_VALUE;
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e12)) {
    const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
    return `${mantissa.replace(/\.?0+$/, "")}e${exponent.replace("+", "")}`;
  }
  if (Number.isInteger(value) || size >= 10 ** (digits - 1)) {
    return Math.round(value).toLocaleString("en-US");
  }
  const decimals = size === 0 ? 0 : digits - 1 - Math.floor(Math.log10(size));
  return value.toLocaleString("en-US", {
    minimumFractionDigits: Math.min(decimals, digits),
    maximumFractionDigits: Math.min(decimals, digits + 4),
  });
}

/**
 * A number of whole things: `168,474`.
 * @param {unknown} value
 */
export function count(value) {
  return isNumber(value) ? Math.round(value).toLocaleString("en-US") : NO_VALUE;
}

/**
 * Samples or steps a second: `58,465`, two digits below 10.
 * @param {unknown} value
 */
export function rate(value) {
  if (!isNumber(value)) return NO_VALUE;
  return Math.abs(value) >= 10 || value === 0 ? count(value) : value.toPrecision(2);
}

/**
 * A share as a percentage: `12.3 %`.
 * @param {unknown} value From 0 to 1.
 */
export function percent(value) {
  if (!isNumber(value)) return NO_VALUE;
  const hundredths = value * 100;
  const size = Math.abs(hundredths);
  // All of something is said of nothing less.
  if (value < 1 && size >= 99.95) return "99.9 %";
  if (size > 0 && size < 0.05) return `${Number(hundredths.toPrecision(1))} %`;
  return `${hundredths.toFixed(Number.isInteger(hundredths) && (size === 0 || size >= 100) ? 0 : 1)} %`;
}

/**
 * A duration in its two largest units: `42 ms`, `9.3 s`, `4 min 05 s`, `2 h 07 min`, `3 d 04 h`.
 * @param {unknown} value Seconds.
 * @returns {string}
 */
export function duration(value) {
  if (!isNumber(value)) return NO_VALUE;
  if (value < 0) return `-${duration(-value)}`;
  if (value === 0) return "0 s";
  if (value < 1e-3) return `${(value * 1e6).toPrecision(2)} µs`;
  if (value < 0.9995) return `${Number((value * 1e3).toPrecision(3))} ms`;
  if (value < 9.95) return `${value.toFixed(1)} s`;
  const seconds = Math.round(value);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  const minutes = Math.round(value / 60);
  if (minutes < 1440) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
  const hours = Math.round(value / 3600);
  return `${Math.floor(hours / 24)} d ${two(hours % 24)} h`;
}

/**
 * A size: `512 B`, `1.5 MB`, `24.5 GB`, in powers of 1,000.
 * @param {unknown} value Bytes.
 */
export function bytes(value) {
  if (!isNumber(value)) return NO_VALUE;
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let size = Math.abs(value);
  let unit = 0;
  while (size >= 999.5 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  const text = unit === 0 || size >= 99.95 ? size.toFixed(0) : size.toFixed(1);
  return `${value < 0 ? "-" : ""}${text} ${units[unit]}`;
}

/**
 * A moment in the time of who looks: `2026-11-29 02:24:17`.
 * @param {unknown} value Seconds since 1970, UTC.
 */
export function moment(value) {
  if (!isNumber(value)) return NO_VALUE;
  const at = new Date(value * 1000);
  if (Number.isNaN(at.getTime())) return NO_VALUE;
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/**
 * How long ago something was: `just now`, `12 s ago`, `3 h ago`.
 * @param {unknown} value Seconds since 1970, UTC.
 */
export function ago(value) {
  if (!isNumber(value)) return NO_VALUE;
  const seconds = Math.max(0, Date.now() / 1000 - value);
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86400)} d ago`;
}

/** @param {number} value */
function two(value) {
  return String(value).padStart(2, "0");
}
