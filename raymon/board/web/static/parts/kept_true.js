// @ts-check
/** What a tab shows, got again whenever the run changed. */

import { ApiError, get, runPath } from "../api.js";
import { fill, h } from "../h.js";
import { message } from "../router.js";
import { oneAtATime } from "./one_at_a_time.js";

/**
 * Gets something of a run and shows it, now and whenever the run changed.
 * @param {string} what Such as `checkpoints`.
 * @param {() => Record<string, any>} parameters
 * @param {HTMLElement} root Where an error of the first time is said.
 * @param {{run: any, signal: AbortSignal, onUpdate: (callback: (run: any) => void) => void}} context
 * @param {(answer: any) => void} draw
 * @returns {Promise<() => Promise<void>>} Gets it again.
 */
export async function keptTrue(what, parameters, root, { run, signal, onUpdate }, draw) {
  let isDrawn = false;
  const refresh = oneAtATime(async () => {
    try {
      draw(await get(runPath(run.id, what), parameters(), signal));
      isDrawn = true;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      // What was got before stays: the page says elsewhere that the run or the board is gone.
      if (!isDrawn) fill(root, h("p", { class: "empty", role: "alert" }, message(error)));
    }
  });
  onUpdate(() => void refresh());
  await refresh();
  return refresh;
}
