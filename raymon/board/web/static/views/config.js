// @ts-check
/** The config of a run as it ran, with a search. */

import { get, runPath } from "../api.js";
import { count } from "../format.js";
import { fill, h, setAttribute, setText } from "../h.js";

/**
 * @param {HTMLElement} root
 * @param {{run: any, params: URLSearchParams, setParams: (changes: any) => void,
 *   signal: AbortSignal}} context
 */
export async function show(root, { run, params, setParams, signal }) {
  const { text } = await get(runPath(run.id, "config"), {}, signal);
  if (!text) {
    fill(root, h("p", { class: "empty" }, "The run has no pipeline.config yet."));
    return;
  }
  const search = h("input", { type: "search", value: params.get("q") ?? "",
    placeholder: "Search the config", "aria-label": "Search the config" });
  const found = h("span", { class: "muted", role: "status" });
  const lines = String(text).replace(/\n$/, "").split("\n");
  const rows = lines.map((line) => h("span", { class: "code-line" }, line, "\n"));
  const code = h("pre", { class: "code", tabindex: "0", "aria-label": "The config" }, rows);
  const copy = h("button", { type: "button", onclick: copyText }, "Copy");
  fill(root, h("div", { class: "tools" }, search, found, h("span", { class: "grow" }), copy), code);
  search.addEventListener("input", () => {
    mark();
    setParams({ q: /** @type {HTMLInputElement} */ (search).value });
  });
  mark();

  function mark() {
    const word = /** @type {HTMLInputElement} */ (search).value.trim().toLowerCase();
    let first = null;
    let hits = 0;
    rows.forEach((row, i) => {
      const isHit = word !== "" && lines[i].toLowerCase().includes(word);
      setAttribute(row, "data-hit", isHit ? "" : null);
      if (isHit) {
        first ??= row;
        hits += 1;
      }
    });
    setText(found, word === "" ? "" : `${count(hits)} of ${count(lines.length)} lines`);
    /** @type {HTMLElement | null} */ (first)?.scrollIntoView({ block: "nearest" });
  }

  async function copyText() {
    try {
      await navigator.clipboard.writeText(text);
      setText(copy, "Copied");
    } catch {
      getSelection()?.selectAllChildren(code);
      setText(copy, "Selected: press Ctrl+C");
    }
  }
}
