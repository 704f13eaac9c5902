// @ts-check
/**
 * One run: its header, which stays true while the run goes on, and its tabs.
 *
 * A tab's module exports `async function show(root, {run, params, setParams, signal, onUpdate})`:
 * `run` is the entry of the run as it is now, `onUpdate(callback)` calls back with the newer entry
 * whenever the run changed, until `signal`; `params` and `setParams` are those of the router.
 */

import { ApiError, get, runPath } from "../api.js";
import { onChange } from "../events.js";
import { fill, h } from "../h.js";
import { oneAtATime } from "../parts/one_at_a_time.js";
import { makeHeader } from "../parts/run_header.js";
import { makeTabs } from "../parts/tabs.js";
import { link, message, setTitle } from "../router.js";

const TABS = [
  { name: "curves", label: "Curves", load: () => import("../run/curves.js") },
  { name: "ranks", label: "Ranks", load: () => import("../run/ranks.js") },
  { name: "evaluation", label: "Evaluation", load: () => import("../run/evaluation.js") },
  { name: "checkpoints", label: "Checkpoints", load: () => import("./checkpoints.js") },
  { name: "tables", label: "Tables", load: () => import("./tables.js") },
  { name: "config", label: "Config", load: () => import("./config.js") },
  { name: "log", label: "Log", load: () => import("./log.js") },
  { name: "alerts", label: "Alerts", load: () => import("./alerts.js") },
];

/**
 * @param {HTMLElement} root
 * @param {import("../router.js").Context} context
 */
export async function show(root, context) {
  const id = context.parts[0] ?? "";
  const { signal } = context;
  const loading = moduleOf(context.parts[1]).catch(() => null);
  let run = await get(runPath(id), {}, signal);
  /** @type {Set<(run: any) => void>} */
  const callbacks = new Set();

  const header = makeHeader();
  const gone = h("div", { class: "banner", role: "alert", hidden: true });
  const panel = h("div", { class: "panel", role: "tabpanel", id: "panel", tabindex: "-1" });
  /** @type {Map<string, string>} What was after the `?` when a tab was left. */
  const left = new Map();
  const address = (/** @type {string} */ tab) =>
    link(["run", id, tab], new URLSearchParams(left.get(tab) ?? ""));
  const tabs = makeTabs(TABS, "panel", address);
  await loading;
  fill(root, header.element, gone, tabs.element, panel);
  header.update(run);
  setTitle(run.name);

  /** @type {AbortController | null} */
  let shown = null;
  let tabName = "";

  /** @param {import("../router.js").Context} now */
  function showTab(now) {
    const name = tabOf(now.parts[1]).name;
    const isOther = name !== tabName;
    shown?.abort();
    const controller = new AbortController();
    shown = controller;
    signal.addEventListener("abort", () => controller.abort(), { once: true });
    tabName = name;
    tabs.select(name);
    panel.setAttribute("aria-labelledby", `tab-${name}`);
    const setParams = (/** @type {any} */ changes, /** @type {any} */ how) => {
      if (controller.signal.aborted) return;
      now.setParams(changes, how);
      left.set(name, now.params.toString());
      tabs.refresh();
    };
    left.set(name, now.params.toString());
    tabs.refresh();
    const onUpdate = (/** @type {(run: any) => void} */ callback) => {
      callbacks.add(callback);
      controller.signal.addEventListener("abort", () => callbacks.delete(callback));
    };
    const part = h("div", { class: `tab-${name}` });
    const tabContext =
      { run, params: now.params, setParams, signal: controller.signal, onUpdate };
    if (isOther) fill(panel, part);
    else panel.replaceChildren(part);
    moduleOf(name)
      .then((module) => (controller.signal.aborted ? null : module.show(part, tabContext)))
      .catch((/** @type {any} */ error) => {
        if (controller.signal.aborted) return;
        fill(part, h("p", { class: "empty", role: "alert" }, message(error)));
        if (!(error instanceof ApiError)) console.error(error);
      });
  }

  const refresh = oneAtATime(async () => {
    try {
      run = await get(runPath(id), {}, signal);
    } catch (error) {
      if (signal.aborted || /** @type {any} */ (error).isUnreachable) return;
      fill(gone, `${message(error)} This is what was there.`);
      gone.hidden = false;
      return;
    }
    gone.hidden = true;
    header.update(run);
    for (const callback of [...callbacks]) callback(run);
  });
  onChange((versions, isAll) => {
    if (isAll || (Object.hasOwn(versions, id) && versions[id] !== run.version)) refresh();
  }, signal);
  showTab(context);

  return {
    /** @param {import("../router.js").Context} now */
    move(now) {
      showTab(now);
      return true;
    },
  };
}

/** @param {string | undefined} name */
function tabOf(name) {
  return TABS.find((tab) => tab.name === name) ?? TABS[0];
}

/** @param {string | undefined} name @returns {Promise<any>} */
function moduleOf(name) {
  return tabOf(name).load();
}
