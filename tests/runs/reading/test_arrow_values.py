import math

import numpy as np
import pyarrow as pa
import pytest

from raymon.runs.reading.arrow_values import float_values, indices, list_offsets, validity

_ARRAYS = [
    pa.array([1.5, None, -2.25]),
    pa.array([1, None, -(2**40)]),
    pa.array([200, 3], pa.uint8()),
    pa.array([True, None, False] * 5),
    pa.array([0.5, 1.5], pa.float32()),
    pa.array([None, None]),
    pa.array([], pa.float64()),
]


@pytest.mark.parametrize("array", [*_ARRAYS, *(each[1:] for each in _ARRAYS)])
def test_values_are_those_of_the_list_with_nan_for_null(array):
    expected = [math.nan if value is None else float(value) for value in array.to_pylist()]
    assert np.array_equal(float_values(array), np.array(expected, float), equal_nan=True)
    assert validity(array).tolist() == [value is not None for value in array.to_pylist()]


def test_lists_begin_where_arrow_says():
    array = pa.array([[1.0], None, [], [2.0, 3.0]])[1:]
    assert list_offsets(array).tolist() == array.offsets.to_pylist()


def test_values_are_taken_by_place():
    assert pa.array([5, 6, 7]).take(indices(np.array([2, 0]))).to_pylist() == [7, 5]


def test_texts_are_refused():
    with pytest.raises(TypeError, match="string"):
        float_values(pa.array(["a"]))
