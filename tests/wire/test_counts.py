import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from raymon.metrics import AUC, DecayAUC, MeanSquaredError, TrainMetricWrapper
from raymon.protos.report_pb2 import CountGroup
from raymon.protos.report_pb2 import Layout as LayoutMessage
from raymon.wire.counts import add_counts, decode_counts, encode_counts
from raymon.wire.layout import Layout

LAYOUT = Layout({("a", "x"): (3, 4), ("a", "y"): (), ("b", "x"): (300,)})
entries = st.just(0) | st.integers(-(2**62), 2**62) | st.integers(0, 300).map(lambda n: n << 20)
vectors = hnp.arrays(np.int64, LAYOUT.size, elements=entries, fill=st.just(0))


def decoded(groups: list[CountGroup], size: int) -> np.ndarray:
    groups = [CountGroup.FromString(group.SerializeToString()) for group in groups]
    total = np.zeros(size, dtype=np.int64)
    add_counts(decode_counts(groups, size), total)
    return total


@given(vectors)
def test_a_vector_arrives_as_it_was(vector: np.ndarray) -> None:
    assert np.array_equal(decoded(encode_counts(LAYOUT, vector), LAYOUT.size), vector)


@given(st.lists(vectors.map(lambda v: v >> 4), min_size=1, max_size=5))
def test_vectors_add_up(parts: list[np.ndarray]) -> None:
    total = LAYOUT.empty()
    for part in parts:
        add_counts(decode_counts(encode_counts(LAYOUT, part), LAYOUT.size), total)
    assert np.array_equal(total, sum(parts))


@pytest.mark.parametrize("value", [2**63 - 1, -(2**63), -1, 127, 128, -128, -129])
def test_the_largest_numbers_arrive(value: int) -> None:
    vector = LAYOUT.empty()
    vector[7] = value
    assert decoded(encode_counts(LAYOUT, vector), LAYOUT.size)[7] == value


def test_nothing_is_sent_of_a_vector_of_zeros() -> None:
    assert encode_counts(LAYOUT, LAYOUT.empty()) == []


def test_a_histogram_with_a_thousand_bins_takes_few_bytes() -> None:
    metrics = {"auc": TrainMetricWrapper(DecayAUC()), "mse": TrainMetricWrapper(MeanSquaredError())}
    layout = Layout.of_metrics(metrics)
    vector = layout.empty()
    filled = np.random.default_rng(0).choice(100_000, 1000, replace=False)
    vector[filled] = 3 << 20
    vector[-1] = 2**55 + 1
    groups = encode_counts(layout, vector)
    assert sum(group.ByteSize() for group in groups) < 3200


@pytest.mark.parametrize(
    "group",
    [
        CountGroup(position_bytes=3, value_bytes=1),
        CountGroup(positions=b"\1\1", position_bytes=1, values=b"\1", value_bytes=1),
        CountGroup(positions=b"\1\0", position_bytes=1, values=b"\1\1", value_bytes=1),
        CountGroup(positions=b"\xff\xff", position_bytes=2, values=b"\1", value_bytes=1),
        CountGroup(positions=b"\xff" * 8, position_bytes=8, values=b"\1", value_bytes=1),
        CountGroup(positions=b"\1", position_bytes=1, values=b"\1", value_bytes=1, shift=64),
        CountGroup(positions=b"\1\1\1", position_bytes=2, values=b"\1", value_bytes=1),
    ],
)
def test_counts_that_cannot_be_added_are_an_error(group: CountGroup) -> None:
    with pytest.raises(ValueError, match=r"count|position|buffer"):
        decode_counts([group], LAYOUT.size)


def test_a_layout_knows_where_states_are_and_travels() -> None:
    states = LAYOUT.split(np.arange(LAYOUT.size))
    assert states["a"]["y"].tolist() == 12
    assert states["b"]["x"].tolist() == list(range(13, 313))
    assert np.array_equal(LAYOUT.join(states), np.arange(LAYOUT.size))
    again = Layout.from_message(LayoutMessage.FromString(LAYOUT.to_message().SerializeToString()))
    assert again.fingerprint == LAYOUT.fingerprint
    assert again.slots == LAYOUT.slots


def test_other_metrics_have_another_fingerprint() -> None:
    prints = {
        Layout.of_metrics({name: TrainMetricWrapper(metric)}).fingerprint
        for name, metric in (
            ("auc", DecayAUC()),
            ("auc", DecayAUC(200)),
            ("other", DecayAUC()),
            ("auc", MeanSquaredError()),
        )
    }
    assert len(prints) == 4


def test_a_decayed_histogram_stays_where_it_is() -> None:
    wrapper = TrainMetricWrapper(DecayAUC(20))
    assert [slot.state for slot in Layout.of_metrics({"auc": wrapper}).slots] == [
        slot.state for slot in Layout.of_metrics({"auc": TrainMetricWrapper(AUC(20))}).slots
    ]


def test_a_state_of_another_shape_or_of_reals_is_an_error() -> None:
    with pytest.raises(ValueError, match="shape"):
        LAYOUT.join({"a": {"x": np.zeros(12, dtype=np.int64)}})
    with pytest.raises(ValueError, match="float64"):
        LAYOUT.join({"a": {"y": np.zeros(())}})
