// @ts-check
/** Style sheets that a part of the page brings with it. */

/** @type {Map<string, Promise<void>>} */
const loaded = new Map();

/**
 * Adds a style sheet to the page, once.
 * @param {string} path Under `static`, such as `plots/plots.css`.
 * @returns {Promise<void>} Done when it holds.
 */
export function style(path) {
  const known = loaded.get(path);
  if (known) return known;
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = new URL(`static/${path}`, document.baseURI).href;
  const done = new Promise((resolve) => {
    link.onload = link.onerror = () => resolve(undefined);
  });
  document.head.append(link);
  loaded.set(path, done);
  return done;
}
