"""Writes a run that nobody trained, with as many windows and ranks as are asked for.

    python -m benchmarks.inputs.made_run DIR --windows 100000 --ranks 1000

Its numbers are written by raymon's own sinks. It has peaks and gaps of the loss, a restart after
which some windows are made again, stragglers, alerts, evaluations and checkpoints without tensors.
"""

from __future__ import annotations

import time
from pathlib import Path

import click

from benchmarks.inputs.made_bins import made_line
from benchmarks.inputs.made_curves import STEPS, WINDOW_S, MadeCurves
from benchmarks.inputs.made_files import write_checkpoints, write_logs, write_summary
from benchmarks.inputs.made_ranks import rank_snapshots, stragglers
from raymon.results import Alert, Finding
from raymon.sinks import AlertLines, EvaluationLines, RankLines, Sink, WindowLines
from raymon.storage import to_json

_NO_LIMIT = 1 << 40


def write_run(
    directory: Path, curves: MadeCurves, *, goes_on: bool = False, events: bool = False
) -> None:
    """Writes a run.

    Args:
        directory: Directory of the run.
        curves: Its numbers.
        goes_on: Whether its summary says that it goes on.
        events: Whether its windows are written for TensorBoard, too.
    """
    (directory / "monitor").mkdir(parents=True, exist_ok=True)
    sinks: list[Sink] = [WindowLines(directory, _NO_LIMIT)]
    if events:
        # Imported here, since it imports torch.
        from raymon.sinks import TensorBoard

        sinks.append(TensorBoard(directory, ("loss", "learning_rate", "global_gradient_norm")))
    for snapshot in curves.snapshots():
        for sink in sinks:
            sink.write(snapshot)
    for sink in sinks:
        sink.close()
    ranks = RankLines(directory, _NO_LIMIT)
    for snapshot in rank_snapshots(curves):
        ranks.write(snapshot)
        ranks.flush()
    found = list(curves.evaluations())
    scores = EvaluationLines(directory)
    with (directory / "monitor" / "evaluations.jsonl").open("w") as file:
        for at, evaluation in found:
            scores.write_evaluation(evaluation)
            file.write(to_json(made_line(evaluation, at)) + "\n")
    last, best = found[-1][1], max((each for _, each in found), key=lambda e: e.metrics["auc"])
    _write_alerts(directory, curves)
    write_checkpoints(directory, found, best)
    write_logs(directory, curves)
    write_summary(directory, curves, last, best, goes_on)
    example = Path(__file__).parents[2] / "raymon" / "examples" / "demo.config"
    text = example.read_text().replace("lr: 0.003", f"lr: {curves.rate}")
    (directory / "pipeline.config").write_text(
        text.replace('model_dir: "demo/run"', f'model_dir: "{directory}"')
    )


def _write_alerts(directory: Path, curves: MadeCurves) -> None:
    lines, alerts = AlertLines(directory), list[Alert]()
    for peak in curves.peaks:
        text = f"binary_cross_entropy rose to {curves.losses[peak]:.3g} at step {peak * STEPS:,}"
        finding = Finding("loss_spike", text, first_step=peak * STEPS, last_step=peak * STEPS,
                          subject="binary_cross_entropy", of_steps=True)  # fmt: skip
        for window, is_over in ((peak, False), (peak + 20, True)):
            alerts.append(_alert(finding, curves, window, is_over))
    for rank, (phase, begin, end) in stragglers(curves).items():
        host = f"worker-{rank // 8:03d}"
        text = f"rank {rank} on {host} is slower than the others, in {phase}"
        finding = Finding("straggler", text, rank=rank, host=host, phase=phase,
                          first_step=begin * STEPS, cost=9000.0)  # fmt: skip
        alerts.append(_alert(finding, curves, begin, is_over=False))
        if end < curves.windows:
            alerts.append(_alert(finding, curves, end, is_over=True))
    for alert in sorted(alerts, key=lambda each: each.time):
        lines.write_alert(alert)


def _alert(finding: Finding, curves: MadeCurves, window: int, is_over: bool) -> Alert:
    window = min(window, curves.windows - 1)
    attempt = 1 if window < curves.restart else 2
    return Alert(finding, attempt, (window + 1) * STEPS, curves.time(window), is_over)


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--windows", type=click.IntRange(min=100), default=1000, show_default=True)
@click.option("--ranks", type=click.IntRange(min=1), default=8, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--rate", type=float, default=0.003, show_default=True, help="Learning rate.")
@click.option("--events", is_flag=True, help="Write files for TensorBoard, too.")
@click.option("--goes-on", is_flag=True, help="Say in its summary that it goes on.")
def main(
    directory: Path, windows: int, ranks: int, seed: int, rate: float, events: bool, goes_on: bool
) -> None:
    """Write a run that nobody trained to DIRECTORY; it ends now."""
    if (directory / "monitor").exists():
        raise click.UsageError(f"{directory} has a run already")
    begin = time.time() - windows * WINDOW_S - 400
    curves = MadeCurves(windows, ranks, begin, seed, rate)
    write_run(directory, curves, goes_on=goes_on, events=events)


if __name__ == "__main__":
    main()
