// @ts-check
/** What is set for a page of curves, as the address has it. */

import { MARK_GROUPS } from "../plots/marks.js";

const CLOSED = "other";
const SIZES = ["small", "medium", "large"];

/** @param {URLSearchParams} params @param {string} [closed] Groups that are closed unless it is said. */
export function stateOf(params, closed = CLOSED) {
  const smooth = Number(params.get("smooth") ?? 0);
  const marks = params.get("marks");
  const known = Object.keys(MARK_GROUPS);
  const size = params.get("size") ?? "";
  return {
    x: params.get("x") ?? "step",
    smooth: smooth > 0 && smooth < 1 ? smooth : 0,
    isLog: params.get("log") === "1",
    marks: new Set(marks === null ? known : known.filter((key) => marks.split(",").includes(key))),
    size: SIZES.includes(size) ? size : "medium",
    word: params.get("q") ?? "",
    closed: new Set((params.get("closed") ?? closed).split(",").filter(Boolean)),
  };
}

/** @param {URLSearchParams} params @returns {[number, number] | null} */
export function rangeOf(params) {
  const [from, to] = ["from", "to"].map((name) => Number.parseFloat(params.get(name) ?? ""));
  return to > from ? [from, to] : null;
}

/** @param {any} state @param {[number, number] | null} range @returns {Record<string, any>} */
export function paramsOf(state, range) {
  const all = state.marks.size === Object.keys(MARK_GROUPS).length;
  return {
    x: state.x === "step" ? null : state.x,
    smooth: state.smooth || null,
    log: state.isLog ? "1" : null,
    marks: all ? null : [...state.marks].join(",") || "none",
    size: state.size === "medium" ? null : state.size,
    q: state.word || null,
    from: range ? Number(range[0].toPrecision(12)) : null,
    to: range ? Number(range[1].toPrecision(12)) : null,
  };
}
