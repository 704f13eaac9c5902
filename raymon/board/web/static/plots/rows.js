// @ts-check
/** Rows of a heat map: more of them than a screen has lines, without hiding a peak. */

import { extent } from "./numbers.js";

/**
 * Rows that are drawn as one: `most[c]` is the largest of their numbers in column c, `of[c]` the row
 * that has it.
 * @typedef {{first: number, end: number, most: (number|null)[], of: number[]}} RowGroup
 */

/**
 * Puts rows together, neighbours with each other, until there are few enough.
 * @param {(number|null)[][]} rows
 * @param {number} first First row that is seen.
 * @param {number} end
 * @param {number} limit How many there may be.
 * @returns {RowGroup[]}
 */
export function groupRows(rows, first, end, limit) {
  const size = Math.max(1, Math.ceil((end - first) / Math.max(1, limit)));
  const groups = [];
  for (let begin = first; begin < end; begin += size) {
    const stop = Math.min(end, begin + size);
    const most = [...(rows[begin] ?? [])];
    const of = most.map(() => begin);
    for (let row = begin + 1; row < stop; row += 1) {
      rows[row].forEach((value, column) => {
        const before = most[column];
        if (value === null || (before !== null && before >= value)) return;
        most[column] = value;
        of[column] = row;
      });
    }
    groups.push({ first: begin, end: stop, most, of });
  }
  return groups;
}

/**
 * The numbers between which colours change. A few that are far above the others do not take all
 * colours: they have the last one.
 * @param {(number|null)[][]} rows
 * @param {boolean} fromZero Whether the least colour is that of 0.
 * @returns {[number, number]}
 */
export function colorRange(rows, fromZero) {
  const values = rows.flat().filter((value) => value !== null);
  const both = extent(values);
  if (!both) return [0, 1];
  const sorted = Float64Array.from(/** @type {number[]} */ (values)).sort();
  const usual = sorted[Math.floor((sorted.length - 1) * 0.99)];
  const least = fromZero ? 0 : both[0];
  const most = usual > least ? Math.min(both[1], least + (usual - least) * 25) : both[1];
  return most > least ? [least, most] : [least, least + (Math.abs(least) * 0.1 || 1)];
}

/**
 * The mean of a row, of the numbers it has.
 * @param {(number|null)[]} row
 * @returns {number} Minus infinity if it has none.
 */
export function meanOf(row) {
  const known = row.filter((value) => value !== null);
  if (known.length === 0) return -Infinity;
  return known.reduce((sum, value) => sum + value, 0) / known.length;
}
