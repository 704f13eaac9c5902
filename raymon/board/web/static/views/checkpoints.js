// @ts-check
/** The checkpoints of a run with their scores and sizes; the best one is marked. */

import { ago, bytes, count, moment, number } from "../format.js";
import { fill, h, setText } from "../h.js";
import { keptTrue } from "../parts/kept_true.js";
import { makeSortedGrid } from "../parts/sorted_grid.js";

/**
 * @param {HTMLElement} root
 * @param {any} context
 */
export async function show(root, context) {
  const said = h("p", { class: "muted" });
  const grid = makeSortedGrid({ ...context, label: "Checkpoints", key: (row) => String(row.step),
    tone: (row) => (row.is_best ? "good" : null) });
  await keptTrue("checkpoints", () => ({}), root, context, (checkpoints) => {
    if (!checkpoints.length) {
      fill(root, h("p", { class: "empty" }, "There is no checkpoint yet: the first one comes after ",
        h("code", {}, "save_checkpoints_steps"), " steps, or at the end."));
      return;
    }
    const names = [...new Set(checkpoints.flatMap((/** @type {any} */ each) =>
      Object.keys(each.metrics ?? {})))];
    const total = checkpoints.reduce((/** @type {number} */ sum, /** @type {any} */ each) =>
      sum + (each.bytes ?? 0), 0);
    setText(said, `${count(checkpoints.length)} ${checkpoints.length === 1 ? "checkpoint" : "checkpoints"}`
      + (total ? `, ${bytes(total)} in all` : ""));
    if (!grid.element.isConnected) fill(root, said, grid.element);
    grid.update([...checkpoints].reverse(), columnsOf(names));
  });
}

/** @param {string[]} names Of metrics. @returns {import("../parts/grid.js").Column[]} */
function columnsOf(names) {
  return [
    { key: "step", label: "Step", isNumber: true, text: (row) => count(row.step),
      value: (row) => row.step },
    { key: "state", label: "State", className: "mark",
      text: (row) => (row.is_best ? "★ best" : row.is_complete ? "complete" : "not complete") },
    ...names.map((name) => ({ key: `metrics.${name}`, label: name, isNumber: true,
      text: (/** @type {any} */ row) => number(row.metrics?.[name]),
      value: (/** @type {any} */ row) => row.metrics?.[name] })),
    { key: "bytes", label: "Size", isNumber: true, text: (row) => bytes(row.bytes),
      value: (row) => row.bytes },
    { key: "time", label: "Saved", isNumber: true, text: (row) => moment(row.time),
      tip: (row) => (row.time ? ago(row.time) : null), value: (row) => row.time },
    { key: "path", label: "Directory", className: "path-cell", text: (row) => row.path ?? "" },
  ];
}
