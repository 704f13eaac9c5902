"""Whatever bytes come, the reporter counts them, shows each kind once, and goes on."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from raymon.metrics import MeanSquaredError, TrainMetricWrapper
from raymon.protos.report_pb2 import CountGroup, MetricState, TensorState, WindowReport
from raymon.reporter import Reporter
from raymon.reporter import reporter as reporter_module
from raymon.results import Notice, Snapshot
from raymon.wire import SCHEMA_VERSION
from tests.reporter.windows import auc_metrics, auc_window, clicks


def start() -> Reporter:
    reporter = Reporter(None, [], 10, late_after_s=1e9)
    reporter.begin_attempt("t", 2, 0, auc_metrics())
    return reporter


def good(rank: int, index: int = 0) -> bytes:
    steps = (10 * index, 10 * index + 10)
    return auc_window(rank, index, steps, *clicks(50, 10 * index + rank))


def changed(change: Callable[[WindowReport], object]) -> bytes:
    report = WindowReport.FromString(good(0))
    change(report)
    return report.SerializeToString()


def numbers(reporter: Reporter) -> dict[str, float]:
    last = [p for p in reporter.published()[0] if isinstance(p, Snapshot)][-1]
    assert last.samples == 100
    return dict(last.metrics)


@pytest.fixture(scope="module")
def expected() -> dict[str, float]:
    reporter = start()
    for rank in range(2):
        reporter.report(good(rank))
    return numbers(reporter)


def other_metric() -> bytes:
    from raymon.recorder import Window, encode_window
    from raymon.wire import Layout

    wrapper = TrainMetricWrapper(MeanSquaredError())
    window = Window(
        attempt=1, rank=0, index=0, first_step=0, end_step=10, samples=1, epoch=0, wall_s=1.0,
        phases={}, losses={}, weights={}, metrics={}, layout=Layout.of_metrics({"mse": wrapper}),
    )  # fmt: skip
    return encode_window(window).SerializeToString()


def add_group(**fields: object) -> Callable[[WindowReport], object]:
    return lambda report: report.counts.append(CountGroup(**fields))


def add_state(state: TensorState) -> Callable[[WindowReport], object]:
    return lambda report: report.metrics.append(MetricState(name="auc", states=[state]))


BAD = {
    "nothing": b"",
    "half a message": good(0)[:-7],
    "another schema": changed(lambda r: setattr(r, "schema_version", 99)),
    "another metric": other_metric(),
    "an attempt to come": changed(lambda r: setattr(r, "attempt", 7)),
    "no attempt": changed(lambda r: setattr(r, "attempt", 0)),
    "a rank beyond the world": changed(lambda r: r.ranks.append(2)),
    "no rank": changed(lambda r: r.ranks.pop()),
    "steps that go back": changed(lambda r: setattr(r, "first_step", 20)),
    "a window far ahead": changed(lambda r: setattr(r, "index", 1 << 60)),
    "counts beyond the metrics": changed(
        add_group(positions=b"\xff" * 4, position_bytes=4, values=b"\1", value_bytes=1)
    ),
    "positions that overflow": changed(
        add_group(positions=b"\xff" * 16, position_bytes=8, values=b"\1\1", value_bytes=1)
    ),
    "a state of no metric": changed(add_state(TensorState(name="s", shape=[1], units=bytes(16)))),
    "a state as large as memory": changed(
        add_state(TensorState(name="s", shape=[1 << 50], kind=TensorState.MIN))
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_message_is_counted_named_once_and_dropped(name: str, expected: dict) -> None:
    reporter = start()
    for _ in range(3):
        assert reporter.report(BAD[name]).refused is not None
    assert reporter.counts.refused == 3
    notices = [p.text for p in reporter.published()[0] if isinstance(p, Notice)]
    assert len(notices) == 1
    for rank in range(2):
        assert reporter.report(good(rank)).refused is None
    assert numbers(reporter) == expected


def test_a_message_that_is_too_large_is_dropped_unread(monkeypatch, expected: dict) -> None:
    monkeypatch.setattr(reporter_module, "MAX_MESSAGE_BYTES", len(good(0)) - 1)
    reporter = start()
    assert "bytes, more than" in str(reporter.report(good(0)).refused)
    assert reporter.counts.refused == 1


@given(st.binary(max_size=300))
def test_bytes_that_are_no_report_are_dropped(message: bytes) -> None:
    reporter = start()
    reporter.report(message)
    assert reporter.counts.refused == 1


@given(st.data())
def test_a_report_that_was_damaged_on_its_way_does_no_harm_to_the_reporter(
    data: st.DataObject,
) -> None:
    message = bytearray(good(0, index=1))
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(0, len(message) - 1))
        if data.draw(st.booleans()):
            message[position] = data.draw(st.integers(0, 255))
        else:
            end = data.draw(st.integers(position, len(message)))
            del message[position:end]
            message.append(0)
    reporter = start()
    taken = reporter.report(bytes(message)).refused is None
    answers = [reporter.report(good(rank)) for rank in range(2)]
    # The window before it is whole. A damaged report that can be read is what it says: where it
    # says that it is that window, over other steps, those that disagree with it are refused.
    if taken and WindowReport.FromString(bytes(message)).index == 0:
        assert all(answer.refused is None or "as window 0" in answer.refused for answer in answers)
    else:
        assert reporter.snapshot() is not None
    assert reporter.published()
    assert reporter.ranks()[0].rank == 0


shapes = st.lists(st.integers(0, 1 << 63), max_size=3)
groups = st.builds(
    CountGroup,
    positions=st.binary(max_size=24),
    position_bytes=st.sampled_from([0, 1, 2, 3, 4, 8]),
    values=st.binary(max_size=24),
    value_bytes=st.sampled_from([0, 1, 2, 4, 8, 16]),
    shift=st.integers(0, 70),
)
states = st.builds(
    TensorState,
    name=st.sampled_from(["histogram", "invalid", "other"]),
    shape=shapes,
    kind=st.sampled_from([0, 1, 2]),
    units=st.binary(max_size=40),
    non_finite=st.lists(st.integers(0, 1 << 63), max_size=2),
    extreme=st.lists(st.floats(), max_size=3),
)
reports = st.builds(
    WindowReport,
    schema_version=st.just(SCHEMA_VERSION),
    attempt=st.integers(0, 2),
    ranks=st.lists(st.integers(0, 3), max_size=3),
    index=st.integers(0, 1 << 40),
    first_step=st.integers(0, 30),
    end_step=st.integers(0, 1 << 62),
    samples=st.integers(0, 1 << 62),
    wall_s=st.floats(),
    layout=st.just(WindowReport.FromString(good(0)).layout),
    counts=st.lists(groups, max_size=2),
    metrics=st.lists(
        st.builds(MetricState, name=st.just("auc"), states=st.lists(states)), max_size=1
    ),
    first_kept=st.integers(0, 1 << 62),
    ended=st.lists(st.integers(0, 3), max_size=2),
)


@given(st.lists(reports, max_size=5))
def test_reports_of_any_content_do_not_end_the_reporter(some: list[WindowReport]) -> None:
    reporter = start()
    for report in some:
        reporter.report(report.SerializeToString())
    reporter.published()
    reporter.ranks()
    reporter.close()
    assert torch.isfinite(torch.tensor(float(reporter.status().run.samples)))


def test_a_metric_that_is_not_the_reporters_costs_its_window_alone(expected: dict) -> None:
    reporter = start()
    assert "other metrics" in str(reporter.report(other_metric()).refused)
    for rank in range(2):
        reporter.report(good(rank))
    assert numbers(reporter) == expected
