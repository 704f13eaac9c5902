// @ts-check
/** What happened to a run, drawn over its curves. */

import { fade } from "./palette.js";

/** Kinds of marks that are switched on and off together. */
export const MARK_GROUPS = {
  restarts: { title: "Restarts", kinds: ["restart", "roll_back"] },
  checkpoints: { title: "Checkpoints", kinds: ["checkpoint", "best"] },
  evaluations: { title: "Evaluations", kinds: ["evaluation"] },
  alerts: { title: "Alerts", kinds: ["alert", "alert_over"] },
};

/** How a kind is drawn: symbol, its size, its height from 0 to 1, and which colour of the theme. */
const SYMBOLS = {
  evaluation: { symbol: "line-ns-open", size: 6, y: 0.025, color: "muted" },
  checkpoint: { symbol: "triangle-up", size: 7, y: 0.03, color: "muted" },
  best: { symbol: "star", size: 11, y: 0.045, color: "good" },
  alert: { symbol: "diamond", size: 8, y: 0.96, color: "bad" },
  alert_over: { symbol: "diamond-open", size: 7, y: 0.96, color: "good" },
};
const LINES = new Set(["restart", "roll_back"]);
const NEAR_PIXELS = 3;

/** @typedef {{kind: string, step: number, time: ?number, text: string, x: number, x_end: ?number}} Mark */

/**
 * Marks with their place on the axis; those without one are left out.
 * @param {any[]} marks Those of the server.
 * @param {(mark: any) => ?number} place Gives x of something with a `step` and a `time`.
 * @param {Set<string>} kinds Which are wanted.
 * @returns {Mark[]} By x.
 */
export function placeMarks(marks, place, kinds) {
  return marks
    .filter((mark) => kinds.has(mark.kind))
    .map((mark) => ({ ...mark, x: place(mark), x_end: endOf(mark, place) }))
    .filter((mark) => mark.x !== null && Number.isFinite(mark.x))
    .sort((one, other) => one.x - other.x);
}

/** @param {any} mark @param {(mark: any) => ?number} place @returns {?number} */
function endOf(mark, place) {
  return mark.end ? place(mark.end) : null;
}

/**
 * Marks with the step up to which a roll-back took back what was there.
 * @param {any[]} marks Those of the server.
 * @param {any[]} attempts Those of the run, by number.
 * @returns {any[]}
 */
export function withEnds(marks, attempts) {
  return marks.map((mark) => {
    if (mark.kind !== "roll_back") return mark;
    const at = attempts.findIndex((each, index) => index > 0 && each.step === mark.step && isSoon(each.time, mark.time));
    const step = attempts[at - 1]?.end_step ?? null;
    return step === null ? mark : { ...mark, end: { step, time: mark.time } };
  });
}

/** @param {?number} one @param {?number} other */
function isSoon(one, other) {
  return (one ?? null) === null || (other ?? null) === null || Math.abs(Number(one) - Number(other)) < 1;
}

/**
 * Lines and symbols of marks.
 * @param {Mark[]} marks
 * @param {any} colors Those of the theme.
 * @param {[number, number]} range What the axis shows.
 * @param {number} pixels Its width.
 * @returns {{traces: any[], shapes: any[]}} Traces are on the axis `y2`, which goes from 0 to 1.
 */
export function drawMarks(marks, colors, range, pixels) {
  const shown = marks.filter((mark) => (mark.x_end ?? mark.x) >= range[0] && mark.x <= range[1]);
  const least = ((range[1] - range[0]) / Math.max(1, pixels)) * NEAR_PIXELS;
  const traces = Object.entries(SYMBOLS).flatMap(([kind, look]) => {
    const own = apart(shown.filter((mark) => mark.kind === kind), least);
    if (own.length === 0) return [];
    const color = colors[look.color];
    return [{
      type: "scatter", mode: "markers", yaxis: "y2", cliponaxis: false, showlegend: false,
      x: own.map((mark) => mark.x), y: own.map(() => look.y),
      marker: { symbol: look.symbol, size: look.size, color, line: { width: 1, color } },
      meta: { mark: kind },
    }]; // prettier-ignore
  });
  const lines = shown.filter((mark) => LINES.has(mark.kind)).map((mark) => ({
    type: "line", layer: "below", yref: "paper", y0: 0, y1: 1, x0: mark.x, x1: mark.x,
    line: { color: colors.warning, width: 1.2, dash: "dot" },
  })); // prettier-ignore
  const bands = shown.filter((mark) => mark.kind === "roll_back" && mark.x_end !== null).map((mark) => ({
    type: "rect", layer: "below", yref: "paper", y0: 0, y1: 1, x0: mark.x, x1: mark.x_end,
    fillcolor: fade(colors.warning, 0.16), line: { width: 0 },
  })); // prettier-ignore
  return { traces, shapes: [...bands, ...lines] };
}

/** @param {Mark[]} marks @param {number} least @returns {Mark[]} Those that can be told apart. */
function apart(marks, least) {
  let last = -Infinity;
  return marks.filter((mark) => {
    if (mark.x - last < least) return false;
    last = mark.x;
    return true;
  });
}

/**
 * What marks at some place say.
 * @param {Mark[]} marks
 * @param {number} x
 * @param {number} near How far from it.
 * @returns {Mark[]} At most six.
 */
export function marksAt(marks, x, near) {
  const at = (/** @type {Mark} */ mark) =>
    Math.abs(mark.x - x) <= near || (mark.x_end !== null && mark.x <= x && x <= mark.x_end);
  return marks.filter(at).slice(0, 6);
}
