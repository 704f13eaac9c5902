// @ts-check
/** What the axis under curves counts: steps, time since the start, or the time of day. */

import { moment } from "../format.js";
import { elapsedText } from "./ticks.js";

/** @typedef {"step"|"elapsed"|"time"} XKind */

export const X_KINDS = { step: "Steps", elapsed: "Time since start", time: "Time of day" };

/**
 * An axis of a run.
 */
export class XAxis {
  /**
   * @param {string} kind
   * @param {number} start When the run began, in seconds since 1970.
   */
  constructor(kind, start) {
    /** @type {XKind} */
    this.kind = Object.hasOwn(X_KINDS, kind) ? /** @type {XKind} */ (kind) : "step";
    this.start = this.kind === "elapsed" ? start : 0;
  }

  /** What the server calls it. */
  get served() {
    return this.kind === "step" ? "step" : "time";
  }

  /** @param {{step: number, time: ?number}} place @returns {?number} */
  of({ step, time }) {
    if (this.kind === "step") return step;
    return time === null || time === undefined ? null : time - this.start;
  }

  /** @param {number[]} x As the server has it. @returns {number[]} */
  fromServer(x) {
    return this.start ? x.map((value) => value - this.start) : x;
  }

  /** @param {number} x @returns {number} As the server has it. */
  toServer(x) {
    return x + this.start;
  }

  /** @param {number} x */
  text(x) {
    if (this.kind === "step") return `step ${Math.round(x).toLocaleString("en-US")}`;
    return this.kind === "elapsed" ? elapsedText(x) : moment(x);
  }

  /** The least width of what is shown. */
  get least() {
    return this.kind === "step" ? 4 : 0.5;
  }
}
