"""A metric that failed in some steps has no value made of the others."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchmetrics import Metric

from raymon.metrics import TrainMetricWrapper
from raymon.protos.report_pb2 import ReporterState, WindowReport
from raymon.reporter.numbers.decayed_metrics import DecayedMetrics
from raymon.reporter.numbers.interval_metrics import IntervalMetrics
from raymon.reporter.reporter import Reporter
from raymon.reporter.windows.window_sum import WindowSum
from raymon.results import Snapshot
from raymon.wire import (
    SCHEMA_VERSION,
    Layout,
    MetricFailure,
    encode_counts,
    encode_metric_failures,
)

RATE, DECAY_STEP, WINDOW = 0.75, 10, 5
WHY = MetricFailure(1, "an update failed: ValueError: no (my.py:3 in update)")


class Ones(Metric):
    """The sum of what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.add_state("ones", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, ones: int) -> None:
        self.ones += ones

    def compute(self) -> torch.Tensor:
        if self.ones < 0:
            raise ValueError("less than nothing")
        return self.ones.float()


def metrics() -> dict[str, TrainMetricWrapper]:
    return {name: TrainMetricWrapper(Ones(), RATE, DECAY_STEP) for name in ("bad", "good")}


LAYOUT = Layout.of_metrics(metrics())


def report(rank: int, index: int, ones: int, failed: bool = False) -> WindowReport:
    counts = LAYOUT.join({"bad": {"ones": 0 if failed else ones}, "good": {"ones": ones}})
    return WindowReport(
        schema_version=SCHEMA_VERSION,
        attempt=1,
        ranks=[rank],
        index=index,
        first_step=index * WINDOW,
        end_step=(index + 1) * WINDOW,
        samples=8,
        layout=LAYOUT.fingerprint,
        counts=encode_counts(LAYOUT, counts),
        metric_failures=encode_metric_failures({"bad": WHY} if failed else {}),
    )


def window(index: int, ones: int, failed: bool = False) -> WindowSum:
    return WindowSum.of(report(1, index, ones, failed), LAYOUT)


def expected(steps: list[tuple[int, bool]]) -> list[float | None]:
    """The value after each window, by the definition of a fold and of a missing one."""
    past: float | None = None
    fails_since_fold = hidden = False
    new, values = 0, []
    for index, (ones, failed) in enumerate(steps):
        new += ones
        fails_since_fold |= failed
        hidden |= failed
        if (index + 1) * WINDOW % DECAY_STEP == 0:
            if not fails_since_fold:
                past = new if past is None else RATE * past + (1 - RATE) * new
                hidden = False
            fails_since_fold, new = False, 0
        values.append(math.nan if hidden else past)
    return values


STEPS = st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=14)


@settings(max_examples=40)
@given(steps=STEPS, saved_after=st.integers(0, 14))
def test_a_fold_that_misses_steps_is_left_out_and_hides_the_value_until_the_next(
    steps: list[tuple[int, bool]], saved_after: int
) -> None:
    decayed, found, good = DecayedMetrics(metrics()), [], []
    for index, (ones, failed) in enumerate(steps):
        assert not decayed.add(window(index, ones, failed))
        found.append(decayed.values().get("bad"))
        good.append(decayed.values().get("good"))
        is_hidden = found[-1] is not None and math.isnan(found[-1])
        assert ("bad" in decayed.no_value()) == is_hidden
        if index == saved_after:
            state = ReporterState()
            decayed.save(state)
            decayed = DecayedMetrics(metrics())
            decayed.restore(ReporterState.FromString(state.SerializeToString()))
    assert found == pytest.approx(expected(steps), nan_ok=True)
    assert good == pytest.approx(expected([(ones, False) for ones, _ in steps]))


@settings(max_examples=30)
@given(order=st.permutations(range(4)), failing=st.sets(st.integers(0, 3)))
def test_a_failure_on_any_rank_is_one_of_the_window_whatever_the_order(
    order: list[int], failing: set[int]
) -> None:
    total = WindowSum(1, 0, 0, WINDOW, LAYOUT, LAYOUT.empty())
    for rank in order:
        part = report(rank, 0, 1, rank in failing)
        for failure in part.metric_failures:
            failure.rank = rank
        total.add(WindowSum.of(part, LAYOUT).to_message(), [])
    found = WindowSum.of(total.to_message(), LAYOUT).metric_failures
    first = {"bad": MetricFailure(min(failing), WHY.reason)} if failing else {}
    assert found == first


def test_the_steps_of_a_log_line_have_no_value_of_a_metric_that_failed_in_them() -> None:
    prototypes = {name: wrapper.metric for name, wrapper in metrics().items()}
    interval = IntervalMetrics()
    interval.add(window(0, 3, failed=True))
    interval.add(window(1, 4))
    values = interval.values(prototypes)
    assert math.isnan(values["bad"])
    assert values["good"] == 7.0


def test_a_metric_that_cannot_be_computed_has_no_value() -> None:
    decayed = DecayedMetrics(metrics())
    for index, ones in enumerate((3, 4, -9, 1)):
        failures = decayed.add(window(index, ones))
        assert bool(failures) == (index == 3)
    assert math.isnan(decayed.values()["bad"])
    assert "ValueError: less than nothing" in decayed.no_value()["bad"]
    for index, ones in enumerate((8, 8), 4):
        decayed.add(window(index, ones))
    assert decayed.values()["bad"] == RATE * 7 + (1 - RATE) * 16


def test_the_snapshot_names_the_rank_and_the_reason_and_when_there_is_a_value_again() -> None:
    reporter = Reporter(None, [], WINDOW, 60.0)
    reporter.begin_attempt("token", 2, 0, metrics())
    for index, failed in enumerate((False, False, True, False, False, False)):
        for rank in range(2):
            message = report(rank, index, 1, failed and rank == 1)
            assert reporter.report(message.SerializeToString()).refused is None
    news = [item for item in reporter.published()[0] if isinstance(item, Snapshot)]
    assert [item.metrics.get("bad") for item in news] == pytest.approx(
        [None, 4.0, math.nan, math.nan, math.nan, 4.0], nan_ok=True
    )
    assert news[2].no_value == {
        "bad": f"rank 1: {WHY.reason}; it has one again after 10 whole steps without that"
    }
    assert math.isnan(news[2].window_metrics["bad"])
    assert news[3].window_metrics["bad"] == 2.0
    assert not news[5].no_value
