"""The summary of a run: how it ended, and its numbers."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import pyarrow as pa

from raymon.errors import RunError
from raymon.reporter.live.session import Session
from raymon.results import AlertFigures, Anatomy, Monitoring, ReporterStatus, Snapshot
from raymon.runs import RUN_FILE, RUNNING, Attempt, summary_html
from raymon.storage import StoragePath, numbers_of, storage_path, to_json, write_whole
from raymon.version import __version__

_OF_SESSION = (
    *("status", "start", "end", "updated", "version", "total_steps", "workers", "parameters"),
    *("attempts", "verdict", "error"),
)
"""Fields that a session knows before it has numbers."""


@dataclass(frozen=True)
class Summary:
    """The content of `run.json`.

    Attributes:
        status: "done"; "diverged" if all steps were made and the losses were not finite at the end;
            "stopped" if `raymon stop` ended it, after a save; "failed" or "interrupted"; "running"
            before the end, which stays if the process was killed.
        model_dir: Directory of the run.
        start: Seconds since 1970, UTC, at which the run began, in its first session.
        end: Seconds since 1970, UTC, at which it ended; None while it goes on.
        updated: Seconds since 1970, UTC, at which this was written.
        version: Version of raymon that wrote it.
        total_steps: Steps of the run; None if unknown.
        workers: Number of ranks of the newest attempt; None before the first one.
        parameters: Numbers of the model, "dense" and in "embedding" tables, over all ranks; None
            until they are known.
        attempts: The attempts of all sessions, the last of which may go on.
        steps: Steps that the model has made; of a run that goes on those that were reported.
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
    start: float | None = None
    end: float | None = None
    updated: float | None = None
    version: str = __version__
    total_steps: int | None = None
    workers: int | None = None
    parameters: Mapping[str, int] | None = None
    attempts: Sequence[Attempt] = ()
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

    def stamped(self) -> Summary:
        """Returns the summary with the time, which is that of its end if the run is over."""
        now = time.time()
        return replace(self, updated=now, end=None if self.status == RUNNING else now)

    def _repr_html_(self) -> str:
        """Returns what a notebook shows of the summary."""
        return summary_html(asdict(self))

    def write(self) -> Summary:
        """Writes `run.json` into the directory of the run, atomically.

        Returns:
            The summary as it was written, with the time.
        """
        written = self.stamped()
        text = to_json(asdict(written), indent=2) + "\n"
        write_whole(storage_path(self.model_dir) / RUN_FILE, text.encode())
        return written


def begin_summary(session: Session, directory: StoragePath, total_steps: int | None) -> None:
    """Writes that a run goes on, if that can be done now: it is written again soon."""
    summary = Summary(
        RUNNING,
        str(directory),
        start=session.start,
        total_steps=total_steps,
        attempts=session.attempts,
    )
    text = to_json(with_numbers_before(summary, session), indent=2) + "\n"
    with suppress(OSError, pa.ArrowException, RunError):
        write_whole(directory / RUN_FILE, text.encode())


def with_numbers_before(summary: Summary, session: Session) -> dict[str, Any]:
    """Returns `run.json` of a session without numbers yet: with those of the one before it."""
    fresh = asdict(summary.stamped())
    return {**fresh, **session.before, **{name: fresh[name] for name in _OF_SESSION}}


def newest_numbers(last: Snapshot | None, before: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the numbers of the last steps of a run, by field of its summary.

    Args:
        last: Newest snapshot of this session; None if it has made no step.
        before: Summary of the session before, if its numbers are those of the last steps.
    """
    if last is None:
        names = ("train_metrics", "train_metric_bounds", "window_metrics", "first_window_weights")
        numbers: dict[str, Any] = {name: numbers_of(before.get(name, {})) for name in names}
        return {**numbers, "device_numbers": before.get("device_numbers")}
    return {
        "train_metrics": {**last.metrics, **last.all_losses},
        "train_metric_bounds": dict(last.metric_bounds),
        "window_metrics": dict(last.window_metrics),
        "first_window_weights": dict(last.first_window_weights),
        "device_numbers": None if last.device is None else last.device.figures(),
    }


def with_counts(summary: Summary, reported: ReporterStatus, failures: Mapping[str, int]) -> Summary:
    """Returns a summary with the totals of a run and the counts of its reporter.

    Args:
        summary: The summary.
        reported: Status of the reporter.
        failures: Number of failures of monitoring outside of the reporter, by reason.
    """
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
            failures=monitoring.failures + sum(failures.values()),
            failure_reasons={**monitoring.failure_reasons, **failures},
        ),
        alerts=reported.alerts,
    )
