// @ts-check
/** Work that is asked for again while it goes on. */

/**
 * A function that does the work, and once more at its end if it was asked for meanwhile: of many
 * wishes at once the last is seen to, and two answers never cross.
 * @param {() => Promise<void>} work It deals with its own errors.
 * @returns {() => Promise<void>}
 */
export function oneAtATime(work) {
  let isRunning = false;
  let again = false;
  return async () => {
    again = true;
    if (isRunning) return;
    isRunning = true;
    try {
      while (again) {
        again = false;
        await work();
      }
    } finally {
      isRunning = false;
    }
  };
}
