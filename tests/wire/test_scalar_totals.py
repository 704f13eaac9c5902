"""What the user logged is the same number however it was split over ranks and windows."""

import math
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raymon.protos.report_pb2 import FixedPoint
from raymon.protos.report_pb2 import ScalarTotal as Message
from raymon.wire import (
    REDUCTIONS,
    ScalarTotal,
    ScalarTotals,
    decode_scalars,
    encode_scalars,
    merge_scalars,
)

VALUES = st.lists(
    st.floats(width=64) | st.sampled_from([0.0, -0.0, 1e-30, 2.0**94, -(2.0**94), 1e29]),
    max_size=12,
)
EXACT = {"mean": lambda v: sum(v) / len(v), "sum": sum, "min": min, "max": max}


def merged(parts: list[list[float]], reduction: str) -> ScalarTotal:
    totals: ScalarTotals = {}
    for part in parts:
        sent = {("x", reduction): ScalarTotal.of(reduction, part)}
        merge_scalars(totals, decode_scalars(encode_scalars(sent)))
    return totals["x", reduction]


@given(VALUES, st.sampled_from(REDUCTIONS), st.data())
def test_ranks_windows_and_their_order_change_no_bit(
    values: list[float], reduction: str, data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(values))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(values)), max_size=4)))
    bounds = [0, *cuts, len(values)]
    parts = [shuffled[i:j] for i, j in pairwise(bounds)]
    one, several = merged([values], reduction), merged(parts, reduction)
    assert one == several
    assert repr(one.value) == repr(several.value)


@given(VALUES, st.sampled_from(REDUCTIONS))
def test_a_value_is_that_of_the_finite_ones(values: list[float], reduction: str) -> None:
    largest = 2.0**94 if reduction in ("mean", "sum") else math.inf
    kept = [Fraction(v) for v in values if math.isfinite(v) and abs(v) <= largest]
    total = merged([values], reduction)
    assert (total.count, total.non_finite) == (len(kept), len(values) - len(kept))
    if not kept:
        assert math.isnan(total.value)
        return
    exact = float(EXACT[reduction](kept))
    # A value of less than 2^-76 is rounded to a unit of 2^-128.
    assert total.value == pytest.approx(exact, rel=1e-15, abs=len(kept) * 2.0**-128)
    if reduction in ("min", "max"):
        assert total.value == exact


@pytest.mark.parametrize(
    "message",
    [
        Message(name="x", reduction=7),
        Message(name="x", reduction="MIN", count=1, extreme=math.nan),
        Message(name="x", count=1, sum=FixedPoint(units=b"\x7f" * 60)),
    ],
)
def test_a_message_that_is_no_total_is_refused(message: Message) -> None:
    with pytest.raises(ValueError, match="scalar x"):
        decode_scalars([message])
