// @ts-check
/** What changed, as the server says it; nothing is asked for while the page is hidden. */

import { apiUrl } from "./api.js";

/** @typedef {(versions: Record<string, number>, isAll: boolean) => void} Listener */

const RETRY_MS = 2000;

/** @type {Set<Listener>} */
const listeners = new Set();
/** @type {Set<(isThere: boolean) => void>} */
const watchers = new Set();
/** @type {EventSource | null} */
let source = null;
let isThere = true;
let wasAway = false;
let retry = 0;

/**
 * Calls back when runs changed, until the signal.
 * @param {Listener} listener Gets versions by id; `isAll` says that anything may have changed, as
 *   nobody listened for a while.
 * @param {AbortSignal} signal
 */
export function onChange(listener, signal) {
  if (signal.aborted) return;
  listeners.add(listener);
  signal.addEventListener("abort", () => listeners.delete(listener), { once: true });
}

/**
 * Calls back when the server goes and when it is back.
 * @param {(isThere: boolean) => void} watcher
 */
export function onConnection(watcher) {
  watchers.add(watcher);
}

/** Begins to listen. */
export function listen() {
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  if (!document.hidden) open();
}

function open() {
  if (source) return;
  clearTimeout(retry);
  source = new EventSource(apiUrl("events"));
  source.onopen = () => {
    const missed = wasAway;
    wasAway = false;
    tell(true);
    if (missed) changed({}, true);
  };
  source.onmessage = (event) => changed(JSON.parse(event.data).runs ?? {}, false);
  source.onerror = () => {
    close();
    tell(false);
    if (!document.hidden) retry = window.setTimeout(open, RETRY_MS);
  };
}

function close() {
  clearTimeout(retry);
  source?.close();
  source = null;
  wasAway = true;
}

/** @param {Record<string, number>} versions @param {boolean} isAll */
function changed(versions, isAll) {
  for (const listener of [...listeners]) listener(versions, isAll);
}

/** @param {boolean} now */
function tell(now) {
  if (now === isThere) return;
  isThere = now;
  for (const watcher of watchers) watcher(now);
}
