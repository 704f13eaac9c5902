// @ts-check
/** Which numbers of several runs are laid over each other, and in which order. */

/** Groups of charts: the first that fits a number has it. */
const GROUPS = [
  { key: "losses", title: "Losses", fits: /^losses\.(.+)$/ },
  { key: "metrics", title: "Metrics", fits: /^metrics\.(.+)$/ },
  { key: "evaluation", title: "Evaluation alone", fits: /^eval:metrics\.(.+)$/ },
  { key: "speed", title: "Speed", fits: /^(samples_per_second)$/ },
  { key: "other", title: "Logged scalars, learning rates and gradients",
    fits: /^(scalars\..+|learning_rates\..+|gradient_norms\..+|window_metrics\..+)$/ },
];

/**
 * Groups of charts, each with a curve for each run that has its number. A number of training and that
 * of evaluations of the same name are on one chart.
 * @param {{id: string, name: string, series?: string[], evaluation_series?: string[]}[]} runs
 */
export function chartsOfRuns(runs) {
  const own = runs.map((run) => new Set([
    ...(run.evaluation_series ?? []).map((name) => `eval:${name}`), ...(run.series ?? [])]));
  const numbers = [...new Set(own.flatMap((names) => [...names]))];
  const evaluated = (/** @type {string} */ number) => `eval:${number.replace(/^losses\./, "metrics.")}`;
  const joined = new Set(numbers.filter((number) => /^(losses|metrics)\./.test(number)).map(evaluated));
  return GROUPS.map((group) => ({
    key: group.key,
    title: group.title,
    charts: numbers.flatMap((number) => {
      const title = group.fits.exec(number)?.[1];
      if (title === undefined || joined.has(number)) return [];
      const both = [number, ...(joined.has(evaluated(number)) ? [evaluated(number)] : [])];
      const curves = both.flatMap((each, second) => runs.flatMap((run, index) => (own[index].has(each) ? [{
        key: `${run.id} ${each}`, number: each, index, isEvaluation: each.startsWith("eval:"),
        label: second ? `${run.name}, evaluation` : run.name }] : [])));
      return [{ key: number, numbers: both, title, curves }];
    }),
  })).filter((group) => group.charts.length > 0);
}
