"""Collectors that are down, silent, full or refuse: a run is neither slowed nor stopped."""

from __future__ import annotations

import logging
import socket
import time
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

from raymon.results import AttemptBegan
from raymon.sinks import BackgroundSink, OpenTelemetry
from raymon.sinks.opentelemetry.outbox import Outbox
from tests.sinks.opentelemetry.collector import Collector
from tests.sinks.sinks import wait_for
from tests.sinks.snapshots import snapshot

_SECRET = "t0p-s3cret"


def notices_of(background: BackgroundSink) -> list[str]:
    """Writes a number, and returns the notices of it."""
    background.write(snapshot(10))
    background.flush()
    return wait_for(background.take_notices)


def free_port() -> int:
    with socket.socket() as unbound:
        unbound.bind(("127.0.0.1", 0))
        port: int = unbound.getsockname()[1]
    return port


def test_a_collector_that_is_down_is_told_of_once_and_gets_all_when_it_is_there(
    collector: Collector, tmp_path: Path
) -> None:
    collector.status = {"/v1/metrics": 503, "/v1/traces": 503}
    background = BackgroundSink(OpenTelemetry(tmp_path, endpoint=collector.url), retry_s=0.001)
    (notice,) = notices_of(background)
    assert f"{collector.url} answers 503" in notice
    background.begin_flush().wait(10)
    assert background.take_notices() == []
    assert background.failures == 2
    collector.status = {}
    background.write(snapshot(20))
    background.close()
    assert collector.values("raymon_step") == [10, 20]
    assert len(collector.spans("window")) == 2


def test_nothing_is_printed_of_a_collector_that_cannot_be_reached(
    tmp_path: Path, collector: Collector, capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    url = f"http://127.0.0.1:{free_port()}"
    background = BackgroundSink(OpenTelemetry(tmp_path, endpoint=url), retry_s=0.001)
    with caplog.at_level(logging.DEBUG):
        (notice,) = notices_of(background)
        began = time.monotonic()
        background.close(5)
    assert notice.startswith(f"OpenTelemetry: CollectorError: {url} cannot be reached: ")
    assert time.monotonic() - began < 5
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


def test_a_collector_that_never_answers_is_given_up_in_time(
    collector: Collector, tmp_path: Path
) -> None:
    collector.answers.clear()
    sink = OpenTelemetry(tmp_path, endpoint=collector.url, timeout_s=0.05)
    (notice,) = notices_of(BackgroundSink(sink, retry_s=0.001))
    assert f"{collector.url} does not answer within 0.05 s" in notice


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_token_is_told_without_it(
    collector: Collector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", f"Authorization=Bearer%20{_SECRET}")
    collector.status = {"/v1/metrics": status, "/v1/traces": status}
    sink = OpenTelemetry(tmp_path, endpoint=collector.url)
    (notice,) = notices_of(BackgroundSink(sink, retry_s=0.001))
    assert f"answers {status}: it refuses the token" in notice
    assert _SECRET not in notice
    assert _SECRET not in repr(vars(sink))
    collector.status = {}
    sink.flush()
    assert collector.headers[0]["Authorization"] == f"Bearer {_SECRET}"
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or _SECRET not in path.read_text()


def test_a_collector_that_takes_a_part_is_told_of_once(
    collector: Collector, tmp_path: Path
) -> None:
    partial = ExportTracePartialSuccess(rejected_spans=1, error_message="too old")
    answer = ExportTraceServiceResponse(partial_success=partial)
    collector.answer["/v1/traces"] = answer.SerializeToString()
    background = BackgroundSink(OpenTelemetry(tmp_path, endpoint=collector.url))
    assert notices_of(background) == ["OpenTelemetry: the collector rejects 1 spans: too old"]
    background.write(snapshot(20))
    background.close()
    assert background.take_notices() == []
    assert background.failures == 0


def test_a_collector_of_traces_alone_gets_them_though_it_refuses_metrics(
    collector: Collector, tmp_path: Path
) -> None:
    collector.status = {"/v1/metrics": 404}
    background = BackgroundSink(OpenTelemetry(tmp_path, endpoint=collector.url), retry_s=0.001)
    (notice,) = notices_of(background)
    assert "answers 404" in notice
    assert len(collector.spans("window")) == 1


def test_what_a_collector_will_never_take_does_not_hold_up_what_follows(
    collector: Collector, tmp_path: Path
) -> None:
    collector.status = {"/v1/metrics": 400}
    background = BackgroundSink(OpenTelemetry(tmp_path, endpoint=collector.url))
    (notice,) = notices_of(background)
    assert "what it refuses is dropped" in notice
    collector.status = {}
    background.write(snapshot(20))
    background.close()
    assert collector.values("raymon_step") == [20]


def test_what_waits_for_a_collector_is_bounded_and_the_newest_of_it_is_kept() -> None:
    sent: list[bytes] = []

    class Client:
        def send(self, message: bytes) -> bytes:
            sent.append(message)
            return b""

        def close(self) -> None:
            pass

    outbox: Outbox[int] = Outbox("numbers", Client(), bytes, lambda _: (0, ""), most=5, at_once=2)
    outbox.add(range(4))
    outbox.add(range(4, 8))
    outbox.send()
    assert sent == [bytes([3, 4]), bytes([5, 6]), bytes([7])]
    assert outbox.notices == ["more than 5 numbers wait; the oldest are lost"]


def test_a_trace_file_that_is_no_such_file_begins_a_new_trace(
    collector: Collector, tmp_path: Path
) -> None:
    (tmp_path / "monitor").mkdir()
    (tmp_path / "monitor" / "opentelemetry.json").write_text('{"trace_id": "zz"}')
    sink = OpenTelemetry(tmp_path, endpoint=collector.url)
    sink.begin_attempt(AttemptBegan(1, 1, 0))
    sink.close()
    assert len(collector.spans("run")) == 1


def test_a_directory_that_cannot_be_written_does_not_hold_up_numbers(
    collector: Collector, tmp_path: Path
) -> None:
    (tmp_path / "monitor").write_text("a file where the directory should be")
    sink = OpenTelemetry(tmp_path, endpoint=collector.url)
    background = BackgroundSink(sink)
    (notice,) = notices_of(background)
    assert "may not go on after a restart" in notice
    background.close()
    assert collector.values("raymon_step") == [10]
