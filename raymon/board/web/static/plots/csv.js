// @ts-check
/** Numbers of a plot as CSV (RFC 4180). */

import { download } from "./download.js";

/**
 * A table as text.
 * @param {string[]} header
 * @param {Iterable<any[]>} rows null is an empty field.
 */
export function csvText(header, rows) {
  const lines = [header, ...rows].map((row) => row.map(field).join(","));
  return `${lines.join("\r\n")}\r\n`;
}

/**
 * Gives a table to who looks.
 * @param {string[]} parts What the name of the file is of.
 * @param {string[]} header
 * @param {Iterable<any[]>} rows
 */
export function saveCsv(parts, header, rows) {
  download(csvText(header, rows), "text/csv;charset=utf-8", [...parts, "csv"]);
}

/** @param {any} value */
function field(value) {
  const text = value === null || value === undefined || Number.isNaN(value) ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
