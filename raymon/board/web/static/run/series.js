// @ts-check
/** Numbers of curves from the server. */

import { apiUrl, get, listed, runPath } from "../api.js";
import { download } from "../plots/download.js";

const NAMES_AT_ONCE = 40;

/**
 * What the server has of a curve in some range.
 * @typedef {{x: number[], y: (number|null)[], step: number[], time: (number|null)[],
 *   smoothed: (number|null)[]|null, bound: (number|null)[]|null}} Numbers
 */

/**
 * Asks for numbers by name.
 * @param {string} id Of the run.
 * @param {string[]} names
 * @param {{axis: import("../plots/x_axis.js").XAxis, range: [number, number]|null, points: number, smooth: number}} how
 *   The range is as the axis has it; a little more on both sides is asked for.
 * @param {AbortSignal} signal
 * @returns {Promise<Map<string, Numbers>>} x is as the axis has it.
 */
export async function getNumbers(id, names, { axis, range, points, smooth }, signal) {
  const parts = [];
  for (let at = 0; at < names.length; at += NAMES_AT_ONCE) parts.push(names.slice(at, at + NAMES_AT_ONCE));
  const room = range ? (range[1] - range[0]) * 0.1 : 0;
  const where = range ? { from: axis.toServer(range[0] - room), to: axis.toServer(range[1] + room) } : {};
  const answers = await Promise.all(parts.map((own) =>
    get(runPath(id, "series"), { names: listed(own), x: axis.served, points, smooth: smooth || null, ...where }, signal)));
  const found = new Map();
  for (const { series, bounds = {} } of answers) {
    for (const [name, numbers] of Object.entries(series)) {
      found.set(name, {
        ...numbers, x: axis.fromServer(numbers.x),
        smoothed: numbers.smoothed ?? null, bound: numbers.bound ?? bounds[name] ?? null,
      }); // prettier-ignore
    }
  }
  return found;
}

/**
 * Gives all numbers of curves, of every window, as a file.
 * @param {{id: string, name: string}} run
 * @param {string} title
 * @param {string[]} names
 */
export async function saveNumbers(run, title, names) {
  const answer = await fetch(apiUrl(runPath(run.id, "series.csv"), { names: listed(names) }));
  if (!answer.ok) throw new Error("The board does not give the numbers.");
  download(await answer.blob(), "text/csv;charset=utf-8", [run.name, title, "csv"]);
}
