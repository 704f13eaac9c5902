import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from raymon.monitor.states import (
    decode_states,
    encode_merged,
    encode_states,
    merge_into,
    to_tensors,
)
from raymon.protos.report_pb2 import MetricState

counts = st.lists(st.integers(-(2**40), 2**40) | st.just(0), min_size=1, max_size=60)
reals = st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=8)


def over_the_wire(states: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    sent = encode_states("m", states).SerializeToString()
    return to_tensors(decode_states(MetricState.FromString(sent)))


@given(counts, st.sampled_from([1, 2**16]))
def test_integer_states_arrive_as_they_were(values: list[int], unit: int) -> None:
    state = torch.tensor(values, dtype=torch.int64) * unit
    assert torch.equal(over_the_wire({"s": state})["s"], state)
    assert over_the_wire({"s": state})["s"].shape == state.shape


@pytest.mark.parametrize("shape", [(), (1,), (2, 3, 4), (0,)])
def test_the_shape_of_a_state_arrives(shape: tuple[int, ...]) -> None:
    state = torch.ones(shape, dtype=torch.int64)
    assert torch.equal(over_the_wire({"s": state})["s"], state)
    assert over_the_wire({"s": state})["s"].shape == state.shape


@given(reals)
def test_reals_arrive_within_half_a_quantum(values: list[float]) -> None:
    state = torch.tensor(values, dtype=torch.float64)
    quantum = max(2.0**-32, max(abs(v) for v in values) * 2.0**-61)
    error = (over_the_wire({"s": state})["s"] - state).abs().max().item()
    assert error <= quantum / 2 + max(abs(v) for v in values) * 2.0**-52


@given(st.lists(reals, min_size=1, max_size=6), st.randoms())
def test_sums_of_reals_are_bit_equal_in_any_order(parts, random) -> None:
    length = min(len(part) for part in parts)
    messages = [
        encode_states("m", {"s": torch.tensor(part[:length], dtype=torch.float64)})
        for part in parts
    ]

    def total(order: list[MetricState]) -> torch.Tensor:
        merged: dict = {}
        for message in order:
            merge_into(merged, decode_states(message))
        return to_tensors(merged)["s"]

    shuffled = messages[:]
    random.shuffle(shuffled)
    assert torch.equal(total(messages), total(shuffled))


def test_what_is_not_finite_arrives_as_nan_and_stays_nan_in_a_sum() -> None:
    first = encode_states("m", {"s": torch.tensor([float("nan"), 1.0])})
    second = encode_states("m", {"s": torch.tensor([2.0, float("inf")])})
    merged: dict = {}
    for message in (first, second):
        merge_into(merged, decode_states(message))
    assert to_tensors(merged)["s"].isnan().all()


def test_merged_states_travel_again() -> None:
    states = {"n": torch.tensor([5, 0, 7]), "r": torch.tensor(1.25), "low": torch.tensor(0.1)}
    message = encode_states("m", states, {"low": "min"})
    merged: dict = {}
    merge_into(merged, decode_states(message))
    merge_into(merged, decode_states(message))
    again = to_tensors(decode_states(encode_merged("m", merged)))
    assert again["n"].tolist() == [10, 0, 14]
    assert again["r"].item() == 2.5
    assert again["low"].item() == pytest.approx(0.1, rel=1e-7)


def test_of_minima_and_maxima_the_extreme_is_kept_and_infinities_survive() -> None:
    infinity = float("inf")
    merged: dict = {}
    for low, high in ((infinity, -infinity), (3.0, 3.0), (-2.0, 7.5)):
        states = {"low": torch.tensor(low), "high": torch.tensor(high)}
        message = encode_states("m", states, {"low": "min", "high": "max"})
        merge_into(merged, decode_states(MetricState.FromString(message.SerializeToString())))
        if low == infinity:
            assert to_tensors(merged)["low"].item() == infinity
    assert to_tensors(merged)["low"].item() == -2.0
    assert to_tensors(merged)["high"].item() == 7.5


def test_a_histogram_that_is_mostly_zero_is_small_on_the_wire() -> None:
    state = torch.zeros(2, 40_000, dtype=torch.int64)
    filled = np.random.default_rng(0).choice(40_000, 1000, replace=False)
    state[1, torch.from_numpy(filled)] = 3 << 16
    assert len(encode_states("m", {"s": state}).SerializeToString()) < 5000
