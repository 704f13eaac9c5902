// @ts-check
/** Two to twenty runs beside each other: their metrics, their curves, and how their configs differ. */

import { get, runPath } from "../api.js";
import { onChange } from "../events.js";
import { count } from "../format.js";
import { fill, h, setAttribute, setText } from "../h.js";
import { makeComparedCurves } from "../parts/compared_curves.js";
import { makeConfigTable, makeMetricTable, section } from "../parts/compared_tables.js";
import { lineColor, lineDash } from "../plots/palette.js";
import { makeStatus } from "../parts/status.js";
import { oneAtATime } from "../parts/one_at_a_time.js";
import { go, keptLink, link, message, setTitle } from "../router.js";
import { onTheme, themeColors } from "../theme.js";

const MOST = 20;

/**
 * @param {HTMLElement} root
 * @param {import("../router.js").Context} context
 */
export async function show(root, context) {
  const { params, signal } = context;
  const ids = [...new Set((params.get("runs") ?? "").split(",").filter(Boolean))].slice(0, MOST);
  setTitle("Comparison");
  if (ids.length < 2) {
    fill(root, h("p", { class: "empty" }, "Choose two to twenty runs ",
      h("a", { href: keptLink([]) }, "in the table of runs"), " to compare them."));
    return;
  }
  const found = await Promise.allSettled(ids.map((id) => get(runPath(id), {}, signal)));
  signal.throwIfAborted();
  const runs = found.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
  const missing = found.length - runs.length;
  const wrong = h("p", { class: "banner", role: "alert", hidden: true });
  if (missing) {
    const why = /** @type {PromiseRejectedResult} */ (found.find((each) => each.status === "rejected"));
    fill(wrong, `${count(missing)} of the ${count(ids.length)} runs cannot be shown: ${message(why.reason)}`);
    wrong.hidden = false;
  }
  if (runs.length < 2) {
    fill(root, wrong, h("p", { class: "empty" }, "There are no two runs left to compare. ",
      h("a", { href: keptLink([]) }, "See all runs")));
    return;
  }
  setTitle(`Comparison of ${count(runs.length)} runs`);
  const metrics = makeMetricTable(context);
  const config = makeConfigTable(context);
  const same = h("p", { class: "muted", hidden: true }, "No field of their configs differs.");
  const none = h("p", { class: "muted", hidden: true }, "They have no metric in common yet.");
  const curves = await makeComparedCurves(runs, context);
  const list = makeRunList(runs, params, signal);
  const notes = h("ul", { class: "notes" });
  const trouble = h("p", { class: "muted", role: "status" });
  fill(root, h("div", { class: "run-title" }, h("a", { class: "up", href: keptLink([]) }, "Runs"),
    h("span", { class: "slash", "aria-hidden": "true" }, "/"),
    h("h1", {}, `Comparison of ${count(runs.length)} runs`)), wrong, list.element, trouble,
  section("Metrics", none, metrics.element, notes), section("Curves", curves.element),
  section("Configs", same, config.element));

  const refresh = oneAtATime(async () => {
    let answer;
    try {
      answer = await get("compare", { runs: runs.map((run) => run.id).join(",") }, signal);
    } catch (error) {
      if (signal.aborted || /** @type {any} */ (error).isUnreachable) return;
      setText(trouble, message(error));
      return;
    }
    setText(trouble, "");
    metrics.update(answer.metrics, runs);
    config.update(answer.config, runs);
    fill(notes, (answer.notes ?? []).map((/** @type {string} */ note) => h("li", {}, note)));
    notes.hidden = !(answer.notes ?? []).length;
    none.hidden = answer.metrics.length > 0;
    metrics.element.hidden = answer.metrics.length === 0;
    same.hidden = answer.config.length > 0;
    config.element.hidden = answer.config.length === 0;
  });

  const update = oneAtATime(async () => {
    const now = await Promise.allSettled(runs.map((run) => get(runPath(run.id), {}, signal)));
    if (signal.aborted) return;
    now.forEach((each, i) => {
      if (each.status === "fulfilled") runs[i] = each.value;
    });
    list.update(runs);
    curves.update(runs);
    await refresh();
  });
  onChange((versions, isAll) => {
    const isOurs = runs.some((run) => Object.hasOwn(versions, run.id) && versions[run.id] !== run.version);
    if (isAll || isOurs) void update();
  }, signal);
  await refresh();
}

/**
 * The runs that are compared, each with its state; the first one is what the others are compared with.
 * @param {any[]} runs
 * @param {URLSearchParams} params
 * @param {AbortSignal} signal
 */
function makeRunList(runs, params, signal) {
  const ids = runs.map((run) => run.id);
  const to = (/** @type {string[]} */ wanted) => {
    const changed = new URLSearchParams(params);
    changed.set("runs", wanted.join(","));
    void go(["compare"], changed);
  };
  const items = runs.map((run, i) => {
    const status = makeStatus();
    const swatch = h("span", { class: "plot-swatch", dataset: { dash: lineDash(i) } });
    const name = h("a", { href: link(["run", run.id]) }, String(run.name));
    const others = ids.filter((id) => id !== run.id);
    return {
      status,
      swatch,
      element: h("li", { class: "compared", title: String(run.path) },
        swatch, name, status.element,
        i === 0 ? h("span", { class: "muted" }, "first")
          : h("button", { type: "button", class: "quiet", title: `Compare the others with ${run.name}`,
            onclick: () => to([run.id, ...others]) }, "make first"),
        ids.length > 2 ? h("button", { type: "button", class: "quiet", "aria-label": `Take ${run.name} out`,
          title: "Take it out", onclick: () => to(others) }, "×") : null),
    };
  });
  const element = h("ul", { class: "compared-list", "aria-label": "Runs" }, items.map((item) => item.element));
  const update = (/** @type {any[]} */ now) => now.forEach((run, i) => {
    items[i].status.update(run.status);
    setAttribute(items[i].element, "title", String(run.path));
  });
  const paint = () => items.forEach((item, i) =>
    item.swatch.style.setProperty("--swatch", lineColor(themeColors(), i)));
  onTheme(paint, signal);
  paint();
  update(runs);
  return { element, update };
}
