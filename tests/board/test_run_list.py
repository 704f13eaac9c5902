from __future__ import annotations

import asyncio
import json
import os
import shutil
import time

import pytest

from raymon.board.web.answers.run_list import run_list
from raymon.board.web.query import Query
from raymon.board.web.shown_run import id_of
from tests.board.asking import Board


@pytest.fixture
def runs(tmp_path):
    for number, (name, auc) in enumerate([("b", 0.7), ("a", 0.9), ("c", None)]):
        path = tmp_path / "deep" / name
        path.mkdir(parents=True)
        summary = {"status": "done", "steps": 10 * number, "eval_metrics": {"auc": auc}}
        (path / "run.json").write_text(json.dumps(summary))
        os.utime(path / "run.json", (1000 + number, 1000 + number))
    return tmp_path


def _names(answer):
    return [run["name"] for run in answer["runs"]]


def test_the_newest_come_first(runs):
    answer = Board(runs).get("/api/runs")
    assert _names(answer) == ["c", "a", "b"]
    assert answer["found"] == 3
    assert answer["roots"] == [str(runs)]


def test_they_are_sorted_by_any_field_with_those_that_lack_it_last(runs):
    board = Board(runs)
    assert _names(board.get("/api/runs?sort=name")) == ["a", "b", "c"]
    assert _names(board.get("/api/runs?sort=eval.auc")) == ["b", "a", "c"]
    assert _names(board.get("/api/runs?sort=-eval.auc")) == ["a", "b", "c"]
    assert _names(board.get("/api/runs?sort=-step")) == ["c", "a", "b"]


def test_a_page_is_a_part_of_what_matches(runs):
    board = Board(runs)
    answer = board.get("/api/runs?sort=name&offset=1&limit=1")
    assert (_names(answer), answer["found"]) == (["b"], 3)
    answer = board.get("/api/runs?q=deep%2FA")
    assert (_names(answer), answer["found"]) == (["a"], 1)
    assert board.get("/api/runs?q=done+b&limit=5")["found"] >= 1
    assert board.get("/api/runs?q=nothing-like-it")["runs"] == []


@pytest.mark.parametrize("query", ["limit=0", "limit=99999", "offset=-1", "offset=1.5", "limit=x"])
def test_a_page_that_cannot_be_is_refused(runs, query):
    assert Board(runs).ask(f"/api/runs?{query}").status == 400


def test_without_sorting_only_the_summaries_of_the_page_are_read():
    read = []

    def entry(run_id, path):
        read.append(path)
        return {"id": run_id, "path": path}

    paths = {str(i): f"/runs/{i}" for i in range(10_000)}
    page, found = run_list(paths, entry, lambda path: float(path[6:]), Query({"limit": "3"}), dict)
    assert [each["id"] for each in page] == ["9999", "9998", "9997"]
    assert (found, len(read)) == (10_000, 3)


def test_a_run_keeps_its_id(runs):
    first, again = Board(runs).get("/api/runs"), Board(runs / "deep").get("/api/runs")
    expected = {str(runs / "deep" / name): id_of(str(runs / "deep" / name)) for name in "abc"}
    for answer in (first, again):
        assert {run["path"]: run["id"] for run in answer["runs"]} == expected
    assert len(set(expected.values())) == 3


def test_a_damaged_run_is_said_to_be_so_and_the_others_are_there(runs):
    (runs / "deep" / "a" / "run.json").write_text('{"status": "do')
    answers = {run["name"]: run for run in Board(runs).get("/api/runs")["runs"]}
    assert answers["a"]["error"]
    assert answers["b"]["status"] == "done"
    assert answers["b"]["error"] is None


def test_a_run_with_numbers_of_no_sense_is_an_entry_without_them(runs):
    content = '{"status": "done", "steps": NaN, "eval_metrics": [1], "alerts": 3, "verdict": 1e999}'
    (runs / "deep" / "a" / "run.json").write_text(content)
    run = next(r for r in Board(runs).get("/api/runs")["runs"] if r["name"] == "a")
    assert run["step"] is None
    assert run["eval"] == {}


def test_a_run_that_is_deleted_while_it_is_shown_is_a_message(runs):
    board, run_id = Board(runs), id_of(str(runs / "deep" / "a"))

    async def work(client):
        assert (await client.get(f"/api/runs/{run_id}")).status == 200
        shutil.rmtree(runs / "deep" / "a")
        deadline = time.monotonic() + 30
        answer = await client.get(f"/api/runs/{run_id}")
        while answer.status == 200 and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
            answer = await client.get(f"/api/runs/{run_id}")
        return answer.status, await answer.json()

    status, content = board.run(work)
    assert status == 404
    assert "\n" not in content["error"]


def test_names_with_markup_are_text(tmp_path):
    name = '<img src=x onerror=alert(1)> & "quotes" \' 漢字'
    (tmp_path / name).mkdir()
    (tmp_path / name / "run.json").write_text('{"status": "<b>done</b>"}')
    answer = Board(tmp_path).ask("/api/runs")
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    (run,) = answer.json["runs"]
    assert (run["name"], run["status"]) == (name, "<b>done</b>")


def test_no_directory_of_runs_is_said(tmp_path):
    answer = Board(tmp_path / "nothing").get("/api/runs")
    assert answer["runs"] == []
    assert len(answer["notes"]) == 1


def test_only_fields_of_configs_that_differ_are_told(runs):
    for name, rate in (("a", 0.1), ("b", 0.2)):
        text = f'model_dir: "{name}"\ntrain_config {{ num_steps: 5 dense_optimizer {{ '
        text += f"adam_optimizer {{ lr: {rate} }} }} }}"
        (runs / "deep" / name / "pipeline.config").write_text(text)
    told = {run["name"]: run["config"] for run in Board(runs).get("/api/runs")["runs"]}
    field = "train_config.dense_optimizer.adam_optimizer.lr"
    assert told == {"a": {field: "0.1"}, "b": {field: "0.2"}, "c": {}}


def test_runs_are_sorted_by_a_field_of_their_configs_as_a_number(runs):
    for name, epochs in (("a", 9), ("b", 10)):
        text = f"train_config {{ num_epochs: {epochs} }}"
        (runs / "deep" / name / "pipeline.config").write_text(text)
    board = Board(runs)
    field = "config.train_config.num_epochs"
    assert _names(board.get(f"/api/runs?sort={field}")) == ["a", "b", "c"]
    assert _names(board.get(f"/api/runs?sort=-{field}")) == ["b", "a", "c"]


def test_runs_are_filtered_by_their_states(runs):
    (runs / "deep" / "a" / "run.json").write_text('{"status": "failed"}')
    (runs / "deep" / "b" / "run.json").write_text('{"status": "stopped"}')
    board = Board(runs)
    answer = board.get("/api/runs?status=failed,stopped&sort=name")
    assert (_names(answer), answer["found"]) == (["a", "b"], 2)
    assert _names(board.get("/api/runs?status=done")) == ["c"]
    assert board.get("/api/runs?status=none-such")["runs"] == []


@pytest.mark.parametrize("run_id", ["000000000000", "xyz", "../../etc", "%2e%2e", "A" * 12])
def test_an_id_that_is_none_leads_nowhere(runs, run_id):
    assert Board(runs).ask(f"/api/runs/{run_id}").status == 404
