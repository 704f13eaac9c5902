"""Counts of a reporter apart from the numbers that it publishes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from raymon.results.alert_figures import AlertFigures
from raymon.results.anatomy import Anatomy


@dataclass(frozen=True)
class MonitoringFigures:
    """What the windows of a run say about monitoring itself.

    Attributes:
        windows: Windows of single ranks that are in the numbers.
        windows_lost: Windows of single ranks that are missing from the numbers.
        worker_failures: Failures of monitoring on workers.
        worker_reasons: Number of `worker_failures` by reason.
        input_counts: What was wrong with the data and was only counted, by name.
        save_counts: Saves that left no checkpoint, by name: failed, or left out.
        sent: Messages that workers sent, including those that were sent again.
        sent_bytes: Bytes of those messages.
        queue_depth_max: Largest number of messages in flight to the reporter at once.
        latency_p50_s, latency_p99_s: Median and 99th percentile of the seconds from a message to
            its answer; None if no message was answered.
    """

    windows: int
    windows_lost: int
    worker_failures: int
    worker_reasons: Mapping[str, int]
    input_counts: Mapping[str, int]
    save_counts: Mapping[str, int]
    sent: int
    sent_bytes: int
    queue_depth_max: int
    latency_p50_s: float | None
    latency_p99_s: float | None


@dataclass(frozen=True)
class RunFigures:
    """Totals of a run, over all merged windows so far.

    Attributes:
        monitoring: What the windows say about monitoring itself.
        end_step: Step that the windows reach.
        checkpoint_step: Step of the newest window that ended at a checkpoint; None before the
            first.
        samples: Rows that all workers trained on.
        train_s: Seconds of training, of the slowest rank.
        monitor_s: Seconds of monitoring on the training thread, of the slowest rank.
        skipped_steps: Steps of the optimizer that were skipped.
        fold_failures: Times that a window could not be added to a metric, or the metric not folded.
        fold_reasons: Number of `fold_failures` by reason.
        anatomy: Where the time of the ranks went.
    """

    monitoring: MonitoringFigures
    end_step: int
    checkpoint_step: int | None
    samples: int
    train_s: float
    monitor_s: float
    skipped_steps: int
    fold_failures: int
    fold_reasons: Mapping[str, int]
    anatomy: Anatomy = field(default_factory=Anatomy)


@dataclass(frozen=True)
class ReporterStatus:
    """Counts of a reporter, and totals of its run.

    Attributes:
        run: Totals of the run, which a restarted reporter goes on with.
        attempts: Number of the attempt that is going on, from 1; 0 before the first.
        ranks_ended: Ranks of it that have made their last step.
        duplicates: Reports that came twice to this reporter.
        refused: Reports that it could not take.
        store_failures: Failures of the storage of the run.
        sink_failures: Calls to sinks that failed for good.
        failure_reasons: Number of failures of workers, metrics, the storage and sinks, by reason.
        alerts: What is wrong, and how many alerts there were.
    """

    run: RunFigures
    attempts: int
    ranks_ended: int
    duplicates: int
    refused: int
    store_failures: int
    sink_failures: int
    failure_reasons: Mapping[str, int]
    alerts: AlertFigures = field(default_factory=AlertFigures)
