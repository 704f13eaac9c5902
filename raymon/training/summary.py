"""The summary of a run: how it ended, and its numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import pyarrow as pa

from raymon.config import ranking
from raymon.errors import RunError
from raymon.reporter import Progress
from raymon.results import (
    ROWS_LEFT_OVER_AN_EPOCH,
    AlertFigures,
    Anatomy,
    Monitoring,
    ReporterStatus,
    Snapshot,
)
from raymon.runs import DIVERGED, DONE, RUN_FILE, RUNNING, read_devices
from raymon.storage import StoragePath, numbers_of, storage_path, to_json, write_whole
from raymon.training.checkpoint.best import why_no_best
from raymon.training.checkpoint.manifest import Checkpoint, list_checkpoints, newest_checkpoint
from raymon.training.checkpoint.ranking import best_of
from raymon.training.prepare import RunPlan
from raymon.training.table_plans import read_plans


@dataclass(frozen=True)
class Summary:
    """The content of `run.json`.

    Attributes:
        status: "done"; "diverged" if all steps were made and the losses were not finite at the end;
            "stopped" if `raymon stop` ended it, after a save; "failed" or "interrupted"; "running"
            before the end, which stays if the process was killed.
        model_dir: Directory of the run.
        steps: Steps that the model has made.
        stopped_early: Which scores stopped improving; None if early stopping did not end the run.
        diverged_since: Step from which on no window had a finite total loss; None if the last one
            had.
        epochs: Completed epochs.
        samples: Rows trained on, over all workers.
        train_s: Seconds of training, without evaluations and saves.
        samples_per_second: Samples of all workers per second of `train_s`.
        train_metrics: Losses and decayed metrics of the last steps.
        train_metric_bounds: Largest possible errors of the decayed metrics that are not exact.
        window_metrics: Metrics of those last steps alone, without decayed earlier ones.
        first_window_weights: Share of the first window in each decayed metric, as in a `Snapshot`.
        eval_metrics: Scores of the last evaluation.
        eval_metric_bounds: Largest possible errors of the scores that are not exact, if the
            evaluation was in this session.
        eval_metric_details: Further counts of the metrics, as in an `Evaluation`.
        no_value: Reasons for the metrics of that evaluation whose score is NaN.
        best_checkpoint: Path of the best checkpoint by the configured metric, or of the newest one
            if there is no evaluation; None if no checkpoint has a value of the metric.
        no_best: Why there is no best checkpoint; None if there is one.
        best_metrics: Scores of the best checkpoint.
        best_metric_bounds: Largest possible errors of those scores, like `eval_metric_bounds`.
        export: Directory of the exported model; None if there is none.
        restarts: How often the workers were restarted.
        input_counts: Defects of the data that were only counted, by name.
        save_counts: Saves without a checkpoint, failed or left out, by name.
        skipped_steps: Steps of the optimizer that were skipped, as a gradient was not finite.
        embedding_tables: Where each embedding table was held, as in `tables.json`.
        devices: Device of each worker of the last attempt, as in `devices.json`.
        device_numbers: Memory and use of the GPUs in the last steps, by name as in a line of
            `windows.jsonl`; None on CPUs.
        phases: Where the time of the ranks went over the whole run, as in a line of
            `windows.jsonl`; None if the reporter did not answer at the end.
        monitoring: Cost of monitoring. Counts of the reporter are None if it did not answer at the
            end.
        alerts: Findings that were on at the end, and how many alerts began, by kind; None if the
            reporter did not answer at the end.
        verdict: What held the run up most, or how it ended, in a few words; None if it was not
            looked for.
        error: What ended a failed run, in one line.
    """

    status: str
    model_dir: str
    steps: int = 0
    stopped_early: str | None = None
    diverged_since: int | None = None
    epochs: int = 0
    samples: int | None = None
    train_s: float | None = None
    samples_per_second: float | None = None
    train_metrics: Mapping[str, float] = field(default_factory=dict)
    train_metric_bounds: Mapping[str, float] = field(default_factory=dict)
    window_metrics: Mapping[str, float] = field(default_factory=dict)
    first_window_weights: Mapping[str, float] = field(default_factory=dict)
    eval_metrics: Mapping[str, float] = field(default_factory=dict)
    eval_metric_bounds: Mapping[str, float] = field(default_factory=dict)
    eval_metric_details: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    no_value: Mapping[str, str] = field(default_factory=dict)
    best_checkpoint: str | None = None
    no_best: str | None = None
    best_metrics: Mapping[str, float] = field(default_factory=dict)
    best_metric_bounds: Mapping[str, float] = field(default_factory=dict)
    export: str | None = None
    restarts: int = 0
    input_counts: Mapping[str, int] = field(default_factory=dict)
    save_counts: Mapping[str, int] = field(default_factory=dict)
    skipped_steps: int = 0
    embedding_tables: Sequence[Mapping[str, Any]] = ()
    devices: Sequence[Mapping[str, Any]] = ()
    device_numbers: Mapping[str, float | None] | None = None
    phases: Anatomy | None = None
    monitoring: Monitoring | None = None
    alerts: AlertFigures | None = None
    verdict: str | None = None
    error: str | None = None

    def write(self) -> None:
        """Writes `run.json` into the directory of the run, atomically."""
        text = to_json(asdict(self), indent=2) + "\n"
        write_whole(storage_path(self.model_dir) / RUN_FILE, text.encode())


def begin_summary(model_dir: StoragePath) -> None:
    """Marks a run as running in its summary; a resumed run keeps what its summary had."""
    before = _read_summary(model_dir)
    now = {**before, "status": RUNNING, "verdict": None, "error": None} if before else None
    with suppress(OSError, pa.ArrowException, RunError):
        if now is None:
            Summary(RUNNING, str(model_dir)).write()
        else:
            write_whole(model_dir / RUN_FILE, (to_json(now, indent=2) + "\n").encode())


def summarise(
    plan: RunPlan, progress: Progress, status: str, reported: ReporterStatus | None
) -> Summary:
    """Returns the summary of a run that ended.

    Args:
        plan: Plan of the run.
        progress: Progress of the run as the driver saw it.
        status: See `Summary`; "done" becomes "diverged" if the losses diverged.
        reported: Last status of the reporter; None if it did not answer any more.
    """
    model_dir = storage_path(plan.config.model_dir)
    checkpoints = list_checkpoints(model_dir)
    newest = newest_checkpoint(model_dir)
    export = ranking(plan.config)
    best = best_of(checkpoints, export)
    if best is None and not any(checkpoint.metrics for checkpoint in checkpoints):
        best = newest
    no_best = None
    if best is None:
        metric = export.best_exporter_metric
        no_best = why_no_best(checkpoints, metric) if checkpoints else "there is no checkpoint"
    last = progress.last
    before = {} if last else _previous_summary(model_dir, newest)
    evaluations = {evaluation.step: evaluation for evaluation in progress.evaluations}
    scored = evaluations.get(newest.step) if newest else None
    scored_best = evaluations.get(best.step) if best else None
    diverged_since = progress.diverged_since if last else before.get("diverged_since")
    if status == DONE and diverged_since is not None:
        status = DIVERGED
    summary = Summary(
        status=status,
        model_dir=str(model_dir),
        steps=newest.step if newest else 0,
        stopped_early=newest.stopped if newest else None,
        diverged_since=diverged_since,
        epochs=newest.epoch if newest else 0,
        train_metrics=_train_metrics(last) if last else numbers_of(before.get("train_metrics", {})),
        **_metric_context(last, before),
        eval_metrics=dict(newest.metrics) if newest else {},
        eval_metric_bounds=dict(
            scored.metric_bounds if scored else before.get("eval_metric_bounds", {})
        ),
        eval_metric_details=dict(
            scored.metric_details if scored else before.get("eval_metric_details", {})
        ),
        no_value=dict(scored.no_value if scored else before.get("no_value", {})),
        best_checkpoint=str(best.path) if best else None,
        no_best=no_best,
        best_metrics=dict(best.metrics) if best else {},
        best_metric_bounds=dict(scored_best.metric_bounds) if scored_best else {},
        embedding_tables=read_plans(model_dir),
        devices=read_devices(model_dir),
        device_numbers=_device_numbers(last, before),
    )
    if reported is not None:
        summary = _with_counts(summary, reported, progress.hook_failures)
    if plan.left_over:
        left_over = {ROWS_LEFT_OVER_AN_EPOCH: plan.left_over}
        summary = replace(summary, input_counts={**summary.input_counts, **left_over})
    return summary


def _with_counts(
    summary: Summary, reported: ReporterStatus, hook_failures: Mapping[str, int]
) -> Summary:
    run = reported.run
    monitoring = Monitoring.of_status(reported)
    return replace(
        summary,
        samples=run.samples,
        train_s=run.train_s,
        samples_per_second=run.samples / run.train_s if run.train_s > 0 else None,
        restarts=max(0, reported.attempts - 1),
        input_counts=dict(run.monitoring.input_counts),
        save_counts=dict(run.monitoring.save_counts),
        skipped_steps=run.skipped_steps,
        phases=run.anatomy,
        monitoring=replace(
            monitoring,
            failures=monitoring.failures + sum(hook_failures.values()),
            failure_reasons={**monitoring.failure_reasons, **hook_failures},
        ),
        alerts=reported.alerts,
    )


def _train_metrics(last: Snapshot) -> dict[str, float]:
    return {**last.metrics, **last.all_losses}


def _metric_context(last: Snapshot | None, before: Mapping[str, Any]) -> dict[str, Any]:
    """Returns bounds, window metrics and first weights for the train metrics.

    They are of the last steps, or else those of the session before.
    """
    if last is None:
        names = ("train_metric_bounds", "window_metrics", "first_window_weights")
        return {name: numbers_of(before.get(name, {})) for name in names}
    return {
        "train_metric_bounds": dict(last.metric_bounds),
        "window_metrics": dict(last.window_metrics),
        "first_window_weights": dict(last.first_window_weights),
    }


def _device_numbers(
    last: Snapshot | None, before: Mapping[str, Any]
) -> Mapping[str, float | None] | None:
    """Returns the numbers of the GPUs in the last steps, or else those of the session before."""
    if last is None:
        return before.get("device_numbers")
    return None if last.device is None else last.device.figures()


def _previous_summary(model_dir: StoragePath, newest: Checkpoint | None) -> dict[str, Any]:
    """Returns the summary of a run that was resumed when no step was left to make."""
    before = _read_summary(model_dir)
    is_same = newest is not None and before.get("steps") == newest.step
    return before if is_same else {}


def _read_summary(model_dir: StoragePath) -> dict[str, Any]:
    try:
        known = json.loads((model_dir / RUN_FILE).read_text())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
