// @ts-check
/** The alerts of a run: when each began and was over, and what it cost. */

import { count, duration, moment, rate } from "../format.js";
import { fill, h } from "../h.js";
import { keptTrue } from "../parts/kept_true.js";
import { makeSortedGrid } from "../parts/sorted_grid.js";

/**
 * @param {HTMLElement} root
 * @param {any} context
 */
export async function show(root, context) {
  const grid = makeSortedGrid({ ...context, label: "Alerts", key: (row) => row.key,
    tone: (row) => (row.isOn ? "bad" : null) });
  await keptTrue("alerts", () => ({}), root, context, (lines) => {
    const alerts = pairs(lines);
    if (!alerts.length) {
      fill(root, h("p", { class: "empty" }, "Nothing was found to be wrong with this run."));
      return;
    }
    if (!grid.element.isConnected) fill(root, grid.element);
    grid.update(alerts.reverse(), columns);
  });
}

/** @type {import("../parts/grid.js").Column[]} */
const columns = [
  { key: "isOn", label: "State", className: "mark", text: (row) => (row.isOn ? "on" : "over"),
    value: (row) => Number(row.isOn) },
  { key: "kind", label: "Kind", className: "kind", text: (row) => row.kind.replaceAll("_", " ") },
  { key: "text", label: "What is wrong", className: "words", text: (row) => row.text },
  { key: "cost", label: "Cost, samples/s", isNumber: true, title: "Samples per second that it costs the cluster",
    text: (row) => rate(row.cost), value: (row) => row.cost },
  { key: "rank", label: "Rank", isNumber: true, text: (row) => count(row.rank),
    tip: (row) => row.host, value: (row) => row.rank },
  { key: "step", label: "Since step", isNumber: true, text: (row) => count(row.step),
    value: (row) => row.step },
  { key: "endStep", label: "Until step", isNumber: true, text: (row) => count(row.endStep),
    value: (row) => row.endStep },
  { key: "time", label: "Began", isNumber: true, text: (row) => moment(row.time),
    value: (row) => row.time },
  { key: "lasted", label: "Lasted", isNumber: true, text: (row) => duration(row.lasted),
    value: (row) => row.lasted },
];

/**
 * Alerts, each with its end, in the order in which they began.
 * @param {any[]} lines Begins and ends of them.
 */
function pairs(lines) {
  const inOrder = [...lines].sort((a, b) => (a.time ?? 0) - (b.time ?? 0)
    || Number(a.is_over) - Number(b.is_over));
  /** @type {Map<string, any>} */
  const open = new Map();
  /** @type {any[]} */
  const found = [];
  for (const line of inOrder) {
    const what = JSON.stringify([line.kind, line.rank ?? null, line.subject ?? null]);
    const begun = open.get(what);
    if (line.is_over && begun) {
      Object.assign(begun, { isOn: false, endStep: line.global_step, cost: line.cost ?? begun.cost,
        text: String(line.text ?? begun.text), lasted: line.time - begun.time });
      open.delete(what);
      continue;
    }
    const alert = { key: `${what} ${line.time}`, kind: String(line.kind), text: String(line.text ?? ""),
      cost: line.cost, rank: line.rank, host: line.host ?? null, isOn: !line.is_over,
      step: line.first_step ?? line.global_step, time: line.time,
      endStep: line.is_over ? line.global_step : null, lasted: null };
    found.push(alert);
    if (alert.isOn) open.set(what, alert);
  }
  return found;
}
