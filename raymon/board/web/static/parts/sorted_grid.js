// @ts-check
/** A table that has all of its rows, and sorts them itself; the sort is in the address. */

import { makeGrid, sorted, sortOf, sortText } from "./grid.js";

/**
 * @param {object} options
 * @param {string} options.label
 * @param {(row: any) => string} options.key
 * @param {URLSearchParams} options.params
 * @param {(changes: Record<string, any>) => void} options.setParams
 * @param {string} [options.name] Of the parameter that has the sort.
 * @param {(row: any) => string | null} [options.tone]
 */
export function makeSortedGrid({ label, key, params, setParams, name = "sort", tone }) {
  /** @type {any[]} */
  let rows = [];
  /** @type {import("./grid.js").Column[]} */
  let columns = [];
  const grid = makeGrid({
    label,
    key,
    tone,
    onSort: (sort) => {
      setParams({ [name]: sortText(sort) });
      show();
    },
  });

  function show() {
    const sort = sortOf(params.get(name));
    grid.setColumns(columns);
    grid.setSort(sort);
    grid.update(sort ? sorted(rows, columns, sort) : rows);
  }

  return {
    element: grid.element,
    /** @param {any[]} newRows @param {import("./grid.js").Column[]} newColumns */
    update(newRows, newColumns) {
      rows = newRows;
      columns = newColumns;
      show();
    },
  };
}
