// @ts-check
/** What keys do in a plot. */

const MANY = 10;
const NEARER = 0.7;

/**
 * Listens to keys of a plot that has the focus: arrows move the crosshair by a window, with Shift by
 * ten, + and - zoom, 0 shows the whole, s is a picture, c the numbers, Escape lets go.
 * @param {HTMLElement} area
 * @param {{move: (count: number) => void, zoom: (factor: number) => void, reset: () => void,
 *   picture: () => void, numbers: () => void, leave: () => void}} can
 */
export function listenToKeys(area, can) {
  area.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target !== area) return;
    const by = event.shiftKey ? MANY : 1;
    const does = {
      ArrowLeft: () => can.move(-by),
      ArrowRight: () => can.move(by),
      "+": () => can.zoom(NEARER),
      "=": () => can.zoom(NEARER),
      "-": () => can.zoom(1 / NEARER),
      0: can.reset,
      s: can.picture,
      c: can.numbers,
      Escape: can.leave,
    }[event.key];
    if (!does) return;
    event.preventDefault();
    event.stopPropagation();
    does();
  });
}
