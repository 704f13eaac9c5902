// @ts-check
/** The table of ranks, stragglers first. */

import { get, runPath } from "../api.js";
import { bytes, count, duration } from "../format.js";
import { fill, h, setText } from "../h.js";
import { heatText } from "../plots/heat_map.js";
import { lineColor } from "../plots/palette.js";
import { themeColors } from "../theme.js";

const PAGE = 50;

/** What can be sorted by: its title, a number or text of a row, and its cell. */
const COLUMNS = [
  { key: "rank", title: "Rank", of: (/** @type {any} */ row) => row.rank, cell: (/** @type {any} */ row) => [count(row.rank), row.straggler ? h("span", { class: "straggler" }, "straggler") : null] },
  { key: "host", title: "Host", of: (/** @type {any} */ row) => row.host ?? "", cell: (/** @type {any} */ row) => row.host ?? "–" },
  { key: "lag", title: "Behind the others", isNumber: true, of: (/** @type {any} */ row) => row.lag_s_per_step, cell: (/** @type {any} */ row) => (row.lag_s_per_step === null ? "–" : heatText(row.lag_s_per_step, "s/step")) },
  { key: "phase", title: "Now in", of: (/** @type {any} */ row) => row.phase ?? "", cell: (/** @type {any} */ row) => (row.phase ? `${row.phase.replaceAll("_", " ")}${row.phase_s === null ? "" : ` for ${duration(row.phase_s)}`}` : row.ended ? "ended" : "–") },
  { key: "step", title: "Step", isNumber: true, of: (/** @type {any} */ row) => row.step, cell: (/** @type {any} */ row) => count(row.step) },
  { key: "heard", title: "Heard", isNumber: true, of: (/** @type {any} */ row) => row.heard_s, cell: (/** @type {any} */ row) => (row.heard_s === null ? "–" : `${duration(row.heard_s)} ago`) },
  { key: "host_bytes", title: "Host memory", isNumber: true, of: (/** @type {any} */ row) => row.host_bytes, cell: (/** @type {any} */ row) => bytes(row.host_bytes) },
  { key: "device_bytes", title: "Device memory", isNumber: true, of: (/** @type {any} */ row) => row.device_bytes, cell: (/** @type {any} */ row) => bytes(row.device_bytes) },
]; // prettier-ignore

/**
 * Makes the table.
 * @param {any} run @param {AbortSignal} signal
 * @param {(rows: any[]) => void} onRows Told what is known of ranks.
 */
export function makeRankTable(run, signal, onRows) {
  /** @type {any[]} */
  let rows = [];
  let word = "";
  let limit = PAGE;
  /** @type {{key: string, isDown: boolean} | null} */
  let order = null;
  const said = h("span", { class: "muted", role: "status" });
  const more = h("button", { type: "button", onclick: () => {
    limit += 10 * PAGE;
    draw();
  } }); // prettier-ignore
  const head = h("tr", {});
  const body = h("tbody", {});
  const element = h("div", {},
    h("div", { class: "tools" }, h("input", { type: "search", placeholder: "Search ranks and hosts", "aria-label": "Search ranks and hosts",
      oninput: (/** @type {any} */ event) => {
        word = event.target.value.trim().toLowerCase();
        limit = PAGE;
        draw();
      } }), said),
    h("div", { class: "scroll" }, h("table", { class: "grid rank-table" }, h("thead", {}, head), body)), more); // prettier-ignore

  /** @param {string} key */
  function sortBy(key) {
    if (order?.key !== key) order = { key, isDown: !["rank", "host", "phase"].includes(key) };
    else if (order.isDown === !["rank", "host", "phase"].includes(key)) order = { key, isDown: !order.isDown };
    else order = null;
    draw();
  }

  function sorted() {
    const text = (/** @type {any} */ row) => `${row.rank} ${row.host ?? ""} ${row.phase ?? ""} ${row.straggler ? "straggler" : ""}`.toLowerCase();
    const isNumber = /^\d+$/.test(word);
    const found = rows.filter((row) => !word || (isNumber && String(row.rank) === word) || text(row).includes(word));
    const column = COLUMNS.find((each) => each.key === order?.key);
    if (column) {
      const sign = order?.isDown ? -1 : 1;
      found.sort((one, other) => {
        const [a, b] = [column.of(one), column.of(other)];
        if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
        return sign * (typeof a === "string" ? a.localeCompare(b) : a - b);
      });
    }
    return found;
  }

  function draw() {
    const shown = COLUMNS.filter((column) => ["rank", "host"].includes(column.key) || rows.some((row) => (column.of(row) ?? "") !== ""));
    const arrow = (/** @type {string} */ key) => (order?.key === key ? (order.isDown ? " ↓" : " ↑") : "");
    fill(head, shown.map((column) => h("th", { class: column.isNumber ? "n" : "", scope: "col",
      "aria-sort": order?.key === column.key ? (order.isDown ? "descending" : "ascending") : "none" },
    h("button", { type: "button", class: "sort", onclick: () => sortBy(column.key) }, column.title + arrow(column.key)))),
    h("th", { scope: "col" }, "Its time")); // prettier-ignore
    const found = sorted();
    const phases = [...new Set(rows.flatMap((row) => Object.keys(row.shares)))];
    const colors = themeColors();
    fill(body, found.slice(0, limit).map((row) => h("tr", { dataset: { straggler: String(row.straggler) } },
      shown.map((column) => h("td", { class: column.isNumber ? "n" : "" }, column.cell(row))), h("td", {}, sharesBar(row.shares, phases, colors))))); // prettier-ignore
    setText(said, found.length === rows.length ? `${count(rows.length)} ranks` : `${count(found.length)} of ${count(rows.length)} ranks`);
    more.hidden = found.length <= limit;
    setText(more, `Show ${count(Math.min(10 * PAGE, found.length - limit))} more`);
  }

  return {
    element,
    draw,
    /** Brings it up to date. */
    async update() {
      rows = await get(runPath(run.id, "rank-table"), {}, signal);
      onRows(rows);
      draw();
    },
  };
}

/** @param {Record<string, number>} shares @param {string[]} phases @param {any} colors */
function sharesBar(shares, phases, colors) {
  const text = Object.entries(shares).map(([phase, share]) => `${phase.replaceAll("_", " ")} ${(share * 100).toFixed(1)} %`).join(", ");
  return h("span", { class: "shares", role: text ? "img" : null, title: text || null, "aria-label": text || null }, phases.map((phase, index) =>
    h("span", { style: { width: `${(shares[phase] ?? 0) * 100}%`, background: lineColor(colors, index) } }))); // prettier-ignore
}
