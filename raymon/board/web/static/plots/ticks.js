/**
 * Where an axis of steps or of time has its ticks, and what they say.
 */

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86400;
const SECONDS = [
  1, 2, 5, 10, 15, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE,
  HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 30 * DAY,
]; // prettier-ignore

/**
 * Ticks of an axis.
 *
 * @param {"step"|"elapsed"|"time"} kind Steps, seconds since the start, or seconds since 1970.
 * @param {[number, number]} range What the axis shows.
 * @param {number} pixels Width of the axis.
 * @returns {{tickvals: number[], ticktext: string[]}} As Plotly takes them.
 */
export function ticks(kind, range, pixels) {
  const [from, to] = range;
  const gap = (to - from) / Math.max(2, Math.floor(pixels / 84));
  const every = kind === "step" ? Math.max(1, round125(gap)) : roundSeconds(gap);
  const shift = kind === "time" ? new Date(from * 1000).getTimezoneOffset() * 60 : 0;
  const tickvals = [];
  for (let at = Math.ceil((from - shift) / every); at * every + shift <= to; at += 1) {
    tickvals.push(at * every + shift);
    if (tickvals.length > 60) break;
  }
  const says = { step: stepText, elapsed: elapsedText, time: clockText }[kind];
  return { tickvals, ticktext: tickvals.map((value, index) => says(value, every, index)) };
}

/**
 * Ticks of a logarithmic axis, at round numbers.
 *
 * @param {[number, number]} range What the axis shows, in powers of ten.
 * @returns {number[]}
 */
export function logTicks([from, to]) {
  const [least, most] = [10 ** from, 10 ** to];
  if (to - from < 0.9) {
    const every = round125((most - least) / 4);
    const first = Math.ceil(least / every);
    return Array.from({ length: 8 }, (_, at) => (first + at) * every).filter((value) => value <= most);
  }
  const digits = to - from < 2.5 ? [1, 2, 5] : [1];
  const every = Math.max(1, Math.ceil((to - from) / 6));
  const found = [];
  for (let power = Math.floor(from); power <= to; power += every) {
    found.push(...digits.map((digit) => digit * 10 ** power));
  }
  return found.filter((value) => value >= least && value <= most);
}

/** The smallest of 1, 2, 5, 10, 20... that is at least a number. */
function round125(number) {
  const power = 10 ** Math.floor(Math.log10(number || 1));
  return [1, 2, 5, 10].map((times) => times * power).find((each) => each >= number * 0.999);
}

function roundSeconds(gap) {
  if (gap < 0.5) return round125(gap);
  return SECONDS.find((each) => each >= gap) ?? round125(gap / DAY) * DAY;
}

function stepText(step, every) {
  if (step !== 0 && every >= 1e6) return `${step / 1e6}M`;
  if (step !== 0 && step % 1e6 === 0) return `${step / 1e6}M`;
  if (step !== 0 && every >= 1e3) return `${(step / 1e3).toLocaleString("en")}k`;
  return step.toLocaleString("en");
}

/**
 * A time since the start in words.
 *
 * @param {number} seconds Since the start.
 * @param {number} [every] What is smaller than that is left out.
 * @returns {string} Such as "1d 4h" or "2m 30s".
 */
export function elapsedText(seconds, every = 1) {
  if (!Number.isFinite(seconds)) return "–";
  if (every < 1) return `${Number(seconds.toPrecision(6))}s`;
  const sign = seconds < 0 ? "-" : "";
  let left = Math.round(Math.abs(seconds));
  const parts = [];
  for (const [size, unit] of [[DAY, "d"], [HOUR, "h"], [MINUTE, "m"], [1, "s"]]) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0) parts.push(`${count}${unit}`);
  }
  return sign + (parts.slice(0, 2).join(" ") || "0");
}

function clockText(seconds, every, index) {
  const date = new Date(seconds * 1000);
  const day = date.toLocaleDateString("en", { month: "short", day: "numeric" });
  if (every >= DAY) return day;
  const clock = [date.getHours(), date.getMinutes()].concat(every < MINUTE ? date.getSeconds() : []);
  const text = clock.map((part) => String(part).padStart(2, "0")).join(":");
  const begins = index === 0 || date.getHours() * HOUR + date.getMinutes() * MINUTE < every;
  return begins ? `${day}, ${text}` : text;
}
