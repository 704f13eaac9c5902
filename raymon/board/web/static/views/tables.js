// @ts-check
/** The embedding tables of a run: where they are, what they take, and how well they are. */

import { bytes, count, number, percent } from "../format.js";
import { fill, h, setText } from "../h.js";
import { keptTrue } from "../parts/kept_true.js";
import { makeSortedGrid } from "../parts/sorted_grid.js";

/** What is a share of something, from 0 to 1, by the last word of its name. */
const SHARE = /(^|_)(share|shares|rate|fraction|occupancy)$/;

/**
 * @param {HTMLElement} root
 * @param {any} context
 */
export async function show(root, context) {
  const { params, setParams } = context;
  const search = /** @type {HTMLInputElement} */ (h("input", { type: "search",
    value: params.get("q") ?? "", placeholder: "Search tables", "aria-label": "Search tables",
    oninput: () => {
      setParams({ q: search.value });
      draw();
    } }));
  const said = h("span", { class: "muted", role: "status" });
  const grid = makeSortedGrid({ ...context, label: "Embedding tables", key: (row) => row.name });
  /** @type {any[]} */
  let tables = [];

  function draw() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const rows = tables.filter((table) =>
      words.every((word) => String(table.name).toLowerCase().includes(word)));
    const total = rows.reduce((sum, table) => sum + (table.bytes ?? 0), 0);
    setText(said, `${count(rows.length)} ${rows.length === 1 ? "table" : "tables"}`
      + (total ? `, ${bytes(total)} on a rank that holds them all` : ""));
    grid.update(rows, columnsOf(tables));
  }

  await keptTrue("tables", () => ({}), root, context, (answer) => {
    tables = answer;
    if (!tables.length) {
      fill(root, h("p", { class: "empty" }, "The model of this run has no embedding table, ",
        "or has not been built yet."));
      return;
    }
    if (!grid.element.isConnected) fill(root, h("div", { class: "tools" }, search, said), grid.element);
    draw();
  });
}

/** @param {any[]} tables @returns {import("../parts/grid.js").Column[]} */
function columnsOf(tables) {
  const has = (/** @type {string} */ name) => tables.some((t) => t[name] !== null && t[name] !== undefined);
  const figures = [...new Set(tables.flatMap((table) => Object.keys(table.health ?? {})))]
    .filter((name) => name !== "rows");
  const text = (/** @type {string} */ key, /** @type {string} */ label) => ({ key, label,
    text: (/** @type {any} */ row) => String(row[key] ?? "–") });
  return [
    { key: "name", label: "Table", className: "path-cell", text: (row) => String(row.name) },
    { key: "rows", label: "Rows", isNumber: true, text: (row) => count(row.rows), value: (row) => row.rows },
    { key: "dimension", label: "Dimension", isNumber: true, text: (row) => count(row.dimension),
      value: (row) => row.dimension },
    { key: "bytes", label: "Size on a rank", isNumber: true, text: (row) => bytes(row.bytes),
      value: (row) => row.bytes },
    ...(has("data_type") ? [text("data_type", "Type")] : []),
    ...(has("sharding") ? [text("sharding", "Sharding")] : []),
    ...(has("kernel") ? [text("kernel", "Kernel")] : []),
    ...(has("ranks") ? [{ key: "ranks", label: "Ranks", isNumber: true,
      text: (/** @type {any} */ row) => ranksText(row.ranks),
      value: (/** @type {any} */ row) => (Array.isArray(row.ranks) ? row.ranks.length : row.ranks) }] : []),
    ...figures.map((name) => ({ key: `health.${name}`, over: "health", isNumber: true,
      label: name.replaceAll("_", " "),
      text: (/** @type {any} */ row) => (SHARE.test(name) ? percent : number)(row.health?.[name]),
      value: (/** @type {any} */ row) => row.health?.[name] })),
  ];
}

/** @param {any} ranks Numbers of ranks, or how many they are. */
function ranksText(ranks) {
  return count(Array.isArray(ranks) ? ranks.length : ranks);
}
