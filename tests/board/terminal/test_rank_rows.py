from pathlib import Path

import numpy as np

from raymon.board.terminal.rank_rows import rank_rows
from raymon.board.web.answers.rank_table import rank_table
from raymon.runs import Run
from tests.board.terminal.made_runs import alert, make_run, window


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


def test_the_page_has_the_same_ranks_with_the_same_lag(tmp_path: Path) -> None:
    lines = [
        {
            "global_step": step,
            "first_step": step - 10,
            "samples": 1,
            "seconds": 50.0,
            "time": 0.0,
            "world_size": 3,
            "ranks": [0, 1, 2],
            "rank_numbers": {"forward": [1.0, 2.0 + step % 7, 3.0], "peers": [2.0, 0.0, 1.0]},
        }
        for step in range(10, 200, 10)
    ]
    run = Run(make_run(tmp_path / "run", [window(10)], ranks=lines))
    verdict = run.verdict()
    page = rank_table(run, verdict)
    rows = rank_rows(run, [], verdict)
    assert [row.rank for row in rows] == [row["rank"] for row in page]
    assert [row.is_straggler for row in rows] == [row["straggler"] for row in page]
    np.testing.assert_allclose(
        [row.lag_s_per_step for row in rows], [row["lag_s_per_step"] for row in page], rtol=1e-6
    )


def test_a_rank_that_tells_of_nothing_has_no_lag_and_changes_none(tmp_path: Path) -> None:
    line = {
        "global_step": 10,
        "first_step": 0,
        "samples": 1,
        "seconds": 5.0,
        "time": 0.0,
        "world_size": 3,
        "ranks": [0, 1, 2],
        "rank_numbers": {"forward": [1.0, None, 3.0]},
    }
    rows = rank_rows(Run(make_run(tmp_path / "run", [window(10)], ranks=[line])), [])
    assert [row.rank for row in rows] == [2, 0, 1]
    np.testing.assert_allclose([row.lag_s_per_step for row in rows], [0.2, -0.2, np.nan])
