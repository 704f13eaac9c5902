// @ts-check
/** All runs. */

import { get } from "../api.js";
import { onChange } from "../events.js";
import { fill, h } from "../h.js";
import { link, setTitle } from "../router.js";

/**
 * @param {HTMLElement} root
 * @param {import("../router.js").Context} context
 */
export async function show(root, { signal }) {
  setTitle("Runs");
  const list = h("ul", {});
  fill(root, list);
  async function refresh() {
    const { runs } = await get("runs", {}, signal);
    fill(list, runs.map((/** @type {any} */ run) =>
      h("li", {}, h("a", { href: link(["run", run.id]) }, run.name), " ", run.status)));
  }
  onChange(() => void refresh(), signal);
  await refresh();
}
