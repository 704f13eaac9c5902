"""Losses of a window over ranks and steps, finite or not."""

import math
import operator
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from raymon.recorder.window import encode_window
from raymon.reporter.numbers.decayed_metrics import DecayedMetrics
from raymon.reporter.numbers.log_interval import LogInterval
from raymon.reporter.numbers.touched_rows import TouchedRows
from raymon.reporter.windows.window_sum import LossTotal, WindowSum
from raymon.results import Coverage
from raymon.wire import Layout
from tests.recorder.test_window import window_of

LOSS = st.floats(width=32) | st.sampled_from([math.nan, math.inf, 1e30, -1e30, 3e38])
STEPS = st.lists(st.tuples(LOSS, st.sampled_from([1.0, 0.5, 256.0])), min_size=1, max_size=6)


def total_of(steps: list[tuple[float, float]]) -> LossTotal:
    losses, weights = zip(*steps, strict=True)
    return LossTotal.from_message(encode_window(window_of([*losses], [*weights])).losses[0])


def over_the_wire(total: LossTotal) -> LossTotal:
    return LossTotal.from_message(total.to_message("loss"))


@given(st.lists(STEPS, min_size=1, max_size=4))
def test_a_mean_is_that_of_the_finite_steps_or_no_number(
    ranks: list[list[tuple[float, float]]],
) -> None:
    merged = LossTotal()
    for steps in ranks:
        merged.add(total_of(steps))
        merged = over_the_wire(merged)
    finite = [step for steps in ranks for step in steps if math.isfinite(step[0])]
    assert merged.non_finite == sum(map(len, ranks)) - len(finite)
    if not finite:
        assert math.isnan(merged.mean)
        return
    products = [Fraction(loss) * Fraction(weight) for loss, weight in finite]
    if sum(map(abs, products)) >= 2**94:
        # Beyond what travels: what is shown is right, or nothing is.
        exact = float(sum(products) / sum(Fraction(weight) for _, weight in finite))
        assert not math.isfinite(merged.mean) or math.isclose(merged.mean, exact, rel_tol=1e-6)
        return
    exact = float(sum(products) / sum(Fraction(weight) for _, weight in finite))
    assert merged.mean == pytest.approx(exact, rel=1e-6, abs=1e-9)


@given(
    st.lists(st.floats(2.0**-20, 100.0, width=32), min_size=1, max_size=6),
    st.floats(-25, 13).map(lambda power: float(np.float32(10.0**power))),
)
def test_weights_of_any_size_give_the_mean_of_their_ratios(
    losses: list[float], scale: float
) -> None:
    weights = [float(1 + i % 3) for i in range(len(losses))]
    exact = math.fsum(map(operator.mul, losses, weights)) / math.fsum(weights)
    total = over_the_wire(total_of([(x, w * scale) for x, w in zip(losses, weights, strict=True)]))
    assert total.mean == pytest.approx(exact, rel=1e-6)


def test_a_loss_that_nothing_weighs_says_why_it_has_no_value() -> None:
    interval = LogInterval()
    steps = {"empty": [(1.0, 0.0)], "nan": [(math.nan, 1.0)], "known": [(2.0, 1.0)]}
    window = WindowSum(1, 0, 0, 10, Layout.of_metrics({}), np.zeros(0, np.int64), ranks={0})
    window.losses = {name: total_of(of_loss) for name, of_loss in steps.items()}
    interval.add(window)
    snapshot = interval.snapshot(DecayedMetrics({}), TouchedRows(True), 0, Coverage(1, 1, 0.0))
    assert snapshot is not None
    assert snapshot.no_value == {"empty": "no row of these steps weighs anything"}
    assert math.isnan(snapshot.losses["empty"])
    assert math.isnan(snapshot.losses["nan"])
    assert snapshot.losses["known"] == 2.0


@pytest.mark.parametrize("sign", [1, -1])
def test_losses_that_explode_on_two_ranks_are_no_number_and_no_error(sign: int) -> None:
    merged = LossTotal()
    for _ in range(3):
        merged.add(over_the_wire(total_of([(sign * 3e38, 256.0)] * 4)))
    assert over_the_wire(merged).mean == sign * math.inf
    merged.add(total_of([(0.5, 1.0)]))
    assert merged.mean == sign * math.inf
