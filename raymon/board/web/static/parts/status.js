// @ts-check
/** The state of a run as a word with a colour, and its progress as a bar. */

import { count, percent } from "../format.js";
import { h, setAttribute, setText } from "../h.js";

/** Which colour the word of a state has; others are muted. */
const TONES = {
  starting: "accent",
  running: "accent",
  done: "good",
  stopped: "warning",
  interrupted: "warning",
  killed: "bad",
  diverged: "bad",
  failed: "bad",
};

/** What runs are filtered by: words, and the states that they mean. */
export const STATES = {
  "going on": ["starting", "running"],
  done: ["done"],
  stopped: ["stopped", "interrupted"],
  failed: ["failed", "killed", "diverged"],
};

/** A state that changes in place. */
export function makeStatus() {
  const element = h("span", { class: "status" });
  return {
    element,
    /** @param {unknown} status */
    update(status) {
      const name = String(status ?? "unknown");
      const tone = Object.hasOwn(TONES, name) ? TONES[/** @type {"done"} */ (name)] : "muted";
      setText(element, name);
      setAttribute(element, "data-tone", tone);
    },
  };
}

/** A bar of progress that changes in place. */
export function makeProgress() {
  const done = h("span", { class: "progress-done" });
  const element = h("span", { class: "progress", role: "progressbar", "aria-valuemin": "0",
    "aria-valuemax": "100", "aria-label": "Progress" }, done);
  return {
    element,
    /** @param {any} step @param {any} total */
    update(step, total) {
      const isKnown = Number.isFinite(step) && Number.isFinite(total) && total > 0;
      const share = isKnown ? Math.min(1, Math.max(0, step / total)) : 0;
      done.style.width = `${share * 100}%`;
      setAttribute(element, "aria-valuenow", isKnown ? String(Math.round(share * 100)) : null);
      setAttribute(element, "aria-valuetext",
        isKnown ? `${percent(share)}: step ${count(step)} of ${count(total)}` : "not known");
      setAttribute(element, "data-unknown", isKnown ? null : "");
    },
  };
}
