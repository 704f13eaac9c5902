import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from raymon.protos.report_pb2 import FixedPoint, MetricState, TensorState
from raymon.wire.fixed_point import LARGEST, LARGEST_UNITS, decode, encode, units
from raymon.wire.states import States, decode_states, encode_merged, encode_states, merge_into

reals = st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=8)


def sent(states: dict[str, torch.Tensor], extremes: dict[str, str] | None = None) -> dict:
    message = encode_states("m", states, extremes or {})
    assert message is not None
    return decode_states([MetricState.FromString(message.SerializeToString())])


def value(merged: dict[str, States], state: str) -> list[float]:
    return merged["m"][state].to_array().reshape(-1).tolist()


@given(st.integers(-LARGEST_UNITS, LARGEST_UNITS) | st.integers(-300, 300))
def test_a_sum_of_any_size_travels(number: int) -> None:
    assert decode(FixedPoint.FromString(encode(number).SerializeToString())) == number


@given(st.binary(max_size=300))
def test_what_travels_is_never_beyond_the_largest(units: bytes) -> None:
    assert abs(decode(FixedPoint(units=units))) <= LARGEST_UNITS


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_real_is_rounded_to_a_unit_and_ends_at_the_largest(real: float) -> None:
    expected = max(-LARGEST, min(LARGEST, real))
    assert abs(units(real) - expected * 2**32) <= max(0.5, abs(expected) * 2**32 * 2**-52)


@given(reals)
def test_reals_arrive_within_half_a_unit(values: list[float]) -> None:
    arrived = value(sent({"s": torch.tensor(values, dtype=torch.float64)}), "s")
    for real, other in zip(values, arrived, strict=True):
        assert abs(real - other) <= 2.0**-33 + abs(real) * 2.0**-52


@given(st.lists(reals, min_size=1, max_size=6), st.randoms())
def test_sums_of_reals_are_bit_equal_in_any_order_and_grouping(parts, random) -> None:
    length = min(len(part) for part in parts)
    states = [sent({"s": torch.tensor(part[:length], dtype=torch.float64)}) for part in parts]

    def total(order: list[dict[str, States]]) -> dict[str, States]:
        merged: dict[str, States] = {}
        for part in order:
            merge_into(merged, part)
        return merged

    flat = total(states)
    random.shuffle(states)
    cut = random.randint(0, len(states))
    halves = [total(half) for half in (states[:cut], states[cut:])]
    # As a node would send what it has merged.
    tree = total([decode_states(encode_merged(half)) for half in halves])
    assert value(tree, "s") == value(flat, "s")


def test_what_is_not_finite_arrives_as_nan_and_stays_nan_in_a_sum() -> None:
    merged: dict[str, States] = {}
    merge_into(merged, sent({"s": torch.tensor([float("nan"), 1.0])}))
    merge_into(merged, sent({"s": torch.tensor([2.0, float("inf")])}))
    again = decode_states(encode_merged(merged))
    assert all(math.isnan(entry) for entry in value(again, "s"))


@pytest.mark.parametrize("shape", [(), (1,), (2, 3), (0,)])
def test_the_shape_of_a_state_arrives(shape: tuple[int, ...]) -> None:
    assert sent({"s": torch.ones(shape)})["m"]["s"].to_array().shape == shape


def test_of_minima_and_maxima_the_extreme_is_kept_and_infinities_survive() -> None:
    infinity = float("inf")
    merged: dict[str, States] = {}
    extremes = {"low": "min", "high": "max"}
    for low, high in ((infinity, -infinity), (3.0, 3.0), (-2.0, 7.5)):
        states = {"low": torch.tensor(low), "high": torch.tensor(high)}
        merge_into(merged, sent(states, extremes))
        if low == infinity:
            assert value(merged, "low") == [infinity]
    again = decode_states(encode_merged(merged))
    assert (value(again, "low"), value(again, "high")) == ([-2.0], [7.5])


def test_integer_states_are_left_to_the_vector_of_counts() -> None:
    assert encode_states("m", {"n": torch.tensor([1, 2])}, {}) is None


@pytest.mark.parametrize(
    "state",
    [
        TensorState(name="s", shape=[5], units=bytes(16)),
        TensorState(name="s", shape=[1], units=bytes(16), non_finite=[7]),
        TensorState(name="s", shape=[2**40], kind=TensorState.MIN, extreme=[1.0]),
    ],
)
def test_a_state_that_is_not_what_its_shape_says_is_an_error(state: TensorState) -> None:
    with pytest.raises(ValueError, match=r"reshape|entry"):
        decode_states([MetricState(name="m", states=[state])])
