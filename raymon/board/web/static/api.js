// @ts-check
/** What the server knows, as JSON. */

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
  try {
    answer = await fetch(apiUrl(path, parameters), { signal });
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
 * Path of what is asked of a run.
 * @param {string} id
 * @param {string} [what] Such as `series`.
 */
export function runPath(id, what = "") {
  return `runs/${encodeURIComponent(id)}${what ? `/${what}` : ""}`;
}
