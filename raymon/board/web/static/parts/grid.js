// @ts-check
/**
 * A table that changes in place: rows are kept by their key, so that focus, selection and what is
 * being read stay where they are. Headers sort; arrow keys go along headers and rows.
 */

import { fill, h, setAttribute, setText } from "../h.js";

/**
 * @typedef {object} Column
 * @property {string} key What is sorted by.
 * @property {string} label
 * @property {string} [over] What the column belongs to, above its label.
 * @property {string} [title] What a pointer on the header shows.
 * @property {boolean} [isNumber] Numbers stand right, and their largest come first.
 * @property {boolean} [isFixed] Whether it cannot be sorted by.
 * @property {string} [className] Of its cells.
 * @property {(row: any) => string} [text] What a cell shows, unless `make` does.
 * @property {(row: any) => string | null} [tip] What a pointer on a cell shows.
 * @property {(row: any) => any} [value] What is sorted by here, for tables that sort themselves.
 * @property {() => {element: Node, update: (row: any) => void}} [make] What a cell contains.
 *
 * @typedef {{key: string, isFalling: boolean}} Sort
 */

/**
 * @param {object} options
 * @param {string} options.label What the table is, for those who do not see it.
 * @param {(row: any) => string} options.key Tells rows apart.
 * @param {(row: any) => void} [options.onOpen] Enter on a row.
 * @param {(row: any) => void} [options.onSpace] Space on a row.
 * @param {(sort: Sort) => void} [options.onSort] A header was chosen.
 * @param {(row: any) => boolean} [options.isSelected]
 * @param {(row: any) => string | null} [options.tone] A mark of whole rows.
 */
