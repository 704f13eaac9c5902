// @ts-check
/** What mouse, wheel and fingers do over a plot. */

const WHEEL_PER_PIXEL = 0.0015;
const TAP_PIXELS = 10;

/**
 * Listens to a pointer over a plot. The wheel zooms in a plot that has the focus, and with Ctrl (two
 * fingers on a touchpad) in any; elsewhere it scrolls the page. Two fingers on a screen zoom.
 * @param {HTMLElement} area
 * @param {{point: (pixel: number) => void, leave: () => void, zoom: (factor: number, pixel: number) => void,
 *   pan: (part: number) => void, hint: () => void}} can Pixels are from the left of the area.
 */
export function listenToPointer(area, can) {
  /** @type {Map<number, PointerEvent>} */
  const fingers = new Map();
  const pixel = (/** @type {MouseEvent} */ event) => event.clientX - area.getBoundingClientRect().left;

  area.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (before) fingers.set(event.pointerId, event);
    if (fingers.size === 2 && before) {
      pinch(before, event);
    } else if (event.pointerType === "mouse" || fingers.size === 1) {
      can.point(pixel(event));
    }
  });
  area.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "mouse") {
      area.focus({ preventScroll: true });
      return;
    }
    fingers.set(event.pointerId, event);
    can.point(pixel(event));
  });
  for (const end of ["pointerup", "pointercancel"]) {
    area.addEventListener(end, (event) => fingers.delete(/** @type {PointerEvent} */ (event).pointerId));
  }
  area.addEventListener("pointerleave", (event) => {
    if (event.pointerType === "mouse") can.leave();
  });
  area.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey && document.activeElement !== area) {
      can.hint();
      return;
    }
    event.preventDefault();
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      can.pan((event.deltaX || event.deltaY) * WHEEL_PER_PIXEL);
    } else {
      const pixels = event.deltaY * (event.deltaMode === 1 ? 16 : 1);
      can.zoom(Math.exp(Math.max(-300, Math.min(300, pixels)) * WHEEL_PER_PIXEL), pixel(event));
    }
  }, { passive: false });

  /** @param {PointerEvent} before @param {PointerEvent} now */
  function pinch(before, now) {
    const [other] = [...fingers.values()].filter((each) => each.pointerId !== now.pointerId);
    const was = Math.abs(before.clientX - other.clientX);
    const is = Math.abs(now.clientX - other.clientX);
    if (was < TAP_PIXELS || is < TAP_PIXELS) return;
    can.zoom(was / is, (pixel(now) + pixel(other)) / 2);
  }
}

/** @returns {boolean} Whether fingers are what points here. */
export function isTouched() {
  return matchMedia("(pointer: coarse)").matches;
}
