import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from raymon.diagnosis.stragglers.others import median_of_others

VALUES = st.integers(2, 12).flatmap(
    lambda ranks: arrays(np.float64, (ranks, 2), elements=st.integers(0, 5).map(float))
)


@given(VALUES)
def test_it_is_the_median_without_the_rank_itself(values) -> None:
    without = [np.median(np.delete(values, row, axis=0), axis=0) for row in range(len(values))]
    np.testing.assert_array_equal(median_of_others(values), without)
