// @ts-check
/** What the server knows, as JSON. */

const FRESH_MS = 10_000;

/** An answer that says that something cannot be had. */
export class ApiError extends Error {
  /** @param {string} message One line. @param {number} status Of HTTP; 0 if nobody answered. */
  constructor(message, status) {
    super(message);
    this.name = "ApiError";
    this.status = status;
  }

  /** Whether the server is gone, rather than what was asked for. */
  get isUnreachable() {
    return this.status === 0;
  }
}

/**
 * Names as one parameter: between them are commas, and so none is in them as it is.
 * @param {string[]} names
 */
export function listed(names) {
  // Not all that a name may have can be encoded: half a surrogate pair cannot.
  return names.map((name) => name.replace(/[%,]/g, encodeURIComponent)).join(",");
}

/**
 * Address of something of the server, under the path where the page is.
 * @param {string} path Such as `runs/0123456789ab/series`.
 * @param {Record<string, any>} [parameters] null, undefined and "" are left out.
 */
export function apiUrl(path, parameters = {}) {
  const url = new URL(`api/${path}`, document.baseURI);
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined && value !== "") url.searchParams.set(name, value);
  }
  return url.href;
}

/**
 * Gets something from the server.
 * @param {string} path Such as `runs/0123456789ab/series`.
 * @param {Record<string, any>} [parameters]
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 * @throws {ApiError} What is wrong, in one line.
 */
export async function get(path, parameters = {}, signal = undefined) {
  let answer;
  const address = apiUrl(path, parameters);
  try {
    answer = (await askedFirst(address)) ?? (await fetch(address, { signal }));
    signal?.throwIfAborted();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError("The board does not answer.", 0);
  }
  let content = null;
  try {
    content = await answer.json();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(`The board's answer cannot be read (${answer.status}).`, answer.status || 0);
  }
  if (!answer.ok) {
    throw new ApiError(content?.error || `The board answered ${answer.status}.`, answer.status);
  }
  return content;
}

/**
 * The answer to what `first.js` asked for before this module was there; once, and only while fresh.
 * @param {string} address
 * @returns {Promise<Response | null>}
 */
async function askedFirst(address) {
  /** @type {Map<string, Promise<Response | null>> | undefined} */
  const asked = /** @type {any} */ (window).raymonFirst;
  const answer = asked?.get(address);
  if (!asked || !answer) return null;
  asked.delete(address);
  return performance.now() < FRESH_MS ? answer : null;
}

/**
 * Path of what is asked of a run.
 * @param {string} id
 * @param {string} [what] Such as `series`.
 */
export function runPath(id, what = "") {
  return `runs/${encodeURIComponent(id)}${what ? `/${what}` : ""}`;
}
