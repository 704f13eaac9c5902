"""A collector that keeps what it is sent by OTLP over HTTP, and answers as it is told."""

from __future__ import annotations

import gzip
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

_REQUESTS = {
    "/v1/metrics": ExportMetricsServiceRequest,
    "/v1/traces": ExportTraceServiceRequest,
}


class Collector:
    """What a collector was sent.

    Attributes:
        url: Its address.
        status: The status that it answers with, by path.
        answer: The body that it answers with, by path.
        silent: Set while it answers.
        headers: Headers of the requests that it took.
        asked: Number of requests by path, also of those that it refused.
    """

    def __init__(self) -> None:
        self.url = ""
        self.status: dict[str, int] = {}
        self.answer: dict[str, bytes] = {}
        self.answers = threading.Event()
        self.answers.set()
        self.headers: list[Mapping[str, str]] = []
        self.asked: Counter[str] = Counter()
        self.metrics: list[ExportMetricsServiceRequest] = []
        self.traces: list[ExportTraceServiceRequest] = []

    def take(self, path: str, headers: Mapping[str, str], body: bytes) -> int:
        """Takes a request, and returns the status of the answer."""
        self.asked[path] += 1
        self.answers.wait(30)
        if self.status.get(path, 200) != 200:
            return self.status[path]
        if headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.headers.append(headers)
        self.add(path, _REQUESTS[path].FromString(body))
        return 200

    def add(self, path: str, request: Any) -> None:
        """Keeps a request."""
        (self.metrics if path == "/v1/metrics" else self.traces).append(request)

    def points(self, name: str, **labels: str) -> list[tuple[int, float]]:
        """Returns times in nanoseconds and values of a metric, in the order in which they came."""
        return [
            (point.time_unix_nano, number_of(point))
            for request in self.metrics
            for resource in request.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in (metric.gauge.data_points or metric.sum.data_points)
            if labels.items() <= values_of(point.attributes).items()
        ]

    def values(self, name: str, **labels: str) -> list[float]:
        """Returns the values of a metric, in the order in which they came."""
        return [value for _, value in self.points(name, **labels)]

    def names(self) -> set[str]:
        """Returns the names of the metrics that came."""
        return {
            metric.name
            for request in self.metrics
            for resource in request.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }

    def spans(self, name: str | None = None) -> list[Span]:
        """Returns the spans of a name in the order of their begin, or all."""
        found = [
            span
            for request in self.traces
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
            if name in (None, span.name)
        ]
        return sorted(found, key=lambda span: span.start_time_unix_nano)

    def resource(self) -> dict[str, Any]:
        """Returns the attributes of the resource of the first spans or metrics."""
        if self.traces:
            return values_of(self.traces[0].resource_spans[0].resource.attributes)
        return values_of(self.metrics[0].resource_metrics[0].resource.attributes)


def number_of(point: Any) -> float:
    """Returns the number of a point."""
    number: float = point.as_int if point.WhichOneof("value") == "as_int" else point.as_double
    return number


def values_of(attributes: Any) -> dict[str, Any]:
    """Returns attributes by name."""
    return {
        each.key: getattr(each.value, str(each.value.WhichOneof("value"))) for each in attributes
    }


@contextmanager
def collecting() -> Iterator[Collector]:
    """Runs a collector on a free port of this machine."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = collector.take(self.path, dict(self.headers), body)
            answer = collector.answer.get(self.path, b"")
            try:
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)
            except OSError:
                pass  # who asked has gone

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    collector.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        collector.answers.set()
        server.shutdown()
        server.server_close()
