"""OTLP by gRPC."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsPartialSuccess,
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from raymon.sinks import BackgroundSink, OpenTelemetry
from tests.sinks.opentelemetry.collector import Collector
from tests.sinks.opentelemetry.test_collectors_in_trouble import free_port, notices_of
from tests.sinks.snapshots import snapshot

_PARTIAL = ExportMetricsPartialSuccess(rejected_data_points=2, error_message="too many")
_SERVICES = (
    ("metrics.v1.MetricsService", "/v1/metrics", ExportMetricsServiceRequest,
     ExportMetricsServiceResponse(partial_success=_PARTIAL)),
    ("trace.v1.TraceService", "/v1/traces", ExportTraceServiceRequest,
     ExportTraceServiceResponse()),
)  # fmt: skip


@contextmanager
def serving(collector: Collector, token: str = "") -> Iterator[str]:
    """Serves both signals, to those who have the token, and yields the address."""

    def handler(path: str, request_type: Any, answer: Any) -> grpc.RpcMethodHandler:
        def export(request: Any, context: grpc.ServicerContext) -> Any:
            if dict(context.invocation_metadata()).get("api-key", "") != token:
                context.abort(grpc.StatusCode.UNAUTHENTICATED, "who is there?")
            collector.add(path, request)
            return answer

        return grpc.unary_unary_rpc_method_handler(
            export, request_type.FromString, lambda message: message.SerializeToString()
        )

    with ThreadPoolExecutor(2) as threads:
        server = grpc.server(threads)
        for name, path, request_type, answer in _SERVICES:
            methods = {"Export": handler(path, request_type, answer)}
            service = f"opentelemetry.proto.collector.{name}"
            generic = grpc.method_handlers_generic_handler(service, methods)
            server.add_generic_rpc_handlers((generic,))
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.stop(None).wait(5)


def test_numbers_and_spans_come_by_grpc_too_with_what_is_rejected(
    collector: Collector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "Api-Key=t0ken")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
    with serving(collector, "t0ken") as url:
        background = BackgroundSink(OpenTelemetry(tmp_path, endpoint=url, protocol="grpc"))
        (notice,) = notices_of(background)
        background.close()
    assert collector.values("raymon_step") == [10]
    assert [span.name for span in collector.spans()] == ["window", "run"]
    assert notice == "OpenTelemetry: the collector rejects 2 points of metrics: too many"


def test_a_token_that_is_refused_by_grpc_and_a_collector_that_is_not_there_are_told(
    collector: Collector, tmp_path: Path
) -> None:
    with serving(collector, "t0ken") as url:
        sink = OpenTelemetry(tmp_path, endpoint=url, protocol="grpc")
        (notice,) = notices_of(BackgroundSink(sink, retry_s=0.001))
        assert f"{url} answers UNAUTHENTICATED: it refuses the token" in notice
    url = f"http://127.0.0.1:{free_port()}"
    sink = OpenTelemetry(tmp_path, endpoint=url, protocol="grpc")
    sink.write(snapshot(10))
    with pytest.raises(ConnectionError, match="cannot be reached: UNAVAILABLE"):
        sink.close()
