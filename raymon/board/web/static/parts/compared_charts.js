// @ts-check
/** Which numbers of several runs are laid over each other, and in which order. */

/** Groups of charts: the first that fits a number has it. */
const GROUPS = [
  { key: "evaluation", title: "Evaluation", fits: /^eval:metrics\.(.+)$/ },
  { key: "losses", title: "Losses", fits: /^losses\.(.+)$/ },
  { key: "metrics", title: "Training metrics", fits: /^metrics\.(.+)$/ },
  { key: "speed", title: "Speed", fits: /^(samples_per_second)$/ },
  { key: "other", title: "Learning rates and gradients",
    fits: /^(learning_rates\..+|gradient_norms\..+|window_metrics\..+)$/ },
];

/**
 * Groups of charts, each with a curve for each run that has its number.
 * @param {{id: string, name: string, series?: string[], evaluation_series?: string[]}[]} runs
 */
export function chartsOfRuns(runs) {
  const own = runs.map((run) => new Set([
    ...(run.evaluation_series ?? []).map((name) => `eval:${name}`), ...(run.series ?? [])]));
  const numbers = [...new Set(own.flatMap((names) => [...names]))];
  return GROUPS.map((group) => ({
    key: group.key,
    title: group.title,
    charts: numbers.flatMap((number) => {
      const title = group.fits.exec(number)?.[1];
      if (title === undefined) return [];
      const curves = runs.flatMap((run, index) => (own[index].has(number) ? [{ key: run.id,
        label: run.name, index, isEvaluation: number.startsWith("eval:") }] : []));
      return [{ key: number, number, title, curves }];
    }),
  })).filter((group) => group.charts.length > 0);
}
