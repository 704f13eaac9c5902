"""What a reporter counts beside the numbers that it publishes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class MonitoringFigures:
    """What the windows of a run say of monitoring itself.

    Attributes:
        windows: Windows of single ranks that are in the numbers.
        windows_lost: Windows of single ranks that are missing from them.
        worker_failures: Failures of monitoring on workers.
        worker_reasons: How many of them by reason.
        input_counts: By name, what was wrong with the data and was only counted.
        save_counts: By name, what became of saves of which there is no checkpoint.
        sent: Messages that workers sent, those that were sent again included.
        sent_bytes: Bytes of them.
        queue_depth_max: Most messages on their way to the reporter at once.
        latency_p50_s, latency_p99_s: Seconds from a message to its answer within which a half, and
            99 in 100, were answered; None where no message was answered.
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
        monitoring: What the windows say of monitoring itself.
        end_step: Step that the windows reach.
        checkpoint_step: Step of the newest window that was cut for a checkpoint; None before.
        samples: Rows trained on, over all workers.
        train_s: Seconds of training, by the slowest rank.
        monitor_s: Seconds of monitoring on the training thread, by the slowest rank.
        fold_failures: Windows of metrics that could not be folded.
        fold_reasons: How many of them by reason.
    """

    monitoring: MonitoringFigures
    end_step: int
    checkpoint_step: int | None
    samples: int
    train_s: float
    monitor_s: float
    fold_failures: int
    fold_reasons: Mapping[str, int]


@dataclass(frozen=True)
class ReporterStatus:
    """What a reporter counted of a run.

    Attributes:
        run: Totals of the run, which a reporter that starts anew goes on with.
        attempts: Number of the attempt that is going on, from 1; 0 before the first.
        ranks_ended: Ranks of it that have made their last step.
        duplicates: Reports that came twice to this reporter.
        rejected: Reports that it could not take.
        store_failures: Failures of the storage of the run, as it saw them.
        sink_failures: Calls to sinks that failed for good.
        failure_reasons: How many failures there were by reason, of workers, metrics, the storage
            and sinks.
    """

    run: RunFigures
    attempts: int
    ranks_ended: int
    duplicates: int
    rejected: int
    store_failures: int
    sink_failures: int
    failure_reasons: Mapping[str, int]
