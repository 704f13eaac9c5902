"""The cost of monitoring a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from raymon.results.status import ReporterStatus


@dataclass(frozen=True)
class Monitoring:
    """The cost of monitoring a run, as its summary shows it.

    Attributes:
        share: Share of the training time, on the training thread of the slowest rank; None without
            training.
        seconds: Seconds on the training thread of the slowest rank.
        windows: Windows of single ranks that are in the numbers.
        windows_made: Windows of single ranks that are in the numbers or lost.
        windows_lost: Windows of single ranks that were dropped or refused.
        sent: Messages that workers sent, including those that were sent again.
        sent_bytes: Bytes of those messages.
        duplicates: Reports that came twice.
        queue_depth_max: Largest number of messages in flight to the reporter at once.
        latency_p50_s, latency_p99_s: Median and 99th percentile of the seconds from a message to
            the answer of the reporter, to half a power of 2; None if none was answered.
        steps_reported: Steps that all of this covers.
        failures: Failures of sinks, metrics, workers, and the storage of the run.
        failure_reasons: Number of `failures` by reason.
    """

    share: float | None
    seconds: float
    windows: int
    windows_made: int
    windows_lost: int
    sent: int
    sent_bytes: int
    duplicates: int
    queue_depth_max: int
    latency_p50_s: float | None
    latency_p99_s: float | None
    steps_reported: int
    failures: int
    failure_reasons: Mapping[str, int]

    @classmethod
    def of_status(cls, status: ReporterStatus) -> Monitoring:
        """Returns what the last status of a reporter says of monitoring."""
        run, counted = status.run, status.run.monitoring
        lost = counted.windows_lost + status.refused
        return cls(
            share=run.monitor_s / run.train_s if run.train_s > 0 else None,
            seconds=run.monitor_s,
            windows=counted.windows,
            windows_made=counted.windows + lost,
            windows_lost=lost,
            sent=counted.sent,
            sent_bytes=counted.sent_bytes,
            duplicates=status.duplicates,
            queue_depth_max=counted.queue_depth_max,
            latency_p50_s=counted.latency_p50_s,
            latency_p99_s=counted.latency_p99_s,
            steps_reported=run.end_step,
            failures=(
                status.sink_failures
                + run.fold_failures
                + status.store_failures
                + counted.worker_failures
            ),
            failure_reasons=dict(status.failure_reasons),
        )

    def __str__(self) -> str:
        """Returns a line such as `0.4 % of training time, 1,204 windows, 0 lost`."""
        parts = [_counted(self.windows, "window"), f"{self.windows_lost:,} lost"]
        if self.share is not None:
            parts.insert(0, f"{_percent(self.share)} % of training time")
        if self.failures:
            parts.append(_counted(self.failures, "failure"))
            first = next(iter(self.failure_reasons), None)
            if first is not None:
                more = len(self.failure_reasons) - 1
                parts[-1] += f" ({first}" + (f"; {more} more in run.json)" if more else ")")
        return ", ".join(parts)


def _percent(share: float) -> str:
    return "<0.1" if 0 < share < 0.0005 else f"{share * 100:.1f}"


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"
