"""Sends points and spans to the collectors of a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from raymon.sinks.opentelemetry.collector_errors import CollectorError
from raymon.sinks.opentelemetry.destination import GRPC, Destination, Signal
from raymon.sinks.opentelemetry.http_client import HttpClient
from raymon.sinks.opentelemetry.otlp import (
    Point,
    encode_points,
    encode_spans,
    rejected_points,
    rejected_spans,
)
from raymon.sinks.opentelemetry.outbox import Client, Outbox
from raymon.sinks.opentelemetry.spans import FinishedSpan

_MOST_POINTS, _POINTS_AT_ONCE = 100_000, 5_000
_MOST_SPANS, _SPANS_AT_ONCE = 10_000, 500
"""What waits at most while a collector takes nothing, some ten megabytes; and what a message has:
by gRPC a collector takes four megabytes."""


class Exporter:
    """Sends what it is given, as long as it waits no longer than a few messages.

    Args:
        destinations: Where each signal goes; one without is dropped.
        resource: Attributes of who sends.
        labels: Attributes of all points.
    """

    def __init__(
        self,
        destinations: Mapping[Signal, Destination],
        resource: Mapping[str, str],
        labels: Mapping[str, str],
    ) -> None:
        clients = {signal: _client_of(to) for signal, to in destinations.items()}
        self._points: Outbox[Point] | None = None
        self._spans: Outbox[FinishedSpan] | None = None
        if "metrics" in clients:
            self._points = Outbox(
                "points of metrics",
                clients["metrics"],
                lambda points: encode_points(points, resource, labels),
                rejected_points,
                most=_MOST_POINTS,
                at_once=_POINTS_AT_ONCE,
            )
        if "traces" in clients:
            self._spans = Outbox(
                "spans",
                clients["traces"],
                lambda spans: encode_spans(spans, resource),
                rejected_spans,
                most=_MOST_SPANS,
                at_once=_SPANS_AT_ONCE,
            )

    def add(self, points: Iterable[Point] = (), spans: Iterable[FinishedSpan] = ()) -> None:
        """Adds points and spans, without sending them."""
        # Spans are made of what is going on, which changes by that, also if none are sent.
        made = list(spans)
        if self._points is not None:
            self._points.add(points)
        if self._spans is not None:
            self._spans.add(made)

    def send(self) -> None:
        """Sends all that waits.

        Raises:
            CollectorError: Something waits on; what is for another collector was sent.
        """
        first: CollectorError | None = None
        for outbox in self._outboxes:
            try:
                outbox.send()
            except CollectorError as error:
                first = first or error
        if first is not None:
            raise first

    def take_notices(self) -> list[str]:
        """Returns the notices since the last call."""
        found = []
        for outbox in self._outboxes:
            found += outbox.notices
            outbox.notices = []
        return found

    def close(self) -> None:
        """Closes the connections."""
        for outbox in self._outboxes:
            outbox.close()

    @property
    def _outboxes(self) -> list[Outbox[Point] | Outbox[FinishedSpan]]:
        return [outbox for outbox in (self._points, self._spans) if outbox is not None]


def _client_of(destination: Destination) -> Client:
    if destination.protocol == GRPC:
        # Only who speaks it has to have it.
        from raymon.sinks.opentelemetry.grpc_client import GrpcClient

        return GrpcClient(destination)
    return HttpClient(destination)
