import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from raymon.board.terminal.dots import curve_dots, dot_lines

SHARES = st.lists(st.floats(0, 1), min_size=1, max_size=200)


@given(SHARES, st.integers(1, 40), st.integers(1, 40))
def test_every_value_is_on_a_dot(values: list[float], columns: int, rows: int) -> None:
    x, y = np.linspace(0, 1, len(values)), np.array(values)
    dots = curve_dots(x, y, columns, rows)
    for place, value in zip(x, y, strict=True):
        assert dots[round((1 - value) * (rows - 1)), round(place * (columns - 1))]


@given(SHARES, st.integers(2, 40), st.integers(1, 40))
def test_a_curve_without_gaps_has_a_dot_in_every_column(
    values: list[float], columns: int, rows: int
) -> None:
    values = [values[0], *values]
    dots = curve_dots(np.linspace(0, 1, len(values)), np.array(values), columns, rows)
    assert dots.any(axis=0).all()


def test_a_single_peak_among_many_values_is_seen() -> None:
    y = np.zeros(100_000)
    y[41_234] = 1
    dots = curve_dots(np.linspace(0, 1, len(y)), y, 60, 20)
    assert dots[0].tolist() == [column == round(0.41234 * 59) for column in range(60)]


def test_where_values_are_missing_the_curve_has_a_gap() -> None:
    y = np.full(101, 0.5)
    y[20:81] = np.nan
    dots = curve_dots(np.linspace(0, 1, 101), y, 101, 9)
    assert dots.any(axis=0).tolist() == [not 20 <= column <= 80 for column in range(101)]


def test_where_a_clock_went_back_the_curve_has_a_gap_and_all_of_its_values() -> None:
    x, y = np.array([0, 0.8, 0.2, 1]), np.array([0, 0, 1, 1])
    dots = curve_dots(x, y, 11, 2)
    assert np.flatnonzero(dots[1]).tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8]
    assert np.flatnonzero(dots[0]).tolist() == [2, 3, 4, 5, 6, 7, 8, 9, 10]


def test_nothing_is_drawn_of_a_curve_without_values() -> None:
    assert not curve_dots(np.array([0.0, 1.0]), np.array([np.nan, np.nan]), 10, 10).any()
    assert not curve_dots(np.zeros(0), np.zeros(0), 10, 10).any()


@pytest.mark.parametrize(
    ("row", "column", "character"),
    [(0, 0, "⠁"), (1, 0, "⠂"), (2, 0, "⠄"), (3, 0, "⡀"),
     (0, 1, "⠈"), (1, 1, "⠐"), (2, 1, "⠠"), (3, 1, "⢀")],
)  # fmt: skip
def test_a_dot_is_where_unicode_has_it(row: int, column: int, character: str) -> None:
    dots = np.zeros((4, 2), np.bool_)
    dots[row, column] = True
    assert dot_lines(dots) == [character]


def test_ascii_has_a_character_for_each_height() -> None:
    assert dot_lines(np.eye(3, dtype=np.bool_), has_unicode=False) == ["'-."]
