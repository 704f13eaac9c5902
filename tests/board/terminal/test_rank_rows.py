import math
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from raymon.board.terminal.rank_rows import others_median, rank_rows
from raymon.runs import Run
from tests.board.terminal.made_runs import alert, make_run, window


@settings(max_examples=50)
@given(st.lists(st.floats(-1e6, 1e6), max_size=30))
def test_the_median_of_others_is_that_without_oneself(values: list[float]) -> None:
    found = others_median(np.array(values))
    for i in range(len(values)):
        others = values[:i] + values[i + 1 :]
        expected = float(np.median(others)) if others else math.nan
        np.testing.assert_allclose(found[i], expected, rtol=1e-12)


def test_ranks_that_tell_of_nothing_have_no_lag_and_change_none() -> None:
    found = others_median(np.array([1.0, np.nan, 3.0]))
    np.testing.assert_array_equal(found, [3.0, np.nan, 1.0])


def test_lag_is_own_work_in_a_step_above_the_others(tmp_path: Path) -> None:
    lines = [
        {
            "global_step": step,
            "first_step": step - 10,
            "samples": 1,
            "seconds": 5.0,
            "time": 0.0,
            "world_size": 3,
            "ranks": [0, 1, 2],
            # Waiting for others is no own work.
            "rank_numbers": {
                "forward": [1.0, 4.0, 1.0],
                "data": [1.0, 0.0, 2.0],
                "peers": [3.0, 1.0, 2.0],
                "host_bytes": [step, 2, None],
            },
        }
        for step in (10, 20)
    ]
    run = Run(make_run(tmp_path / "run", [window(10), window(20)], ranks=lines))
    rows = rank_rows(run, [])
    assert [row.rank for row in rows] == [1, 2, 0]
    np.testing.assert_allclose([row.step_s for row in rows], [0.4, 0.3, 0.2])
    np.testing.assert_allclose([row.lag_s_per_step for row in rows], [0.15, 0.0, -0.15], atol=1e-9)
    np.testing.assert_array_equal([row.host_bytes for row in rows], [2, np.nan, 20])


def test_stragglers_come_before_ranks_that_are_further_behind(tmp_path: Path) -> None:
    line = {
        "global_step": 10,
        "first_step": 0,
        "samples": 1,
        "seconds": 5.0,
        "time": 0.0,
        "world_size": 3,
        "ranks": [0, 1, 2],
        "rank_numbers": {"forward": [1.0, 4.0, 2.0]},
    }
    path = make_run(tmp_path / "run", [window(10)], ranks=[line], alerts=[alert(10, rank=0)])
    run = Run(path)
    rows = rank_rows(run, run.alert_list)
    assert [(row.rank, row.is_straggler) for row in rows] == [(0, True), (1, False), (2, False)]
