// @ts-check
/** A page of charts in groups, of which only those in sight are made and asked for. */

import { fill, h, setText } from "../h.js";
import { message } from "../router.js";
import { onTheme, themeColors } from "../theme.js";
import { CurveChart } from "./curve_chart.js";

const AHEAD = "320px";
const ZOOM_PAUSE_MS = 160;
const BUSY_MS = 24;
const RETRY_MS = 2000;
/** Charts that are asked for apart from the others, so that they are there early. */
const FIRST = 4;

/**
 * A chart of a page.
 * @typedef {{key: string, title: string, unit?: string, curves: any[], hidden?: string[]}} ChartSpec
 * @typedef {{key: string, title: string, charts: ChartSpec[]}} GroupSpec
 * @typedef {{spec: ChartSpec, group: string, place: HTMLElement, chart: CurveChart|null, isSeen: boolean,
 *   stamp: number}} Entry
 */

/** Charts in groups that open and close, linked with each other. */
export class ChartBoard {
  /**
   * @param {{view: import("./linked_view.js").LinkedView, settings: any, signal: AbortSignal,
   *   load: (specs: ChartSpec[], signal: AbortSignal, at?: number) => Promise<Map<string, any[]>>,
   *   saveNumbers: (spec: ChartSpec) => void, closed?: Set<string>, onClosed?: (closed: Set<string>) => void}} how
   *   `load` gives the curves of charts, in the range of the view, or all windows around `at`.
   */
  constructor(how) {
    this.how = how;
    this.element = h("div", { class: "chart-board" });
    this.trouble = h("p", { class: "plot-trouble", role: "alert", hidden: true });
    this.nothing = h("p", { class: "empty", hidden: true }, "No chart has that in its name.");
    /** @type {Map<string, Entry>} */
    this.entries = new Map();
    /** @type {Map<string, {element: HTMLElement, grid: HTMLElement, count: HTMLElement}>} */
    this.groups = new Map();
    /** @type {Map<string, number>} How many charts of each group are shown. */
    this.counts = new Map();
    this.closed = how.closed ?? new Set();
    this.stamp = 1;
    this.word = "";
    this.timer = 0;
    this.frame = 0;
    /** @type {AbortController | null} What is asked for now. */
    this.request = null;
    this.isBehind = false;
    this.asking = 0;
    this.columns = new ResizeObserver(() => this.arrange());
    this.columns.observe(this.element);
    this.observer = new IntersectionObserver((found) => this.wereSeen(found), { rootMargin: AHEAD });
    how.view.addEventListener("range", () => this.wasZoomed());
    how.view.addEventListener("crosshair", () => this.pointSoon());
    onTheme(() => {
      how.settings.colors = themeColors();
      this.redraw();
      this.refresh();
    }, how.signal);
    how.signal.addEventListener("abort", () => this.destroy());
  }

  /**
   * Shows charts; those that are there already stay.
   * @param {GroupSpec[]} groups
   */
  show(groups) {
    const wanted = new Set(groups.flatMap((group) => group.charts.map((spec) => spec.key)));
    for (const [key, entry] of this.entries) if (!wanted.has(key)) this.drop(key, entry);
    const elements = groups.filter((group) => group.charts.length > 0).map((group) => {
      const parts = this.groups.get(group.key) ?? this.makeGroup(group);
      const places = group.charts.map((spec) => this.entryOf(spec, group.key).place);
      if (places.some((place, at) => parts.grid.children[at] !== place)) parts.grid.replaceChildren(...places);
      return parts.element;
    });
    fill(this.element, this.trouble, this.nothing, elements);
    this.filter(this.word);
  }

  /** @param {GroupSpec} group */
  makeGroup(group) {
    const grid = h("div", { class: "chart-grid" });
    const count = h("span", { class: "muted" });
    const element = h("details", { class: "chart-group", open: !this.closed.has(group.key), dataset: { group: group.key },
      ontoggle: () => {
        if (/** @type {HTMLDetailsElement} */ (element).open) this.closed.delete(group.key);
        else this.closed.add(group.key);
        this.how.onClosed?.(this.closed);
      } }, h("summary", {}, h("h2", {}, group.title), " ", count), grid);
    const parts = { element, grid, count };
    this.groups.set(group.key, parts);
    return parts;
  } // prettier-ignore

  /** @param {ChartSpec} spec @param {string} group @returns {Entry} */
  entryOf(spec, group) {
    const known = this.entries.get(spec.key);
    if (known) {
      if (known.spec.curves.length !== spec.curves.length) known.stamp = 0;
      known.spec = spec;
      return known;
    }
    const place = h("div", { class: "chart-place", dataset: { chart: spec.key } });
    /** @type {Entry} */
    const entry = { spec, group, place, chart: null, isSeen: false, stamp: 0 };
    this.entries.set(spec.key, entry);
    this.observer.observe(place);
    return entry;
  }

  /** @param {string} key @param {Entry} entry */
  drop(key, entry) {
    entry.chart?.destroy();
    entry.place.remove();
    this.observer.unobserve(entry.place);
    this.entries.delete(key);
  }

  /** @param {IntersectionObserverEntry[]} found */
  wereSeen(found) {
    for (const { target, isIntersecting } of found) {
      const entry = this.entries.get(/** @type {HTMLElement} */ (target).dataset.chart ?? "");
      if (!entry) continue;
      entry.isSeen = isIntersecting;
      if (isIntersecting && !entry.chart) this.make(entry);
    }
    this.loadSoon(0);
  }

