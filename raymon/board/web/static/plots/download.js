// @ts-check
/** Files that the page gives to who looks at it. */

import { fileName } from "./text.js";

/**
 * Has the browser keep some content as a file.
 * @param {BlobPart} content
 * @param {string} type MIME type.
 * @param {string[]} parts What the name of the file is of, the last its ending.
 */
export function download(content, type, parts) {
  const address = URL.createObjectURL(new Blob([content], { type }));
  follow(address, `${fileName(...parts.slice(0, -1))}.${parts[parts.length - 1]}`);
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/** @param {string} address @param {string} name Of the file. */
function follow(address, name) {
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.hidden = true;
  document.body.append(link);
  link.click();
  link.remove();
}
