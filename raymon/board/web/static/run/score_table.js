// @ts-check
/** The scores of an evaluation, beside those of another. */

import { number } from "../format.js";
import { h } from "../h.js";
import { exact } from "../plots/numbers.js";

/**
 * A table of scores.
 * @param {any} line The evaluation.
 * @param {any} other The one that it is compared with, or null.
 * @returns {HTMLElement}
 */
export function scoreTable(line, other) {
  const names = [...new Set([line, other].flatMap((each) => [...Object.keys(each?.metrics ?? {}), ...Object.keys(each?.no_value ?? {})]))];
  const head = ["Metric", `Step ${line.step.toLocaleString("en-US")}`, other && `Step ${other.step.toLocaleString("en-US")}`, other && "Difference", ""];
  return h("div", { class: "scroll" }, h("table", { class: "grid score-table" },
    h("thead", {}, h("tr", {}, head.filter((text) => text !== null).map((text, at) => h(text ? "th" : "td", { class: at > 0 && text ? "n" : "", scope: text ? "col" : null }, text)))),
    h("tbody", {}, names.map((name) => rowOf(name, line, other))))); // prettier-ignore
}

/** @param {string} name @param {any} line @param {any} other */
function rowOf(name, line, other) {
  const [value, before] = [line, other].map((each) => each?.metrics?.[name] ?? null);
  const why = line.no_value?.[name];
  const details = Object.entries(line.metric_details?.[name] ?? {}).map(([key, detail]) => `${key.replaceAll("_", " ")}: ${number(detail)}`);
  const difference = value === null || before === null ? null : value - before;
  const sign = difference !== null && difference > 0 ? "+" : "";
  return h("tr", {}, h("td", {}, name), scoreCell(value, line.metric_bounds?.[name]),
    other ? scoreCell(before, other.metric_bounds?.[name]) : null,
    other ? h("td", { class: "n" }, difference === null ? "–" : `${sign}${number(difference, 3)}`) : null,
    h("td", { class: "muted" }, why ? `no value because ${why}` : details.join(", "))); // prettier-ignore
}

/** @param {?number} value @param {?number} bound */
function scoreCell(value, bound) {
  return h("td", { class: "n", title: exact(value) }, number(value, 6), bound ? h("span", { class: "muted" }, ` ± ${number(bound, 2)}`) : null);
}
