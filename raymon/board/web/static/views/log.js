// @ts-check
/** The log of a run: of one process, by level, with a search; it follows what comes. */

import { get, runPath } from "../api.js";
import { count, moment } from "../format.js";
import { fill, h, setText } from "../h.js";
import { keptTrue } from "../parts/kept_true.js";

const LEVELS = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"];
const AMOUNTS = [500, 2000, 10000];
const NEAR_END = 24;

/**
 * @param {HTMLElement} root
 * @param {any} context
 */
export async function show(root, context) {
  const { run, params, setParams, signal } = context;
  const { files } = await get(runPath(run.id, "logs"), {}, signal);
  const names = files.map((/** @type {any} */ file) => String(file?.name ?? file));
  if (!names.length) {
    fill(root, h("p", { class: "empty" }, "There is no log yet: a run writes ",
      h("code", {}, "logs/driver.log"), " as soon as it begins."));
    return;
  }
  const change = (/** @type {Record<string, any>} */ changes) => {
    setParams(changes);
    void refresh();
  };
  const file = select("Log of", names, params.get("file") ?? names[0], (value) =>
    change({ file: value === names[0] ? null : value }));
  const level = select("Level", ["all", ...LEVELS.slice(1).map((each) => `${each} and above`)],
    params.get("level") ? `${params.get("level")} and above` : "all",
    (value) => {
      setParams({ level: value === "all" ? null : value.split(" ")[0] });
      draw();
    });
  const amount = select("Lines", AMOUNTS.map((each) => `last ${count(each)}`),
    `last ${count(Number(params.get("lines") ?? AMOUNTS[0]))}`, (value) =>
      change({ lines: value.replace(/\D/g, "") }));
  const search = /** @type {HTMLInputElement} */ (h("input", { type: "search",
    value: params.get("q") ?? "", placeholder: "Search these lines", "aria-label": "Search these lines",
    oninput: () => {
      setParams({ q: search.value });
      draw();
    } }));
  const follow = /** @type {HTMLInputElement} */ (h("input", { type: "checkbox",
    checked: params.get("follow") !== "0", onchange: () => {
      setParams({ follow: follow.checked ? null : "0" });
      toEnd();
    } }));
  const said = h("span", { class: "muted", role: "status" });
  const list = h("div", { class: "code log", role: "log", "aria-live": "off", tabindex: "0",
    "aria-label": "Lines of the log", onscroll: leaveEnd });
  /** @type {any[]} */
  let lines = [];
  let shown = "";
  /** @type {string[]} What tells the lines apart that are drawn. */
  let drawn = [];

  fill(root, h("div", { class: "tools" }, search, file, level, amount,
    h("label", {}, follow, "Follow"), said), list);
  const refresh = await keptTrue("log",
    () => ({ file: params.get("file") ?? names[0], lines: params.get("lines") ?? AMOUNTS[0] }),
    list, context, (answer) => {
      lines = answer.lines;
      draw();
    });

  function draw() {
    const least = LEVELS.indexOf(params.get("level") ?? "DEBUG");
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = lines.filter((line) => LEVELS.indexOf(line.level ?? "INFO") >= least
      && words.every((word) => String(line.text).toLowerCase().includes(word)));
    setText(said, wanted.length === lines.length ? `${count(lines.length)} lines`
      : `${count(wanted.length)} of ${count(lines.length)} lines`);
    const keys = wanted.map((line) => `${line.time} ${line.level} ${line.text}`);
    const all = JSON.stringify(keys);
    if (all === shown) return;
    shown = all;
    drawLines(wanted, keys);
    toEnd();
  }

  /** @param {any[]} wanted @param {string[]} keys Lines that are there already stay as they are. */
  function drawLines(wanted, keys) {
    const first = drawn.length ? keys.indexOf(drawn[drawn.length - 1]) : -1;
    const isMore = first >= 0 && drawn.length >= first + 1
      && keys.slice(0, first + 1).every((each, i) => each === drawn[drawn.length - first - 1 + i]);
    if (isMore) {
      for (let extra = drawn.length - first - 1; extra > 0; extra -= 1) list.firstElementChild?.remove();
      list.append(...wanted.slice(first + 1).map(lineOf));
    } else {
      fill(list, wanted.length ? wanted.map(lineOf)
        : h("p", { class: "empty" }, lines.length ? "No line matches." : "The log is empty."));
    }
    drawn = keys;
  }

  function toEnd() {
    if (follow.checked) list.scrollTop = list.scrollHeight;
  }

  function leaveEnd() {
    const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_END;
    if (follow.checked && !isAtEnd && list.matches(":hover, :focus")) {
      follow.checked = false;
      setParams({ follow: "0" });
    }
  }
}

/** @param {any} line */
function lineOf(line) {
  const time = typeof line.time === "string" ? Date.parse(line.time) / 1000 : line.time;
  const level = line.level ? String(line.level) : null;
  return h("div", { class: "log-line", dataset: { level: level ?? "" } },
    h("span", { class: "log-time" }, Number.isFinite(time) ? moment(time).slice(5) : ""),
    h("span", { class: "log-level" }, level === "INFO" ? "" : level),
    h("span", { class: "log-text" }, String(line.text ?? "")));
}

/**
 * @param {string} label
 * @param {string[]} options
 * @param {string} value
 * @param {(value: string) => void} onChoice
 */
function select(label, options, value, onChoice) {
  const element = /** @type {HTMLSelectElement} */ (h("select", { "aria-label": label,
    onchange: () => onChoice(element.value) }, options.map((each) => h("option", {}, each))));
  if (options.includes(value)) element.value = value;
  return element;
}
