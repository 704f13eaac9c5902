// @ts-check
/** What runs that are compared have: their metrics with differences, and where configs differ. */

import { number } from "../format.js";
import { fill, h, setAttribute, setText } from "../h.js";
import { clearText, differenceText } from "./difference.js";
import { makeSortedGrid } from "./sorted_grid.js";
import { fieldText } from "./run_columns.js";

/** Where a number is from, by the begin of its name. */
const ORIGINS = [
  { fits: /^eval:(?:metrics|losses)\.(.+)$/, title: "last evaluation" },
  { fits: /^best:(?:metrics|losses)\.(.+)$/, title: "best checkpoint" },
  { fits: /^(?:train:)?(?:metrics|losses)\.(.+)$/, title: "training" },
  { fits: /^(?:train:)?window_metrics\.(.+)$/, title: "last window" },
];

/**
 * The table of metrics: a row for each, a column for each run.
 * @param {any} context Params and setParams of the view.
 */
export function makeMetricTable(context) {
  const grid = makeSortedGrid({ ...context, name: "metrics_sort", label: "Metrics, with the difference to the first run",
    key: (row) => row.name });
  return {
    element: grid.element,
    /** @param {any[]} metrics @param {{id: string, name: string}[]} runs */
    update(metrics, runs) {
      grid.update(metrics, [
        { key: "name", label: "Metric", className: "name", isFixed: true, make: makeMetricName },
        ...runs.map(({ id, name }, i) => ({ key: id, label: name, isNumber: true, isFixed: true,
          over: i === 0 ? "the others are compared with" : "", className: "metric",
          make: () => makeMetricCell(id, i === 0) })),
      ]);
    },
  };
}

/**
 * The table of fields in which configs differ: a row for each, a column for each run.
 * @param {any} context Params and setParams of the view.
 */
export function makeConfigTable(context) {
  const grid = makeSortedGrid({ ...context, name: "config_sort", label: "Fields of the config in which the runs differ",
    key: (row) => row.field });
  return {
    element: grid.element,
    /** @param {any[]} fields @param {{id: string, name: string}[]} runs */
    update(fields, runs) {
      const first = runs[0]?.id;
      grid.update(fields, [
        { key: "field", label: "Field", className: "path-cell", text: (row) => row.field },
        ...runs.map(({ id, name }) => ({ key: id, label: name, isFixed: true, className: "value",
          make: () => makeValue(id, first) })),
      ]);
    },
  };
}

function makeMetricName() {
  const name = h("span", {});
  const group = h("span", { class: "over" });
  return {
    element: h("span", {}, group, name),
    /** @param {any} row */
    update(row) {
      const origin = ORIGINS.find(({ fits }) => fits.test(row.name));
      setText(name, origin?.fits.exec(row.name)?.[1] ?? String(row.name));
      setText(group, origin?.title ?? "");
    },
  };
}

/** @param {string} id Of the run. @param {boolean} isFirst */
function makeMetricCell(id, isFirst) {
  const value = h("span", { class: "metric-value" });
  const difference = h("span", { class: "difference" });
  return {
    element: h("span", { class: "metric-cell" }, value, isFirst ? null : difference),
    /** @param {any} row */
    update(row) {
      const own = row.values?.[id];
      setText(value, number(own?.value, 6));
      setAttribute(value, "title", Number.isFinite(own?.bound) && own.bound > 0
        ? `within ${number(own.bound, 2)} of the exact value` : null);
      const clear = row.clear?.[id];
      const text = differenceText(row.difference?.[id], row.uncertainty?.[id]);
      const said = clearText(clear);
      setText(difference, text && said && text !== "the same" ? `${text}, ${said}` : text);
      setAttribute(difference, "data-clear", clear === true ? "" : null);
    },
  };
}

/** @param {string} id Of the run. @param {string} first Id of the first run. */
function makeValue(id, first) {
  const element = h("span", {});
  return {
    element,
    /** @param {any} row */
    update(row) {
      const own = row.values?.[id];
      setText(element, fieldText(own));
      setAttribute(element, "data-other", id !== first
        && JSON.stringify(own ?? null) !== JSON.stringify(row.values?.[first] ?? null) ? "" : null);
    },
  };
}

/**
 * A section with a heading.
 * @param {string} title
 * @param {...any} children
 */
export function section(title, ...children) {
  const element = h("section", { class: "part" });
  fill(element, h("h2", {}, title), children);
  return element;
}
