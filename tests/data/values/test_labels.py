from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from raymon.data import LabelKind
from raymon.data.values.labels import check_label_map, label_numbers


@pytest.mark.parametrize(
    ("kind", "num_class", "right", "wrong"),
    [
        (LabelKind.BINARY, None, [0, 1], [-1, 2, 0.5, np.nan, np.inf]),
        (LabelKind.CLASS, None, [0, 1, 70], [-1, 0.5, np.nan, np.inf]),
        (LabelKind.CLASS, 3, [0, 1, 2], [-1, 3, 0.5, np.nan]),
        (LabelKind.REAL, None, [0, -1.5, 1e30], [np.nan, np.inf, -np.inf, 1e300]),
    ],
)
def test_a_kind_holds_its_values_alone(
    kind: LabelKind, num_class: int | None, right: list[float], wrong: list[float]
) -> None:
    assert kind.valid(np.array(right, np.float64), num_class).all()
    assert not kind.valid(np.array(wrong, np.float64), num_class).any()


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["yes", "no", None, "maybe"]),
        pa.array(["yes", "no", None, "maybe"]).dictionary_encode(),
        pa.chunked_array([["yes"], ["no", None, "maybe"]], pa.large_string()),
    ],
)
def test_strings_have_the_numbers_that_are_listed(column: pa.Array | pa.ChunkedArray) -> None:
    numbers = label_numbers(column, {"yes": 1.0, "no": 0.0})
    np.testing.assert_array_equal(numbers, [1, 0, np.nan, np.nan])


def test_the_same_label_has_the_same_number_whatever_its_type() -> None:
    mapping = {"-1": 0.0, "1": 1.0, "5": 0.5}
    for column in (
        pa.array([-1, 1, 5]),
        pa.array([-1.0, 1.0, 5.0]),
        pa.array(["-1", "1", "5"]),
        pa.array(["-1.0", "true", "5.0"]),
    ):
        assert label_numbers(column, mapping).tolist() == [0, 1, 0.5]
    assert label_numbers(pa.array([True, False]), {}).tolist() == [1, 0]
    assert label_numbers(pa.array([True, False]), {"false": 1, "true": 0}).tolist() == [0, 1]
    for column in (pa.array([0, 3]), pa.array(["0", "3.0"]), pa.array(["0.0", "3"])):
        assert label_numbers(column, {"yes": 1.0}).tolist() == [0, 3]


def test_a_value_with_two_numbers_is_an_error() -> None:
    check_label_map({"1": 0.0, "true": 0.0, "yes": 1.0})
    with pytest.raises(ValueError, match='"1" and "true" are the same value'):
        check_label_map({"1": 0.0, "true": 1.0})
