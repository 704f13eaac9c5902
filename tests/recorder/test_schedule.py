import pytest
from hypothesis import given
from hypothesis import strategies as st

from raymon.recorder.schedule import CutSchedule


@given(st.lists(st.integers(1, 50), min_size=1, max_size=4), st.integers(0, 500))
def test_the_next_cut_is_the_first_multiple_of_any_period(periods: list[int], step: int) -> None:
    expected = next(s for s in range(step + 1, step + 51) if any(s % p == 0 for p in periods))
    assert CutSchedule(periods).next_cut(step) == expected


def test_a_period_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        CutSchedule([100, 0])
