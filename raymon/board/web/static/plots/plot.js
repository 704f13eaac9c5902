// @ts-check
/** One plot of Plotly in an element of the page. */

import { loadPlotly } from "./plotly.js";
import { CONFIG } from "./layout.js";

/** A plot: made once, then updated in place. What it is zoomed to is in the layout that it is given. */
export class Plot {
  /**
   * @param {HTMLElement} element Where it is drawn; its size is that of the plot.
   * @param {() => void} [onResize] Called after it has another size.
   */
  constructor(element, onResize = () => {}) {
    this.element = element;
    /** @type {any} */
    this.graph = element;
    this.isDrawn = false;
    this.isOver = false;
    this.width = 0;
    this.onResize = onResize;
    this.observer = new ResizeObserver(() => this.resize());
  }

  /**
   * Draws, or changes what is drawn.
   * @param {any[]} data Traces.
   * @param {any} layout
   * @returns {Promise<boolean>} Whether it was drawn: not if it is gone meanwhile.
   */
  async show(data, layout) {
    const Plotly = /** @type {any} */ (window).Plotly ?? (await loadPlotly());
    if (this.isOver || !this.element.isConnected) return false;
    const size = { width: this.element.clientWidth, height: this.element.clientHeight };
    await Plotly.react(this.element, data, { ...layout, ...size }, CONFIG);
    if (!this.isDrawn) {
      this.isDrawn = true;
      this.width = size.width;
      this.observer.observe(this.element);
    }
    return true;
  }

  /**
   * Changes parts of the layout.
   * @param {Record<string, any>} changes Such as `{"xaxis.range": [0, 1]}`.
   */
  relayout(changes) {
    if (this.isDrawn && !this.isOver) void /** @type {any} */ (window).Plotly.relayout(this.element, changes);
  }

  /**
   * @param {string} event Plotly's name of it.
   * @param {(detail: any) => void} listener
   */
  on(event, listener) {
    this.graph.on(event, listener);
  }

  resize() {
    const width = this.element.clientWidth;
    const height = this.element.clientHeight;
    const now = this.graph._fullLayout;
    if (this.isOver || !width || !now || (now.width === width && now.height === height)) return;
    this.relayout({ width, height });
    this.width = width;
    this.onResize();
  }

  /** Takes it away. */
  destroy() {
    this.isOver = true;
    this.observer.disconnect();
    if (this.isDrawn) /** @type {any} */ (window).Plotly.purge(this.element);
    this.isDrawn = false;
  }
}
