from __future__ import annotations

import numpy as np
import pytest

from tests.board.asking import Board
from tests.runs.written import write_rank_lines

OWN = ("data", "move", "forward", "backward", "optimizer", "monitor", "garbage_collection", "step")


def test_the_run_is_told_as_its_summary_has_it(made):
    found = made.get()
    lines = made.lines("windows.jsonl")
    assert found["id"] == made.id
    assert found["status"] == "done"
    assert found["windows"] == len(lines)
    assert found["steps"] == [lines[0]["global_step"], lines[-1]["global_step"]]
    assert found["restarts"] == 1
    assert "losses.total_loss" in found["series"]
    assert "global_step" not in found["series"]
    assert found["live"] is None


def _own_seconds(line, rank):
    return sum(line["rank_numbers"][name][rank] for name in OWN if name in line["rank_numbers"])


def test_lag_is_own_work_above_the_median_of_the_other_ranks(made):
    lines = made.lines("ranks.jsonl")
    found = made.get("/ranks?columns=1")
    assert found["ranks"] == [0, 1, 2, 3]
    steps = sum(line["global_step"] - line["first_step"] for line in lines)
    own = [sum(_own_seconds(line, rank) for line in lines) / steps for rank in range(4)]
    for rank in range(4):
        others = np.median([own[other] for other in range(4) if other != rank])
        assert found["values"][rank] == [pytest.approx(own[rank] - others, rel=2e-3, abs=1e-6)]


def test_cells_follow_each_other_without_a_hole(made):
    lines = made.lines("ranks.jsonl")
    found = made.get("/ranks?columns=7")
    assert found["x"][0] == lines[0]["first_step"]
    assert found["end"] == lines[-1]["global_step"]
    assert found["x"] == sorted(set(found["x"]))
    assert {len(row) for row in found["values"]} == {len(found["x"])} == {7}


def test_a_phase_is_in_seconds_a_step_and_memory_is_the_newest(made):
    lines = made.lines("ranks.jsonl")
    found = made.get("/ranks?number=forward&columns=1")
    steps = sum(line["global_step"] - line["first_step"] for line in lines)
    for rank in range(4):
        total = sum(line["rank_numbers"]["forward"][rank] for line in lines)
        assert found["values"][rank] == [pytest.approx(total / steps, rel=1e-3)]
    memory = made.get("/ranks?number=host_bytes&columns=1")
    assert memory["unit"] == "bytes"
    newest = lines[-1]["rank_numbers"]["host_bytes"]
    assert [row[0] for row in memory["values"]] == pytest.approx(newest, rel=1e-3)


def test_a_number_that_no_rank_has_is_refused(made):
    assert made.status("/ranks?number=luck") == 400


def test_ranks_are_listed_with_stragglers_first_and_by_their_lag(made):
    rows = made.get("/rank-table")
    assert sorted(row["rank"] for row in rows) == [0, 1, 2, 3]
    keys = [(not row["straggler"], -row["lag_s_per_step"]) for row in rows]
    assert keys == sorted(keys)
    for row in rows:
        assert sum(row["shares"].values()) == pytest.approx(1)
        assert row["host"] == "worker-000"


def test_the_anatomy_has_the_mean_of_all_ranks(made):
    found = made.get("/anatomy")
    lines = made.lines("ranks.jsonl")
    steps = lines[-1]["global_step"] - lines[0]["first_step"]
    total = sum(sum(line["rank_numbers"]["backward"]) for line in lines)
    assert found["mean"]["backward"] == pytest.approx(total / 4 / steps, rel=1e-3)
    assert set(found["phases"]) == set(found["median"]) == set(found["slowest"])


def test_evaluations_are_told_with_what_they_have(made):
    lines = made.lines("evaluations.jsonl")
    found = made.get("/evaluations")
    assert [each["metrics"] for each in found] == [line["metrics"] for line in lines]
    assert [each["step"] for each in found] == [line["global_step"] for line in lines]
    assert found[0]["curves"] == ["auc"]
    step = lines[3]["global_step"]
    assert made.get(f"/evaluation?step={step}") == lines[3]
    assert made.get("/evaluation") == lines[-1]
    assert made.status("/evaluation?step=7") == 400


def test_checkpoints_have_scores_and_sizes(made):
    found = made.get("/checkpoints")
    assert [each["step"] for each in found] == sorted(each["step"] for each in found)
    assert sum(each["is_best"] for each in found) == 1
    assert all(each["is_complete"] and each["metrics"] for each in found)


def test_tables_have_their_newest_health(made):
    found = {each["series"]: each for each in made.get("/tables")}
    newest = made.lines("windows.jsonl")[-1]["tables"]
    assert found["user_id"]["health"]["touched_share"] == newest["user_id"]["touched_share"]
    assert found["item_id"]["rows"] == 300_000


def test_the_config_is_told_as_it_ran(made):
    assert made.get("/config")["text"] == (made.path / "pipeline.config").read_text()


def test_alerts_are_told_newest_first_with_those_that_are_on(made):
    found = made.get("/alerts")
    assert [each["time"] for each in found] == sorted((e["time"] for e in found), reverse=True)
    begun = [each for each in made.lines("alerts.jsonl") if not each["is_over"]]
    ended = [each for each in made.lines("alerts.jsonl") if each["is_over"]]
    assert sum(each["is_on"] for each in found) == len(begun) - len(ended)


def test_what_happened_is_marked_where_it_happened(made):
    kinds = {mark["kind"] for mark in made.get("/marks")}
    assert {"checkpoint", "best", "alert", "evaluation"} <= kinds


def test_the_log_ends_with_its_last_line_and_is_text(made):
    assert made.get("/logs") == {"files": ["driver.log"]}
    lines = made.get("/log?file=driver.log&lines=50")["lines"]
    assert len(lines) == 50
    assert lines[-1]["text"].endswith("<i>not markup</i> & more")
    assert lines[-1]["level"] == "WARNING"


@pytest.mark.parametrize("name", ["../run.json", "/etc/passwd", "..%2Frun.json", "nothing.log"])
def test_only_log_files_of_the_list_are_read(made, name):
    assert made.status(f"/log?file={name}") == 400


def test_runs_are_compared_with_the_first(made):
    answer = made.board.get(f"/api/compare?runs={made.id}")
    assert answer["runs"] == [made.id]
    auc = next(row for row in answer["metrics"] if row["name"] == "eval:metrics.auc")
    assert auc["values"][made.id]["value"] == made.lines("evaluations.jsonl")[-1]["metrics"]["auc"]
    assert made.board.ask("/api/compare").status == 400
    assert made.board.ask("/api/compare?runs=000000000000").status == 404


def test_ranks_are_listed_where_another_file_cannot_be_read(tmp_path):
    write_rank_lines(tmp_path / "run", 10, 20)
    (tmp_path / "run" / "run.json").write_text('{"status": "done"}')
    (tmp_path / "run" / "monitor" / "windows.jsonl").mkdir()
    board = Board(tmp_path)
    run_id = board.get("/api/runs")["runs"][0]["id"]
    rows = board.get(f"/api/runs/{run_id}/rank-table")
    assert sorted(row["rank"] for row in rows) == [0, 1, 2]
