// @ts-check
/** All runs: a table that is searched, filtered and sorted, from which runs are compared. */

import { get } from "../api.js";
import { onChange } from "../events.js";
import { count } from "../format.js";
import { fill, h, setAttribute, setText } from "../h.js";
import { makeColumnMenu } from "../parts/column_menu.js";
import { makeGrid, sortOf, sortText } from "../parts/grid.js";
import { columnsOf, makeColumnNames } from "../parts/run_columns.js";
import { oneAtATime } from "../parts/one_at_a_time.js";
import { STATES } from "../parts/status.js";
import { go, keepAddress, link, message, setTitle } from "../router.js";

const PAGE = 100;
const MOST_COMPARED = 20;
const UPDATE_MS = 250;
const CLOCK_MS = 15_000;
const TYPING_MS = 150;

/** Runs that are chosen to be compared, by id, in the order of choice; kept while others are seen. */
const chosen = new Map();
const known = makeColumnNames();

/**
 * @param {HTMLElement} root
 * @param {import("../router.js").Context} context
 */
export async function show(root, { params, setParams, signal }) {
  setTitle("Runs");
  const search = /** @type {HTMLInputElement} */ (h("input", { type: "search",
    placeholder: "Search names and states ( / )", "aria-label": "Search runs: every word has to be there",
    oninput: () => later(() => change({ q: search.value.trim(), page: null })) }));
  const states = h("div", { class: "chips", role: "group", "aria-label": "States" });
  const compare = h("button", { type: "button", class: "primary", onclick: compareChosen });
  const clear = h("button", { type: "button", class: "quiet", onclick: clearChosen }, "Choose none");
  const said = h("span", { class: "muted", role: "status", "aria-live": "polite" });
  const menu = makeColumnMenu(choose, () => change({ show: null, hide: null }));
  const grid = makeGrid({
    label: "Runs",
    key: (run) => run.id,
    onOpen: (run) => go(["run", run.id]),
    onSpace: toggle,
    onSort: (sort) => change({ sort: sortText(sort), page: null }),
    isSelected: (run) => chosen.has(run.id),
  });
  const empty = h("div", { class: "empty" });
  const notes = h("ul", { class: "notes" });
  const pager = makePager((page) => change({ page: page > 1 ? page : null }, true));
  /** @type {any[]} */
  let runs = [];
  let timer = 0;

  /** @param {() => void} what Once typing has come to rest. */
  function later(what) {
    clearTimeout(timer);
    timer = window.setTimeout(what, TYPING_MS);
  }

  /** @param {Record<string, any>} changes @param {boolean} [toTop] */
  function change(changes, toTop = false) {
    setParams(changes);
    keepAddress([], params);
    showColumns();
    showStates();
    refresh();
    if (toTop) grid.element.scrollTop = 0;
  }

  const listed = (/** @type {string} */ name) =>
    new Set((params.get(name) ?? "").split(",").filter(Boolean).map(decodeURIComponent));

  function showColumns() {
    const hidden = listed("hide");
    const extra = listed("show");
    const all = columnsOf(known);
    const isShown = (/** @type {string} */ key) => {
      const column = all.find((each) => each.key === key);
      return key === "name" || extra.has(key) || (Boolean(column?.isShown) && !hidden.has(key));
    };
    grid.setColumns([boxColumn, ...all.filter((column) => isShown(column.key))]);
    grid.setSort(sortOf(params.get("sort")));
    menu.update(all.filter((column) => column.key !== "name"), isShown);
  }

  /** @param {string} key @param {boolean} isWanted */
  function choose(key, isWanted) {
    const isShown = columnsOf(known).find((column) => column.key === key)?.isShown;
    const hidden = listed("hide");
    const extra = listed("show");
    hidden.delete(key);
    extra.delete(key);
    if (isWanted && !isShown) extra.add(key);
    if (!isWanted && isShown) hidden.add(key);
    const text = (/** @type {Set<string>} */ keys) => [...keys].map(encodeURIComponent).join(",");
    change({ show: text(extra), hide: text(hidden) });
  }

  const boxColumn = {
    key: "chosen", label: "", title: "Choose runs to compare", isFixed: true, className: "box",
    make() {
      const box = /** @type {HTMLInputElement} */ (h("input", { type: "checkbox", tabindex: "-1" }));
      let row = /** @type {any} */ (null);
      box.addEventListener("change", () => toggle(row));
      return {
        element: box,
        update(/** @type {any} */ run) {
          row = run;
          box.checked = chosen.has(run.id);
          setAttribute(box, "aria-label", `Choose ${run.name}`);
        },
      };
    },
  };

  /** @param {any} run */
  function toggle(run) {
    if (chosen.has(run.id)) chosen.delete(run.id);
    else chosen.set(run.id, run.name);
    grid.update(runs);
    showChosen();
  }

  function clearChosen() {
    chosen.clear();
    grid.update(runs);
    showChosen();
    search.focus();
  }

  function showChosen() {
    const n = chosen.size;
    const fits = n >= 2 && n <= MOST_COMPARED;
    setText(compare, n < 2 ? "Compare" : `Compare ${count(n)} runs`);
    /** @type {HTMLButtonElement} */ (compare).disabled = !fits;
    setAttribute(compare, "title", fits ? [...chosen.values()].join("\n")
      : `Choose two to ${MOST_COMPARED} runs: Space in a row, or its box`);
    clear.hidden = n === 0;
  }

  function compareChosen() {
    void go(["compare"], { runs: [...chosen.keys()].join(",") });
  }

  const chips = Object.entries(STATES).map(([word, names]) => h("button", { type: "button",
    class: "chip", title: names.join(", "), "aria-pressed": "false", onclick: () => {
      const on = listed("status");
      const isOn = names.some((name) => on.has(name));
      for (const name of names) if (isOn) on.delete(name); else on.add(name);
      change({ status: [...on].join(","), page: null });
    } }, word));

  function showStates() {
    const on = listed("status");
    Object.values(STATES).forEach((names, i) =>
      setAttribute(chips[i], "aria-pressed", String(names.some((name) => on.has(name)))));
  }

  const refresh = oneAtATime(async () => {
    let answer;
    const page = Math.max(1, Number.parseInt(params.get("page") ?? "1", 10) || 1);
    try {
      answer = await get("runs", { offset: (page - 1) * PAGE, limit: PAGE, q: params.get("q"),
        sort: params.get("sort"), status: params.get("status") }, signal);
    } catch (error) {
      if (signal.aborted || /** @type {any} */ (error).isUnreachable) return;
      fill(empty, message(error));
      empty.hidden = false;
      return;
    }
    runs = answer.runs;
    known.add(runs);
    const found = answer.found ?? runs.length;
    for (const run of runs) if (chosen.has(run.id)) chosen.set(run.id, run.name);
    showColumns();
    grid.update(runs);
    showChosen();
    pager.update(page, Math.ceil(found / PAGE), (page - 1) * PAGE, runs.length, found);
    const isFiltered = Boolean(params.get("q") || params.get("status"));
    setText(said, isFiltered ? `${count(found)} of the runs match`
      : `${count(found)} ${found === 1 ? "run" : "runs"}`);
    grid.element.hidden = runs.length === 0;
    empty.hidden = runs.length > 0;
    if (!runs.length) fill(empty, nothing(isFiltered, answer.roots ?? []));
    fill(notes, (answer.notes ?? []).map((/** @type {string} */ note) => h("li", {}, note)));
    notes.hidden = !(answer.notes ?? []).length;
  });

  /** @param {boolean} isFiltered @param {string[]} roots */
  function nothing(isFiltered, roots) {
    if (isFiltered) {
      return [h("p", {}, "No run matches."), h("button", { type: "button", onclick: () => {
        search.value = "";
        change({ q: null, status: null, page: null });
        search.focus();
      } }, "Show all runs")];
    }
    return [
      h("p", {}, "There is no run yet under ", roots.map((root, i) => [i ? ", " : "",
        h("code", {}, root)]), "."),
      h("p", {}, "One that is trained into a directory there, as with ",
        h("code", {}, "raymon train demo.config --set model_dir=…"), ", shows up here by itself."),
    ];
  }

  let isWaiting = false;
  onChange(() => {
    if (isWaiting) return;
    isWaiting = true;
    setTimeout(() => {
      isWaiting = false;
      if (!signal.aborted) refresh();
    }, UPDATE_MS);
  }, signal);

  // How long ago something was grows by itself.
  const clock = setInterval(() => grid.update(runs), CLOCK_MS);
  signal.addEventListener("abort", () => clearInterval(clock), { once: true });

  search.value = params.get("q") ?? "";
  fill(root, h("h1", { class: "unseen" }, "Runs"),
    h("div", { class: "tools" }, search, states, said, h("span", { class: "grow" }),
      clear, compare, menu.element),
    grid.element, pager.element, empty, notes);
  empty.hidden = true;
  notes.hidden = true;
  grid.element.hidden = true;
  fill(states, chips);
  showStates();
  keepAddress([], params);
  showColumns();
  showChosen();
  await refresh();
}

/** @param {(page: number) => void} onPage Buttons to the pages of a long table. */
function makePager(onPage) {
  let page = 1;
  const before = /** @type {HTMLButtonElement} */ (h("button", { type: "button", onclick: () => onPage(page - 1) }, "← Before"));
  const after = /** @type {HTMLButtonElement} */ (h("button", { type: "button", onclick: () => onPage(page + 1) }, "After →"));
  const text = h("span", { class: "muted" });
  const element = h("nav", { class: "tools pager", "aria-label": "Pages of the table", hidden: true },
    before, text, after);
  return {
    element,
    /** @param {number} now @param {number} pages @param {number} offset @param {number} n @param {number} of */
    update(now, pages, offset, n, of) {
      page = now;
      element.hidden = pages <= 1 && now === 1;
      before.disabled = now <= 1;
      after.disabled = now >= pages;
      setText(text, `${count(n ? offset + 1 : 0)} to ${count(offset + n)} of ${count(of)}`);
    },
  };
}
