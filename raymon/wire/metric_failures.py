"""Train metrics that have no value in some steps, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from raymon.protos.report_pb2 import MetricFailure as MetricFailureMessage

OF_A_METRIC = "train metric "
"""How the reason of a failure of monitoring begins that is a train metric's, which `MetricFailures`
tell as well."""


class MetricFailure(NamedTuple):
    """Why a train metric has no value in some steps.

    Attributes:
        rank: Rank on which it failed; -1 if it failed in the reporter.
        reason: What went wrong, such as "an update failed: ValueError: ... (my.py:12 in update)".
    """

    rank: int
    reason: str

    def __str__(self) -> str:
        """Returns the reason, with the rank."""
        return self.reason if self.rank < 0 else f"rank {self.rank}: {self.reason}"

    def to_message(self, metric: str) -> MetricFailureMessage:
        """Returns the message that `from_message` reads."""
        rank = None if self.rank < 0 else self.rank
        return MetricFailureMessage(metric=metric, reason=self.reason, rank=rank)

    @classmethod
    def from_message(cls, message: MetricFailureMessage) -> MetricFailure:
        """Returns the failure of a message."""
        return cls(message.rank if message.HasField("rank") else -1, message.reason)


MetricFailures = Mapping[str, MetricFailure]
"""Why metrics have no value, by name."""


def decode_metric_failures(messages: Iterable[MetricFailureMessage]) -> dict[str, MetricFailure]:
    """Returns the failures of messages, by metric."""
    return {message.metric: MetricFailure.from_message(message) for message in messages}


def encode_metric_failures(failures: MetricFailures) -> list[MetricFailureMessage]:
    """Returns the messages that `decode_metric_failures` reads, in the order of the names."""
    return [failures[metric].to_message(metric) for metric in sorted(failures)]


def merge_metric_failures(total: dict[str, MetricFailure], parts: MetricFailures) -> None:
    """Merges the failures of further ranks or steps into `total`, that of the lowest rank first."""
    for metric, failure in parts.items():
        total[metric] = min(total.get(metric, failure), failure)
