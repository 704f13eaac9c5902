"""The cost of monitoring, over all windows that are merged."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from raymon.protos.report_pb2 import MonitoringCostState, SendingCounts
from raymon.reporter.windows.window_sum import WindowSum
from raymon.results import MonitoringFigures
from raymon.wire import add_sending, latency_quantile


@dataclass
class MonitoringCost:
    """The cost of monitoring, summed over windows.

    Attributes:
        windows: Windows of single ranks, without the empty ones that ranks send at the start.
        windows_lost: Windows of single ranks that are missing from merged windows.
        failures: Failures of monitoring on workers.
        input_counts: What was wrong with the data and was only counted, by name.
        save_counts: Saves that left no checkpoint, by name: failed, or left out.
        failure_reasons: Number of `failures` by reason.
        sending: Messages and bytes in total; `in_flight` is the largest of any window.
    """

    windows: int = 0
    windows_lost: int = 0
    failures: int = 0
    input_counts: Counter[str] = field(default_factory=Counter)
    save_counts: Counter[str] = field(default_factory=Counter)
    failure_reasons: Counter[str] = field(default_factory=Counter)
    sending: SendingCounts = field(default_factory=SendingCounts)

    def add(self, window: WindowSum, lost: int) -> None:
        """Adds a merged window that `lost` ranks are missing from."""
        if window.end_step > window.first_step or window.checkpoint or window.ended:
            self.windows += len(window.ranks)
        self.windows_lost += lost
        self.failures += window.failures
        self.input_counts.update(window.input_counts)
        self.save_counts.update(window.save_counts)
        self.failure_reasons.update(window.failure_reasons)
        most = max(self.sending.in_flight, window.sending.in_flight)
        add_sending(self.sending, window.sending)
        self.sending.in_flight = most

    def figures(self) -> MonitoringFigures:
        """Returns the sums so far."""
        return MonitoringFigures(
            windows=self.windows,
            windows_lost=self.windows_lost,
            worker_failures=self.failures,
            worker_reasons=dict(self.failure_reasons),
            input_counts=dict(self.input_counts),
            save_counts=dict(self.save_counts),
            sent=self.sending.sent,
            sent_bytes=self.sending.bytes,
            queue_depth_max=self.sending.in_flight,
            latency_p50_s=latency_quantile(self.sending.latencies, 0.5),
            latency_p99_s=latency_quantile(self.sending.latencies, 0.99),
        )

    def to_message(self) -> MonitoringCostState:
        """Returns the message that `from_message` reads."""
        return MonitoringCostState(
            windows=self.windows,
            windows_lost=self.windows_lost,
            failures=self.failures,
            sending=self.sending,
            input_counts=self.input_counts,
            save_counts=self.save_counts,
            failure_reasons=self.failure_reasons,
        )

    @classmethod
    def from_message(cls, message: MonitoringCostState) -> MonitoringCost:
        """Returns the sums of a message."""
        sending = SendingCounts()
        sending.CopyFrom(message.sending)
        return cls(
            windows=message.windows,
            windows_lost=message.windows_lost,
            failures=message.failures,
            input_counts=Counter(message.input_counts),
            save_counts=Counter(message.save_counts),
            failure_reasons=Counter(message.failure_reasons),
            sending=sending,
        )
