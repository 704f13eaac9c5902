// @ts-check
/**
 * Which view is shown. The address bar is a link to what is on the screen.
 *
 * A view exports `async function show(root, context)`. `context` has
 * - `parts`: the parts of the path after its name, such as [ID, TAB];
 * - `params`: a `URLSearchParams`, what comes after the `?`, kept true by `setParams`;
 * - `setParams(changes, {push})`: changes them, and the address; null takes one away. The view
 *   itself shows the change. `push` makes a step that "back" goes back over;
 * - `signal`: aborted when something else is shown.
 * It may return `{move(context)}`, which is called in place of `show` when the path has the same
 * name and first part, and returns whether it could.
 */

import { fill, h } from "./h.js";

/** @typedef {{parts: string[], params: URLSearchParams, signal: AbortSignal,
 *   setParams: (changes: Record<string, any>, how?: {push?: boolean}) => void}} Context */

/** @type {Record<string, () => Promise<{show: (root: HTMLElement, context: any) => any}>>} */
const views = {
  "": () => import("./views/runs.js"),
  run: () => import("./views/run.js"),
  compare: () => import("./views/compare.js"),
};

/** @type {HTMLElement} */
let root;
/** @type {{key: string, controller: AbortController, handle: any} | null} */
let current = null;

/**
 * Begins to show what the address says.
 * @param {HTMLElement} element Where views go.
 */
export function startRouter(element) {
  root = element;
  window.addEventListener("popstate", () => void showAddress());
  document.addEventListener("click", follow);
  void showAddress();
}

/**
 * Address of a view, under the path where the page is.
 * @param {string[]} parts Such as ["run", ID, "curves"]; each is escaped.
 * @param {Record<string, any> | URLSearchParams} [params] null and "" are left out.
 */
export function link(parts, params = {}) {
  const url = new URL(parts.map(encodeURIComponent).join("/") || "./", document.baseURI);
  const entries = params instanceof URLSearchParams ? [...params] : Object.entries(params);
  for (const [name, value] of entries) {
    if (value !== null && value !== undefined && value !== "") url.searchParams.set(name, value);
  }
  return url.pathname + url.search.replaceAll("%2C", ",");
}

/**
 * Goes to a view.
 * @param {string[]} parts
 * @param {Record<string, any> | URLSearchParams} [params]
 * @param {{replace?: boolean}} [how]
 */
export function go(parts, params = {}, { replace = false } = {}) {
  const address = link(parts, params);
  if (replace) history.replaceState(null, "", address);
  else if (address !== location.pathname + location.search) history.pushState(null, "", address);
  return showAddress();
}

/** @type {Map<string, string>} */
const kept = new Map();

/**
 * Keeps what a view was showing, for `keptLink`.
 * @param {string[]} parts
 * @param {URLSearchParams} params
 */
export function keepAddress(parts, params) {
  kept.set(link(parts), link(parts, params));
}

/**
 * Address of a view as it was last seen.
 * @param {string[]} parts
 */
export function keptLink(parts) {
  return kept.get(link(parts)) ?? link(parts);
}

/** @param {string} text Title of what is shown. */
export function setTitle(text) {
  document.title = text ? `${text} · raymon` : "raymon";
}

/** @param {MouseEvent} event A click on a link within the page is no load of another page. */
function follow(event) {
  if (event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const anchor = /** @type {Element} */ (event.target).closest?.("a[href]");
  if (!(anchor instanceof HTMLAnchorElement) || anchor.target || anchor.hasAttribute("download")) {
    return;
  }
  const base = new URL(document.baseURI);
  const url = new URL(anchor.href);
  if (url.origin !== base.origin || !url.pathname.startsWith(base.pathname)) return;
  if (url.hash || /^(api|static)\//.test(url.pathname.slice(base.pathname.length))) return;
  event.preventDefault();
  if (url.href !== location.href) history.pushState(null, "", url.href);
  void showAddress();
  window.scrollTo(0, 0);
}

async function showAddress() {
  const base = new URL(document.baseURI).pathname;
  const path = location.pathname.startsWith(base) ? location.pathname.slice(base.length) : "";
  const parts = path.split("/").filter(Boolean).map(decode);
  const name = parts.shift() ?? "";
  const key = JSON.stringify([name, parts[0] ?? null]);
  if (current?.key === key && current.handle?.move?.(context(parts, current.controller))) return;
  current?.controller.abort();
  const controller = new AbortController();
  const shown = { key, controller, handle: /** @type {any} */ (null) };
  current = shown;
  const view = Object.hasOwn(views, name) ? views[name] : null;
  if (!view) {
    setTitle("Not found");
    fill(root, h("p", { class: "empty" }, "There is nothing at this address. ",
      h("a", { href: link([]) }, "See all runs")));
    return;
  }
  try {
    const module = await view();
    if (controller.signal.aborted) return;
    fill(root);
    const handle = await module.show(root, context(parts, controller));
    shown.handle = handle;
  } catch (error) {
    if (controller.signal.aborted) return;
    fill(root, h("p", { class: "empty", role: "alert" }, message(error)));
    if (!(error instanceof Error) || error.name !== "ApiError") console.error(error);
  }
}

/** @param {string[]} parts @param {AbortController} controller @returns {Context} */
function context(parts, controller) {
  const params = new URLSearchParams(location.search);
  const setParams = (/** @type {Record<string, any>} */ changes, { push = false } = {}) => {
    if (controller.signal.aborted) return;
    for (const [name, value] of Object.entries(changes)) {
      if (value === null || value === undefined || value === "") params.delete(name);
      else params.set(name, String(value));
    }
    const text = params.toString().replaceAll("%2C", ",").replaceAll("%3A", ":");
    const address = location.pathname + (text ? `?${text}` : "");
    if (push) history.pushState(null, "", address);
    else history.replaceState(null, "", address);
  };
  return { parts, params, setParams, signal: controller.signal };
}

/** @param {unknown} error */
export function message(error) {
  return error instanceof Error ? error.message : String(error);
}

/** @param {string} part */
function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
