// @ts-check
/** What is always to be seen of a run: state, progress, rates, newest metrics, verdict, alerts. */

import { count, duration, moment, number, rate } from "../format.js";
import { fill, h, setAttribute, setText } from "../h.js";
import { keptLink } from "../router.js";
import { makeProgress, makeStatus } from "./status.js";

/** Kinds of numbers in a header. */
const KINDS = [
  { title: "Training", of: (/** @type {any} */ run) => ({ ...run.losses, ...run.metrics }) },
  { title: "Evaluation", of: (/** @type {any} */ run) => run.eval ?? {} },
  { title: "Best", of: (/** @type {any} */ run) => run.best ?? {} },
];

/** The header of a run, which changes in place. */
export function makeHeader() {
  const name = h("h1", {});
  const path = h("span", { class: "path" });
  const status = makeStatus();
  const progress = makeProgress();
  const facts = makeFacts("facts");
  const numbers = makeNumbers();
  const verdict = h("p", { class: "verdict" });
  const error = h("p", { class: "error" });
  const notes = h("p", { class: "run-notes muted" });
  const alerts = h("ul", { class: "alerts-on", "aria-label": "Alerts that are on" });
  const element = h("section", { class: "run-header", "aria-label": "The run" },
    h("div", { class: "run-title" }, h("a", { class: "up", href: keptLink([]) }, "Runs"),
      h("span", { class: "slash", "aria-hidden": "true" }, "/"), name, status.element, path),
    h("div", { class: "run-progress" }, progress.element, facts.element), numbers.element, error, verdict, notes, alerts);
  let shownAlerts = "";

  return {
    element,
    /** @param {any} run Entry of the run. */
    update(run) {
      const live = run.live ?? {};
      setText(name, String(run.name));
      setText(path, String(run.path ?? ""));
      status.update(run.status);
      progress.update(run.step, run.total_steps);
      // Of a run that made all of its steps, and of one without an end, a bar says nothing.
      progress.element.hidden = !(run.step < run.total_steps) && run.status !== "running";
      facts.update(factsOf(run, live));
      numbers.update(run);
      setText(error, run.error ? String(run.error) : "");
      const text = run.verdict?.text ?? run.verdict?.short ?? "";
      setText(verdict, String(text));
      setText(notes, notesOf(run).join("\n"));
      const on = live.alerts ?? run.summary?.alerts?.on ?? [];
      const texts = on.map((/** @type {any} */ alert) => String(alert?.text ?? alert?.kind ?? alert));
      if (texts.join("\n") !== shownAlerts) {
        shownAlerts = texts.join("\n");
        fill(alerts, texts.map((/** @type {string} */ each) => h("li", {}, each)));
      }
      setAttribute(alerts, "hidden", texts.length ? null : "");
    },
  };
}

/** @param {any} run @param {any} live @returns {[string, string, string?][]} */
function factsOf(run, live) {
  const isOn = run.status === "running" || run.status === "starting";
  /** @type {[string, string, string?][]} */
  const facts = [];
  const isKnown = Number.isFinite(run.total_steps);
  facts.push(["step", `${count(run.step)}${isKnown ? ` of ${count(run.total_steps)}` : ""}`]);
  if (isOn) facts.push(["left", duration(run.eta_s)]);
  facts.push(["samples/s", rate(run.samples_per_second)]);
  const ranks = ranksOf(run, live);
  if (ranks) facts.push(["ranks", ranks]);
  const end = run.end ?? (isOn ? Date.now() / 1000 : run.updated);
  if (Number.isFinite(run.start)) {
    facts.push([isOn ? "since" : "took", duration(end - run.start), `started ${moment(run.start)}`]);
  }
  if (isOn && live.stalled_s > 0) facts.push(["no step for", duration(live.stalled_s)]);
  if (run.restarts) facts.push(["restarts", count(run.restarts)]);
  return facts;
}

/** @param {any} run @returns {string[]} What cannot be read, or is not read yet. */
function notesOf(run) {
  const unread = run.is_whole === false
    ? ["Not all windows are read yet: what is shown gets finer within seconds."] : [];
  return [...unread, ...(run.notes ?? []).map(String)];
}

/** @param {any} run @param {any} live Ranks whose numbers these are, of how many. */
function ranksOf(run, live) {
  const coverage = live.coverage;
  if (coverage && Number.isFinite(coverage.world_size)) {
    const here = coverage.ranks ?? coverage.reported ?? coverage.world_size;
    return `${count(Array.isArray(here) ? here.length : here)}/${count(coverage.world_size)}`;
  }
  return run.workers ? count(run.workers) : "";
}

/** The newest losses and metrics, a line for each kind. */
function makeNumbers() {
  const rows = KINDS.map(({ title, of }) => ({ of, title: h("h2", {}, title), facts: makeFacts("facts") }));
  return {
    element: h("div", { class: "numbers" }, rows.map(({ title, facts }) => [title, facts.element])),
    /** @param {any} run */
    update(run) {
      for (const { of, title, facts } of rows) {
        const values = Object.entries(of(run));
        facts.update(values.map(([name, value]) => [name, number(value)]));
        title.hidden = values.length === 0;
      }
    },
  };
}

/** @param {string} name Of the class. A list of names and values that changes in place. */
function makeFacts(name) {
  const element = h("dl", { class: name });
  let names = "";
  /** @type {HTMLElement[]} */
  let values = [];
  return {
    element,
    /** @param {[string, string, string?][]} facts Name, text, and what a pointer on it shows. */
    update(facts) {
      const now = facts.map(([each]) => each).join("\n");
      if (now !== names) {
        names = now;
        values = facts.map(() => h("dd", {}));
        fill(element, facts.map(([each], i) => h("div", {}, h("dt", {}, each), values[i])));
      }
      facts.forEach(([, text, title], i) => {
        setText(values[i], text);
        setAttribute(values[i], "title", title ?? null);
      });
      setAttribute(element, "hidden", facts.length ? null : "");
    },
  };
}