export function makeGrid({ label, key, onOpen, onSpace, onSort, isSelected, tone }) {
  const head = h("tr", { onkeydown: moveInHead });
  const body = h("tbody", { onkeydown: moveInBody, onfocusin: keepPlace });
  const element = h("div", { class: "scroll runs-scroll", role: "region", "aria-label": label, tabindex: "-1" },
    h("table", { class: "grid" }, h("caption", { class: "unseen" }, label), h("thead", {}, head),
      body));
  /** @type {Column[]} */
  let columns = [];
  /** @type {Sort | null} */
  let sort = null;
  /** @type {Map<string, {element: HTMLElement, row: any, cells: ((row: any) => void)[]}>} */
  let shown = new Map();
  /** @type {any[]} */
  let rows = [];
  let place = "";

  /** @param {Column[]} now */
  function setColumns(now) {
    const same = now.length === columns.length && now.every((column, i) =>
      column.key === columns[i].key && column.label === columns[i].label);
    columns = now;
    if (same) return;
    fill(head, columns.map(headerOf));
    shown = new Map();
    update(rows);
  }

  /** @param {Column} column @param {number} i */
  function headerOf(column, i) {
    const words = [column.over ? h("span", { class: "over" }, column.over) : null,
      column.label || h("span", { class: "unseen" }, column.title ?? "")];
    const cell = h("th", { scope: "col", class: classOf(column), title: column.title ?? null,
      dataset: { key: column.key } });
    if (column.isFixed || !onSort) {
      cell.append(h("span", { class: "head" }, words));
    } else {
      cell.append(h("button", { type: "button", class: "sort", tabindex: i === 0 ? "0" : "-1",
        onclick: () => sortBy(column), onfocus: rove }, words));
    }
    saySort(cell, column);
    return cell;
  }

  /** @param {HTMLElement} cell @param {Column} column */
  function saySort(cell, column) {
    const isIt = sort?.key === column.key;
    setAttribute(cell, "aria-sort", isIt ? (sort?.isFalling ? "descending" : "ascending") : null);
  }

  /** @param {Column} column */
  function sortBy(column) {
    const isIt = sort?.key === column.key;
    onSort?.({ key: column.key, isFalling: isIt ? !sort?.isFalling : Boolean(column.isNumber) });
  }

  /** @param {Sort | null} now */
  function setSort(now) {
    sort = now;
    [...head.children].forEach((cell, i) =>
      saySort(/** @type {HTMLElement} */ (cell), columns[i]));
    const buttons = sorters();
    if (!buttons.some((button) => button.tabIndex === 0) && buttons[0]) buttons[0].tabIndex = 0;
  }

  /** @param {any[]} now Rows from top to bottom. */
  function update(now) {
    rows = now;
    /** @type {typeof shown} */
    const kept = new Map();
    for (const row of rows) {
      const id = key(row);
      const item = shown.get(id) ?? makeRow(id);
      item.row = row;
      for (const set of item.cells) set(row);
      setAttribute(item.element, "aria-selected", isSelected ? String(isSelected(row)) : null);
      setAttribute(item.element, "data-tone", tone?.(row) ?? null);
      kept.set(id, item);
    }
    for (const [id, item] of shown) if (!kept.has(id)) item.element.remove();
    let at = body.firstElementChild;
    for (const item of kept.values()) {
      if (item.element === at) at = at.nextElementSibling;
      else body.insertBefore(item.element, at);
    }
    shown = kept;
    if (!shown.has(place)) place = rows.length ? key(rows[0]) : "";
    for (const [id, item] of shown) item.element.tabIndex = id === place ? 0 : -1;
  }

  /** @param {string} id */
  function makeRow(id) {
    /** @type {((row: any) => void)[]} */
    const cells = [];
    const tds = columns.map((column, i) => {
      const td = h(i === 0 && column.className === "name" ? "th" : "td", { class: classOf(column) });
      if (column.make) {
        const made = column.make();
        td.append(made.element);
        cells.push(made.update);
      } else {
        cells.push((row) => setText(td, column.text?.(row) ?? ""));
      }
      if (column.tip) cells.push((row) => setAttribute(td, "title", column.tip?.(row) ?? null));
      return td;
    });
    return { element: h("tr", { tabindex: "-1", dataset: { id } }, tds), row: null, cells };
  }

  /** @param {FocusEvent} event */
  function keepPlace(event) {
    const row = /** @type {Element} */ (event.target).closest("tr");
    const id = row?.dataset.id;
    if (!row || id === undefined || id === place) return;
    const before = shown.get(place);
    if (before) before.element.tabIndex = -1;
    row.tabIndex = 0;
    place = id;
  }

  /** @param {KeyboardEvent} event */
  function moveInBody(event) {
    const row = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("tr"));
    if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
    const all = /** @type {HTMLElement[]} */ ([...body.children]);
    const at = all.indexOf(row);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1,
      PageDown: at + 10, PageUp: at - 10 }[event.key];
    const item = shown.get(row.dataset.id ?? "");
    if (to !== undefined) {
      event.preventDefault();
      all[Math.max(0, Math.min(all.length - 1, to))].focus();
    } else if (event.target === row && event.key === "Enter" && onOpen) {
      event.preventDefault();
      onOpen(item?.row);
    } else if (event.target === row && event.key === " " && onSpace) {
      event.preventDefault();
      onSpace(item?.row);
    }
  }

  /** @param {KeyboardEvent} event */
  function moveInHead(event) {
    const all = sorters();
    const at = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (event.key === "ArrowDown" && body.firstElementChild) {
      event.preventDefault();
      shown.get(place)?.element.focus();
    } else if (to !== undefined && at >= 0) {
      event.preventDefault();
      all[(to + all.length) % all.length].focus();
    }
  }

  /** @param {FocusEvent} event The header that has the focus is the one that Tab comes back to. */
  function rove(event) {
    for (const button of sorters()) button.tabIndex = button === event.currentTarget ? 0 : -1;
  }

  function sorters() {
    return /** @type {HTMLElement[]} */ ([...head.querySelectorAll("button.sort")]);
  }

  return { element, setColumns, setSort, update };
}

/**
 * Rows in the order of a column; those without a value come last, whichever way it goes.
 * @param {any[]} rows
 * @param {Column[]} columns
 * @param {Sort} sort
 */
export function sorted(rows, columns, sort) {
  const column = columns.find((each) => each.key === sort.key);
  const of = column?.value ?? column?.text;
  if (!of) return rows;
  const sign = sort.isFalling ? -1 : 1;
  const isNone = (/** @type {any} */ value) =>
    value === null || value === undefined || value === "" || Number.isNaN(value);
  return rows
    .map((row) => ({ row, value: of(row) }))
    .sort((a, b) => {
      if (isNone(a.value) || isNone(b.value)) return Number(isNone(a.value)) - Number(isNone(b.value));
      if (typeof a.value === "number" && typeof b.value === "number") return sign * (a.value - b.value);
      return sign * String(a.value).localeCompare(String(b.value), "en", { numeric: true });
    })
    .map(({ row }) => row);
}

/**
 * A sort as the address has it: a key, with a `-` before it for the largest first.
 * @param {string | null} text
 * @returns {Sort | null}
 */
export function sortOf(text) {
  return text ? { key: text.replace(/^-/, ""), isFalling: text.startsWith("-") } : null;
}

/** @param {Sort | null} sort */
export function sortText(sort) {
  return sort ? `${sort.isFalling ? "-" : ""}${sort.key}` : "";
}

/** @param {Column} column */
function classOf(column) {
  return [column.isNumber ? "n" : "", column.className ?? ""].filter(Boolean).join(" ") || null;
}