  /** @param {Entry} entry */
  make(entry) {
    const { view, settings, saveNumbers, load, signal } = this.how;
    entry.chart = new CurveChart(entry.spec, view, settings, {
      numbers: () => saveNumbers(entry.spec),
      exactAt: async (x) => (await load([entry.spec], signal, x)).get(entry.spec.key) ?? [],
    });
    entry.place.append(entry.chart.element);
  }

  /** Asks again for all that is in sight, and for the rest when it is. */
  refresh(pause = 0) {
    this.stamp += 1;
    this.loadSoon(pause);
  }

  /** Asks again as the run has more; what is asked for already comes first, however long it takes. */
  update() {
    if (this.request) this.isBehind = true;
    else this.refresh();
  }

  /** Draws again what is there, as the settings have it now. */
  redraw() {
    for (const entry of this.entries.values()) {
      if (!entry.chart) continue;
      if (entry.isSeen) void entry.chart.draw();
      else entry.stamp = 0;
    }
  }

  wasZoomed() {
    for (const entry of this.seen) entry.chart?.follow();
    this.refresh(ZOOM_PAUSE_MS);
  }

  pointSoon() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      for (const entry of this.seen) entry.chart?.drawCrosshair();
    });
  }

  get seen() {
    return [...this.entries.values()].filter((entry) => entry.isSeen && entry.chart);
  }

  /** @param {number} pause */
  loadSoon(pause) {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.loadNow(), pause);
  }

  async loadNow() {
    const stamp = this.stamp;
    const missing = this.seen.filter((entry) => entry.stamp !== stamp);
    if (missing.length === 0 || (this.request && this.asking === stamp)) return;
    this.request?.abort();
    this.asking = stamp;
    let pause = 0;
    const request = new AbortController();
    this.request = request;
    const parts = [missing.slice(0, FIRST), missing.slice(FIRST)].filter((part) => part.length > 0);
    const asked = parts.map((part) => this.how.load(part.map((entry) => entry.spec), request.signal));
    for (const each of asked) each.catch(() => null);
    try {
      for (const [at, part] of parts.entries()) {
        const found = await asked[at];
        if (request.signal.aborted) return;
        await this.draw(part, found, stamp, request.signal);
      }
      this.trouble.hidden = true;
    } catch (error) {
      if (request.signal.aborted || this.how.signal.aborted) return;
      setText(this.trouble, `The curves are as they were: ${message(error)}`);
      this.trouble.hidden = false;
      pause = RETRY_MS;
    } finally {
      if (this.request === request) this.request = null;
    }
    if (this.isBehind) {
      this.isBehind = false;
      this.refresh();
    } else if (this.seen.some((entry) => entry.stamp !== this.stamp)) this.loadSoon(pause);
  }

  /**
   * Draws charts one after another, so that the first ones are there early.
   * @param {Entry[]} entries
   * @param {Map<string, any[]>} found
   * @param {number} stamp
   * @param {AbortSignal} signal
   */
  async draw(entries, found, stamp, signal) {
    let since = performance.now();
    for (const entry of entries) {
      if (signal.aborted) return;
      entry.stamp = stamp;
      await entry.chart?.show(found.get(entry.spec.key) ?? []);
      performance.mark(`drawn ${entry.spec.key}`);
      if (performance.now() - since > BUSY_MS) {
        await new Promise((resolve) => setTimeout(resolve));
        since = performance.now();
      }
    }
  }

  /** @param {string} word Charts without it in their name, or in that of a curve, are not shown. */
  filter(word) {
    this.word = word;
    const parts = word.toLowerCase().split(/\s+/).filter(Boolean);
    /** @type {Map<string, number>} */
    const counts = new Map();
    for (const { spec, group, place } of this.entries.values()) {
      const text = [spec.title, group, ...spec.curves.flatMap((curve) => [curve.key, curve.label])].join(" ").toLowerCase();
      place.hidden = !parts.every((part) => text.includes(part));
      if (!place.hidden) counts.set(group, (counts.get(group) ?? 0) + 1);
    }
    for (const [key, { element, count }] of this.groups) {
      element.hidden = !counts.has(key);
      setText(count, String(counts.get(key) ?? 0));
    }
    this.counts = counts;
    this.arrange();
    this.nothing.hidden = counts.size > 0 || this.entries.size === 0;
  }

  /** Lets small groups stand beside each other: each is as wide as its charts. */
  arrange() {
    const look = getComputedStyle(this.element);
    const [width, gap] = [Number.parseFloat(look.getPropertyValue("--chart")), Number.parseFloat(look.columnGap) || 0];
    const columns = Math.max(1, Math.floor((this.element.clientWidth + gap) / (width + gap)) || 1);
    this.element.style.setProperty("--columns", String(columns));
    for (const [key, { element }] of this.groups) {
      element.style.setProperty("--span", String(Math.max(1, Math.min(columns, this.counts.get(key) ?? 1))));
    }
  }

  destroy() {
    this.observer.disconnect();
    this.columns.disconnect();
    this.request?.abort();
    clearTimeout(this.timer);
    for (const entry of this.entries.values()) entry.chart?.destroy();
  }
}
