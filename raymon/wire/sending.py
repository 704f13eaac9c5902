"""The cost of sending: messages, bytes, and the time until they are answered."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import zip_longest

from raymon.protos.report_pb2 import SendingCounts

_BUCKETS = 56
"""Number of buckets of latencies, each a half power of 2 of a microsecond: up to four minutes."""


class SendingCounter:
    """Counts what a sender does between two windows."""

    def __init__(self) -> None:
        self._sent = self._bytes = self._in_flight = 0
        self._latencies = [0] * _BUCKETS

    def add_message(self, size: int, in_flight: int) -> None:
        """Counts a message of `size` bytes that went out as one of `in_flight`."""
        self._sent += 1
        self._bytes += size
        self._in_flight = max(self._in_flight, in_flight)

    def add_answer(self, seconds: float) -> None:
        """Counts a message that was answered after `seconds`."""
        half_powers = 2 * math.log2(max(seconds * 1e6, 1.0))
        self._latencies[min(int(half_powers), _BUCKETS - 1)] += 1

    def take(self) -> SendingCounts:
        """Returns the counts since the last call."""
        last = max((i for i, count in enumerate(self._latencies) if count), default=-1)
        counts = SendingCounts(
            sent=self._sent,
            bytes=self._bytes,
            in_flight=self._in_flight,
            latencies=self._latencies[: last + 1],
        )
        self._sent = self._bytes = self._in_flight = 0
        self._latencies = [0] * _BUCKETS
        return counts


def add_sending(total: SendingCounts, part: SendingCounts) -> None:
    """Adds the counts of another rank in the same window, whose messages are in flight as well."""
    total.sent += part.sent
    total.bytes += part.bytes
    total.in_flight += part.in_flight
    if part.latencies:
        pairs = zip_longest(total.latencies, part.latencies, fillvalue=0)
        total.latencies[:] = [one + other for one, other in pairs]


def latency_quantile(latencies: Sequence[int], share: float) -> float | None:
    """Returns the seconds within which a share of the messages was answered, to half a power of 2.

    Args:
        latencies: Counts as in `SendingCounts.latencies`.
        share: Share of the messages, in (0, 1].

    Returns:
        Seconds; None if no message was answered.
    """
    needed, seen = share * sum(latencies), 0
    for i, count in enumerate(latencies):
        seen += count
        if count and seen >= needed:
            return float(2.0 ** ((i + 1) / 2) * 1e-6)
    return None
