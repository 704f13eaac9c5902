from __future__ import annotations

import numpy as np
import pytest

from raymon.board.rank_sums import RankSums
from raymon.board.web.answers.rank_cells import RankCells
from raymon.board.web.answers.ranks import anatomy
from raymon.board.web.query import Query
from raymon.results import RankNumbers
from raymon.runs import RankLine


def _line(first, end, ranks=(0, 1), **numbers):
    values = np.array(list(numbers.values()), np.float32).T.reshape(len(ranks), len(numbers))
    return RankLine(first, end, 0.0, 1.0, len(ranks), RankNumbers(tuple(numbers), ranks, values))


def test_a_phase_that_a_line_lacks_took_no_time_in_its_steps():
    lines = [
        _line(0, 10, data=[1, 2], checkpoint=[4, 8]),
        _line(10, 20, data=[3, 4]),
        _line(20, 40, data=[1, 1]),
    ]
    cells = RankCells.of(lines, "checkpoint", 1)
    assert cells.values[:, 0].tolist() == [4 / 40, 8 / 40]
    assert RankCells.of(lines, "data", 1).values[:, 0].tolist() == [5 / 40, 7 / 40]
    assert RankCells.of(lines, "checkpoint", 3).values.tolist() == [[0.4, 0, 0], [0.8, 0, 0]]


def test_of_a_level_the_newest_counts_whatever_else_its_line_has():
    lines = [
        _line(0, 10, data=[1, 1], host_bytes=[100, 200]),
        _line(10, 20, host_bytes=[110, 210]),
        _line(20, 30, data=[1, 1], host_bytes=[120, 220]),
        _line(30, 40, data=[1, 1]),
    ]
    assert RankCells.of(lines, "host_bytes", 1).values[:, 0].tolist() == [120, 220]
    assert np.isnan(RankCells.of(lines, "host_bytes", 4).values[:, 3]).all()


def test_ranks_that_were_not_there_have_no_value():
    lines = [_line(0, 10, (0, 1), data=[1, 3]), _line(10, 20, (0, 1, 2), data=[1, 2, 6])]
    values = RankCells.of(lines, "lag", 2).values
    assert np.isnan(values[2, 0])
    assert values[:2, 0] == pytest.approx([-0.2, 0.2])
    assert values[:, 1] == pytest.approx([-0.3, -0.15, 0.45])


def test_a_rank_that_tells_no_times_has_none():
    nan = float("nan")
    lines = [_line(0, 10, (0, 1, 2), data=[1, 3, nan], host_bytes=[7, 8, 9])]
    for number in ("lag", "data", "checkpoint"):
        values = RankCells.of(lines, number, 1).values[:, 0]
        assert np.isnan(values).tolist() == [False, False, True], number
    assert RankCells.of(lines, "host_bytes", 1).values[:, 0].tolist() == [7, 8, 9]


def test_a_single_rank_lags_behind_nobody():
    assert np.isnan(RankCells.of([_line(0, 10, (0,), data=[1])], "lag", 1).values).all()


def test_sums_are_those_of_one_line_after_the_other():
    rng = np.random.default_rng(0)
    lines = [
        _line(i, i + 1, (0, 1) if i < 20 else (1, 2), data=rng.random(2), host_bytes=rng.random(2))
        if i % 3
        else _line(i, i + 1, (0, 1) if i < 20 else (1, 2), data=rng.random(2), move=rng.random(2))
        for i in range(40)
    ]
    expected: RankNumbers | None = None
    for line in lines:
        expected = RankNumbers.summed(expected, line.numbers)
    assert expected is not None
    found = RankSums.of(lines)
    assert found is not None
    assert found.numbers.ranks == expected.ranks
    for name in expected.names:
        assert found.numbers.column(name) == pytest.approx(expected.column(name), nan_ok=True)
    assert found.steps.tolist() == [20, 40, 20]


def test_no_lines_have_no_sums():
    assert RankSums.of([]) is None
    assert RankCells.of([], "data", 5).values.shape == (0, 0)


def test_an_anatomy_is_that_of_a_step_also_where_lines_between_are_left_out():
    lines = [_line(10 * n, 10 * n + 10, forward=[1.0, 3.0]) for n in range(40)]

    class Sampled:
        rank_lines = lines[::8]

    class Whole:
        rank_lines = lines

    few, all_of_it = anatomy(Sampled(), Query({})), anatomy(Whole(), Query({}))
    assert few["mean"] == all_of_it["mean"] == {"forward": 0.2}
    assert few["slowest"] == all_of_it["slowest"] == {"forward": 0.3}
    assert (few["steps"], all_of_it["steps"]) == (50, 400)
