// @ts-check
/** Elements of the page. What a run's files contain gets in as text nodes alone. */

/** @typedef {Node | string | number | null | undefined | false} One */
/** @typedef {One | (One | One[])[]} Child */

/**
 * Makes an element.
 * @param {string} tag
 * @param {Record<string, any>} [attributes] `class`, `style` and `dataset` (objects), listeners
 *   (`onclick`, functions), properties `value` and `checked`; true is an attribute without a value;
 *   null, undefined and false leave it out.
 * @param {...Child} children Strings become text nodes; null and false are left out.
 * @returns {HTMLElement}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) set(element, name, value);
  element.append(...nodes(children));
  return element;
}

/**
 * Replaces what is in an element.
 * @param {Element} element
 * @param {...Child} children
 */
export function fill(element, ...children) {
  element.replaceChildren(...nodes(children));
}

/**
 * Sets the text of an element, only if it is another: nothing flickers, a selection stays.
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Sets or takes away an attribute, only if it is another.
 * @param {Element} element
 * @param {string} name
 * @param {string | null} value
 */
export function setAttribute(element, name, value) {
  if (value === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** @param {HTMLElement} element @param {string} name @param {any} value */
function set(element, name, value) {
  if (name.startsWith("on")) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
  } else if (value === null || value === undefined || value === false) {
    return;
  } else if (name === "class") {
    element.className = value;
  } else if (name === "style") {
    for (const [property, text] of Object.entries(value)) element.style.setProperty(property, text);
  } else if (name === "dataset") {
    Object.assign(element.dataset, value);
  } else if (name === "value" || name === "checked") {
    /** @type {any} */ (element)[name] = value;
  } else {
    element.setAttribute(name, value === true ? "" : String(value));
  }
}

/** @param {any[]} children @returns {(Node | string)[]} */
function nodes(children) {
  return children
    .flat(Infinity)
    .filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => (child instanceof Node ? child : String(child)));
}
