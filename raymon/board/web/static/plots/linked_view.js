// @ts-check
/** What plots above each other have in common: the range of their axis, and a crosshair. */

/**
 * The range of x that plots show, and where their crosshair is. It tells `range`, `crosshair` and
 * `whole` when these change.
 */
export class LinkedView extends EventTarget {
  /** @param {[number, number]} whole First and last x of all there is. */
  constructor(whole) {
    super();
    this.whole = whole;
    /** @type {[number, number] | null} */
    this.range = null;
    /** @type {number | null} */
    this.crosshair = null;
  }

  /** @returns {[number, number]} What is to be seen: the whole while nobody has zoomed. */
  get shown() {
    if (this.range) return this.range;
    const [first, last] = this.whole;
    const room = (last - first) * 0.015 || Math.max(1, Math.abs(first) * 0.01);
    return [first - room, last + room];
  }

  /**
   * Follows a run that grows: what is seen grows with it only if it was the whole.
   * @param {[number, number]} whole
   */
  grow(whole) {
    if (whole[0] === this.whole[0] && whole[1] === this.whole[1]) return;
    this.whole = whole;
    if (!this.range) this.tell("whole");
  }

  /** @param {[number, number] | null} range null is the whole. */
  zoom(range) {
    if (range && !(range[1] > range[0])) return;
    if (range === this.range) return;
    this.range = range;
    this.tell("range");
  }

  /**
   * Makes what is seen smaller or larger around some x, at most the whole.
   * @param {number} factor Below 1 is nearer.
   * @param {number} around
   * @param {number} least The least width.
   */
  scale(factor, around, least) {
    const [from, to] = this.shown;
    const width = Math.max(least, (to - from) * factor);
    const part = (around - from) / (to - from);
    const begin = around - part * width;
    this.limit([begin, begin + width]);
  }

  /** @param {number} part How much of the width to move by, to the right. */
  pan(part) {
    if (!this.range) return;
    const [from, to] = this.range;
    this.limit([from + part * (to - from), to + part * (to - from)]);
  }

  /** @param {[number, number]} range */
  limit([from, to]) {
    const [first, last] = this.whole;
    const width = to - from;
    if (width >= last - first) return this.zoom(null);
    const begin = Math.min(Math.max(from, first - width * 0.02), last + width * 0.02 - width);
    return this.zoom([begin, begin + width]);
  }

  /** @param {number | null} x */
  point(x) {
    if (x === this.crosshair) return;
    this.crosshair = x;
    this.tell("crosshair");
  }

  /** @param {string} what */
  tell(what) {
    this.dispatchEvent(new Event(what));
  }
}
