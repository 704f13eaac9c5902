from __future__ import annotations

import asyncio
import csv
import io
import json
import math
from urllib.parse import quote

import numpy as np
import pytest

from raymon.board.web import run_routes
from tests.board.asking import Board


def _values(lines, group, name):
    return [line[group][name] for line in lines]


def test_all_points_of_a_curve_are_those_of_the_lines(made):
    lines = made.lines("windows.jsonl")
    found = made.get("/series?names=losses.total_loss,metrics.auc&points=20000")
    loss = found["series"]["losses.total_loss"]
    assert loss["y"] == _values(lines, "losses", "total_loss")
    assert None in loss["y"]
    assert loss["x"] == loss["step"] == [line["global_step"] for line in lines]
    assert loss["time"] == [line["time"] for line in lines]
    assert found["series"]["metrics.auc"]["y"] == _values(lines, "metrics", "auc")
    assert found["bounds"]["metrics.auc"] == _values(lines, "metric_bounds", "auc")
    assert found["windows"] == len(lines)
    assert found["is_whole"]


def test_curves_of_evaluations_are_those_of_their_lines(made):
    lines = made.lines("evaluations.jsonl")
    found = made.get("/series?names=eval:metrics.auc")["series"]["eval:metrics.auc"]
    assert found["y"] == _values(lines, "metrics", "auc")
    assert found["x"] == [line["global_step"] for line in lines]


def test_every_series_that_is_named_can_be_had(made):
    detail = made.get()
    names = detail["series"] + [f"eval:{name}" for name in detail["evaluation_series"]]
    assert set(made.get(f"/series?names={','.join(names)}")["series"]) == set(names)


def test_a_name_can_have_any_characters(tmp_path):
    names = ["auc,ctr", "100 %", "a%2Cb", "<b>", "x y", "\u00e9"]
    monitor = tmp_path / "run" / "monitor"
    monitor.mkdir(parents=True)
    line = {"global_step": 1, "metrics": dict.fromkeys(names, 0.5)}
    (monitor / "windows.jsonl").write_text(json.dumps(line) + "\n")
    board = Board(tmp_path)
    series = [f"metrics.{name}" for name in names]
    # As the page does: each name by itself, then the parameter.
    query = quote(",".join(map(quote, series)))
    (run,) = board.get("/api/runs")["runs"]
    found = board.get(f"/api/runs/{run['id']}/series?names={query}")["series"]
    assert {name: found[name]["y"] for name in series} == {name: [0.5] for name in series}


def test_few_points_keep_the_peaks_and_the_gap(made):
    found = made.get("/series?names=losses.total_loss&points=40")["series"]["losses.total_loss"]
    assert len(found["x"]) < 60
    losses = [v for v in _values(made.lines("windows.jsonl"), "losses", "total_loss") if v]
    for peak in sorted(losses)[-3:]:
        assert peak in found["y"]
    assert min(losses) in found["y"]
    assert None in found["y"]


def test_a_part_of_a_curve_has_a_neighbour_on_each_side(made):
    steps = [line["global_step"] for line in made.lines("windows.jsonl")]
    found = made.get(f"/series?names=metrics.auc&from={steps[100] + 1}&to={steps[200] - 1}")
    assert found["series"]["metrics.auc"]["x"] == steps[100:201]


def test_the_axis_can_be_time(made):
    lines = made.lines("windows.jsonl")
    found = made.get("/series?names=metrics.auc&x=time&points=20000")["series"]["metrics.auc"]
    assert found["x"] == sorted(line["time"] for line in lines)


def test_curves_are_smoothed_over_all_windows_before_points_are_left_out(made):
    everything = made.get("/series?names=metrics.auc&smooth=0.9&points=20000")
    few = made.get("/series?names=metrics.auc&smooth=0.9&points=40")["series"]["metrics.auc"]
    all_of_it = everything["series"]["metrics.auc"]
    by_step = dict(zip(all_of_it["x"], all_of_it["smoothed"], strict=True))
    assert len(few["x"]) < len(all_of_it["x"])
    assert few["smoothed"] == [by_step[step] for step in few["x"]]
    mean, expected = 0.0, []
    for count, value in enumerate(all_of_it["y"], 1):
        mean = 0.9 * mean + 0.1 * value
        expected.append(mean / (1 - 0.9**count))
    assert np.allclose(all_of_it["smoothed"], expected)


def test_the_table_has_all_numbers_exactly(made):
    body = made.board.ask(
        f"/api/runs/{made.id}/series.csv?names=losses.total_loss,eval:metrics.auc"
    )
    assert body.headers["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(body.body.decode())))
    lines, scores = made.lines("windows.jsonl"), made.lines("evaluations.jsonl")
    assert len(rows) == len(lines) + len(scores)
    losses = [float(r["losses.total_loss"] or "nan") for r in rows if not r["eval:metrics.auc"]]
    expected = [math.nan if v is None else v for v in _values(lines, "losses", "total_loss")]
    assert np.array_equal(losses, expected, equal_nan=True)
    found = [float(r["eval:metrics.auc"]) for r in rows if r["eval:metrics.auc"]]
    assert found == _values(scores, "metrics", "auc")
    assert [int(r["global_step"]) for r in rows] == sorted(int(r["global_step"]) for r in rows)


def test_a_name_that_the_run_does_not_have_is_left_out(made):
    assert made.get("/series?names=metrics.nothing")["series"] == {}


def test_one_table_of_all_numbers_is_made_at_a_time(made, monkeypatch):
    made_now, most = 0, 0
    original = run_routes.series_csv

    def counted(run, query):
        nonlocal made_now, most
        made_now += 1
        most = max(most, made_now)
        try:
            return original(run, query)
        finally:
            made_now -= 1

    monkeypatch.setattr(run_routes, "series_csv", counted)

    async def work(client):
        path = f"/api/runs/{made.id}/series.csv?names=losses.total_loss"
        return [answer.status for answer in await asyncio.gather(*map(client.get, [path] * 6))]

    assert made.board.run(work) == [200] * 6
    assert most == 1


@pytest.mark.parametrize(
    "query",
    ["points=3", "points=1e9", "points=x", "smooth=1", "smooth=nan", "x=depth", "from=inf",
     "to=abc", "names=" + ",".join(f"n{i}" for i in range(300)), "names=" + "a" * 30_000],
)  # fmt: skip
def test_a_wrong_parameter_is_refused_in_one_line(made, query):
    answer = made.board.ask(f"/api/runs/{made.id}/series?names=metrics.auc&{query}")
    assert answer.status in (400, 414)
    if answer.status == 400 and answer.headers["Content-Type"].startswith("application/json"):
        assert "\n" not in answer.json["error"]
