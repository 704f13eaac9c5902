import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from raymon.sinks.notebook.svg import thinned


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=500), st.integers(1, 20))
def test_a_thinned_curve_has_the_same_extremes_and_ends(values: list[float], columns: int) -> None:
    x, y = np.arange(len(values)) * 10.0, np.array(values)
    some_x, some_y = thinned(x, y, columns)
    assert (some_y.min(), some_y.max()) == (y.min(), y.max())
    assert (some_x[0], some_x[-1]) == (x[0], x[-1])
    assert len(some_x) <= max(4 * columns, 4)
    assert np.isin(some_x, x).all()


def test_a_gap_stays_a_gap() -> None:
    x, y = np.arange(10_000.0), np.ones(10_000)
    y[4_000:6_000] = np.nan
    some_x, some_y = thinned(x, y, 100)
    gap = some_x[np.isnan(some_y)]
    assert gap.min() < 4_200
    assert gap.max() > 5_800
