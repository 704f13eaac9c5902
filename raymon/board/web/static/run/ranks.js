// @ts-check
/** The ranks of a run: who is behind, where a step's time goes, and what that means. */

import { get, runPath } from "../api.js";
import { fill, h } from "../h.js";
import { HeatMap } from "../plots/heat_map.js";
import { loadPlotly } from "../plots/plotly.js";
import { meanOf } from "../plots/rows.js";
import { style } from "../plots/styles.js";
import { message } from "../router.js";
import { onTheme } from "../theme.js";
import { makeAnatomy } from "./anatomy.js";
import { makeRankTable } from "./rank_table.js";
import { select } from "./toolbar.js";

const LIVE_MS = 1000;
const PAUSE_MS = 150;
const ORDERS = { mean: "Most first", rank: "By rank" };

void loadPlotly().catch(() => null);

/**
 * @param {HTMLElement} root
 * @param {{run: any, params: URLSearchParams, setParams: (changes: any) => void, signal: AbortSignal,
 *   onUpdate: (callback: (run: any) => void) => void}} context
 */
export async function show(root, { run: entry, params, setParams, signal, onUpdate }) {
  await Promise.all([style("plots/plots.css"), style("run/run.css")]);
  let run = entry;
  let number = params.get("number") ?? "lag";
  let order = params.get("order") === "rank" ? "rank" : "mean";
  /** @type {Map<number, string>} */
  let hosts = new Map();
  /** @type {any} */
  let served = null;
  /** @type {number | undefined} */
  let waiting;

  const verdict = h("section", { class: "verdict-part" });
  const anatomy = makeAnatomy(run, signal);
  const table = makeRankTable(run, signal, (rows) => {
    hosts = new Map(rows.map((row) => [row.rank, row.host ?? ""]));
    if (served) void drawHeat();
  });
  const heat = new HeatMap("Ranks", run.name, (range) => {
    setParams({ from: range ? Math.round(range[0]) : null, to: range ? Math.round(range[1]) : null });
    clearTimeout(waiting);
    waiting = window.setTimeout(() => void updateHeat(), PAUSE_MS);
  });
  heat.range = rangeOf(params);
  const numbers = h("span", {});
  const trouble = h("p", { class: "plot-trouble", role: "alert", hidden: true });
  const tools = h("div", { class: "tools" }, numbers, select("Order of ranks", ORDERS, order, (choice) => {
    order = choice;
    setParams({ order: choice === "mean" ? null : choice });
    heat.rows = null;
    void drawHeat();
  }), h("span", { class: "muted" }, "Drag a box to zoom; double click shows the whole.")); // prettier-ignore
  fill(root, trouble, verdict,
    h("section", { class: "part" }, h("h2", {}, "A step"), anatomy.element),
    h("section", { class: "part" }, h("h2", {}, "Ranks over time"), tools, heat.element),
    h("section", { class: "part" }, h("h2", {}, "Ranks"), table.element)); // prettier-ignore
  signal.addEventListener("abort", () => {
    clearTimeout(waiting);
    heat.destroy();
  });
  onTheme(() => {
    void heat.draw();
    table.draw();
  }, signal);

  let offered = "";
  /** @type {AbortController | null} */
  let request = null;
  async function updateHeat() {
    request?.abort();
    const own = new AbortController();
    request = own;
    const { range } = heat;
    const where = range ? { from: Math.max(0, Math.floor(range[0])), to: Math.ceil(range[1]) } : {};
    try {
      const found = await get(runPath(run.id, "ranks"), { number, columns: 200, ...where }, own.signal);
      if (signal.aborted) return;
      served = found;
    } catch (error) {
      if (own.signal.aborted || signal.aborted) return;
      if (number !== "lag") {
        number = "lag";
        return void updateHeat();
      }
      throw error;
    }
    const choices = Object.fromEntries(served.numbers.map((/** @type {string} */ name) => [name, titleOf(name)]));
    const now = Object.keys(choices).join(" ");
    if (now !== offered) {
      offered = now;
      fill(numbers, select("Number", choices, number, (choice) => {
        number = choice;
        setParams({ number: choice === "lag" ? null : choice });
        void guarded(updateHeat);
      })); // prettier-ignore
    }
    await drawHeat();
  }

  async function drawHeat() {
    const { x, end, ranks, values, unit, number: name } = served;
    const rows = ranks.map((/** @type {number} */ rank, /** @type {number} */ at) => ({
      rank, label: `rank ${rank}`, about: hosts.get(rank) || `rank ${rank}`, values: values[at],
    })); // prettier-ignore
    if (order === "mean") {
      const means = new Map(rows.map((/** @type {any} */ row) => [row.rank, meanOf(row.values)]));
      rows.sort((/** @type {any} */ a, /** @type {any} */ b) => (means.get(b.rank) ?? 0) - (means.get(a.rank) ?? 0));
    }
    const last = x[x.length - 1] ?? 0;
    const edges = x.length > 0 ? [...x, Math.max(end ?? 0, last + 1)] : [];
    if (!heat.range || !heat.whole) heat.whole = heat.range ? (run.steps ?? null) : [edges[0] ?? 0, edges[edges.length - 1] ?? 1];
    await heat.show({ edges, times: served.time, rows, unit, fromZero: unit.startsWith("s"), title: titleOf(name) });
  }

  function sayVerdict() {
    const { text = "", short = "", budget = "", findings = [] } = run.verdict ?? {};
    fill(verdict, h("h2", {}, "Verdict"), h("p", { class: "verdict-text" }, short || text || "There is no verdict yet: it needs a few windows, and of a large run all of them."),
      budget ? h("p", { class: "verdict-text muted" }, `Of a step: ${budget}`) : null,
      findings.length === 0 ? null : h("ul", { class: "findings" }, findings.map((/** @type {any} */ finding) =>
        h("li", {}, h("b", {}, String(finding.kind ?? "").replaceAll("_", " ")), " ", finding.text ?? "")))); // prettier-ignore
  }

  /** @param {() => Promise<void>} task */
  async function guarded(task) {
    try {
      await task();
      trouble.hidden = true;
    } catch (error) {
      if (signal.aborted) return;
      fill(trouble, message(error));
      trouble.hidden = false;
    }
  }

  const all = () => Promise.all([guarded(updateHeat), guarded(anatomy.update), guarded(table.update)]);
  /** @type {number | undefined} */
  let updating;
  onUpdate((now) => {
    run = now;
    updating ??= window.setTimeout(() => {
      updating = undefined;
      if (signal.aborted) return;
      sayVerdict();
      void all();
    }, LIVE_MS);
  });
  sayVerdict();
  await all();
}

/** @param {string} name */
function titleOf(name) {
  if (name === "lag") return "Behind the others";
  const words = name.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** @param {URLSearchParams} params @returns {[number, number] | null} */
function rangeOf(params) {
  const [from, to] = ["from", "to"].map((name) => Number.parseFloat(params.get(name) ?? ""));
  return to > from ? [from, to] : null;
}
