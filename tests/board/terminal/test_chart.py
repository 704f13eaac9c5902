import numpy as np
import pytest

from raymon.board.terminal.chart import EVALUATION, Scale, chart_lines
from raymon.board.terminal.curves import Curve, Points
from raymon.board.terminal.paper import Paper

NO_POINTS, STEPS = Points(), Scale()


def points(values: list[float]) -> Points:
    steps = np.arange(1, len(values) + 1) * 10.0
    return Points(steps, 1e9 + steps, np.array(values))


def texts(curve: Curve, scale: Scale = STEPS, width: int = 60, rows: int = 9) -> list[str]:
    return [line.plain for line in chart_lines(curve, scale, Paper(width), rows)]


@pytest.mark.parametrize("has_unicode", [True, False])
@pytest.mark.parametrize("width", [1, 4, 8, 20, 200])
def test_a_chart_has_the_rows_and_columns_that_it_was_given(width: int, has_unicode: bool) -> None:
    curve = Curve("auc", points([0.5, 0.7, np.nan, 0.8]), points([0.6]))
    lines = chart_lines(curve, Scale(), Paper(width, None, has_unicode), 9)
    assert [line.cell_len for line in lines] == [width] * 9


def test_the_axes_have_the_ends_of_the_numbers() -> None:
    lines = texts(Curve("loss", points([3.0, 2.0, 0.25]), NO_POINTS))
    assert lines[0].split() == ["loss", "0.25000"]
    assert lines[1].startswith("   3┤")
    assert lines[-2].startswith("0.25┤")
    assert lines[-1].strip(" └").split("─")[0].strip() == "10"
    assert lines[-1].rstrip().endswith("30")


def test_time_is_counted_from_the_first_window() -> None:
    lines = texts(Curve("loss", points([1.0] * 13), NO_POINTS), Scale(by_time=True))
    assert lines[-1].rstrip().endswith("─ 2 min")


def test_a_value_without_a_logarithm_is_a_gap() -> None:
    curve = Curve("loss", points([100.0, 0.0, -1.0, 1.0]), NO_POINTS)
    lines = texts(curve, Scale(is_log=True))
    assert lines[1].startswith("100┤⠁")
    assert lines[-2].startswith("  1┤")
    middle = "".join(line[10:50] for line in lines[1:-1])
    assert not middle.strip()


def test_evaluations_are_marks_where_their_values_are() -> None:
    curve = Curve(
        "auc", points([0.0] * 10), Points(np.array([100.0]), np.array([np.nan]), np.ones(1))
    )
    lines = chart_lines(curve, Scale(), Paper(40), 9)
    assert lines[1].plain.endswith("●")
    assert [span.style for span in lines[1].spans if span.end == 40] == [EVALUATION]
    assert "● eval 1.00000" in lines[0].plain


def test_a_last_value_that_is_missing_is_shown_as_none() -> None:
    assert texts(Curve("loss", points([1.0, np.nan]), NO_POINTS))[0].split() == ["loss", "-"]
    assert texts(Curve("loss", points([1.0, np.inf]), NO_POINTS))[0].split() == ["loss", "-"]


def test_restarts_are_marked_on_the_axis() -> None:
    curve = Curve("loss", points([1.0] * 101), NO_POINTS)
    axis = chart_lines(curve, Scale(), Paper(62), 9, restarts=[510])[-1].plain
    left = axis.index("└") + 1
    assert axis.index("▲") - left == round((510 - 10) / 1000 * (62 - left - 1))


def test_a_constant_is_a_line_in_the_middle() -> None:
    lines = texts(Curve("loss", points([2.0] * 50), NO_POINTS), rows=11)
    drawn = [row for row, line in enumerate(lines[1:-1]) if line[3:].strip()]
    assert drawn == [4]
