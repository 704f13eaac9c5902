"""The lines of `monitor/evaluations.jsonl`, on a disk and on object storage."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from raymon.results import Evaluation
from raymon.sinks import BackgroundSink, EvaluationRecords, read_lines
from raymon.sinks.json_lines.thinners import NEWEST, sparse_curves
from raymon.storage import StoragePath
from tests.sinks.evaluations import evaluation
from tests.storage.objects import Objects
from tests.storage.test_object_log import no_pauses

__all__ = ["no_pauses"]

NAME = "monitor/evaluations.jsonl"


@pytest.fixture(params=["disk", "objects"])
def directory(request: pytest.FixtureRequest, tmp_path: Path) -> StoragePath:
    return tmp_path if request.param == "disk" else Objects().path()


def lines(directory: StoragePath) -> list[dict]:
    return read_lines(directory / NAME)


def test_a_line_has_all_that_is_known_of_an_evaluation(directory: StoragePath) -> None:
    sink = EvaluationRecords(directory)
    sink.write_evaluation(evaluation(20))
    sink.close()
    assert lines(directory) == [
        {
            "global_step": 20,
            "time": 20.0,
            "seconds": 2.5,
            "metrics": {"auc": 0.75, "grouped_auc": 0.7, "pr_auc": None},
            "metric_bounds": {"auc": 1e-5},
            "no_value": {"pr_auc": "its input has 3 NaN scores"},
            "metric_details": {"grouped_auc": {"groups": 3.0}},
            "input_errors": {"pr_auc": {"NaN scores": 3}},
            "curves": {
                "auc": {
                    "scores": {
                        "edges": [0, 0.25, 1],
                        "negative": [30, 9.5],
                        "positive": [1, 20],
                    },
                    "calibration": {
                        "predicted": [0.1, 0.4],
                        "observed": [0.125, 0.3],
                        "weight": [40, 11.5],
                    },
                    "roc": {
                        "false_positive_rate": [0, 0.1, 1],
                        "true_positive_rate": [0, 0.654321, 1],
                    },
                    "pr": {"recall": [0.3, 1], "precision": [0.9, 0.1]},
                }
            },
            "groups": {
                "grouped_auc": {"edges": [0, 0.5, 1], "groups": [1, 2], "quantiles": {"0.5": 0.7}}
            },
        }
    ]


def test_an_evaluation_whose_time_and_curves_are_not_known_has_none(
    directory: StoragePath,
) -> None:
    sink = EvaluationRecords(directory)
    sink.write_evaluation(Evaluation(20, {"auc": 0.75}))
    sink.close()
    (line,) = lines(directory)
    assert (line["time"], line["curves"], line["groups"]) == (None, {}, {})


def test_lines_up_to_a_roll_back_keep_their_curves_and_come_once(directory: StoragePath) -> None:
    sink = EvaluationRecords(directory)
    for step in (10, 20, 30):
        sink.write_evaluation(evaluation(step))
    sink.close()
    sink = EvaluationRecords(directory)
    # As after a restart: all evaluations come again, old ones without their curves.
    sink.roll_back(20, -1)
    for again in (evaluation(10).without_curves(), evaluation(20), evaluation(40)):
        sink.write_evaluation(again)
    sink.close()
    found = lines(directory)
    assert [line["global_step"] for line in found] == [10, 20, 40]
    assert all(line["curves"] for line in found)


def test_a_line_that_never_arrived_is_written_after_the_roll_back(directory: StoragePath) -> None:
    sink = EvaluationRecords(directory)
    sink.write_evaluation(evaluation(20))
    sink.roll_back(20, -1)
    sink.write_evaluation(evaluation(10))
    sink.close()
    assert sorted(line["global_step"] for line in lines(directory)) == [10, 20]


def test_a_new_run_begins_without_lines(directory: StoragePath) -> None:
    sink = EvaluationRecords(directory)
    sink.write_evaluation(evaluation(0))
    sink.roll_back(0, -1)
    sink.close()
    assert lines(directory) == []


def test_above_the_limit_scores_stay_and_curves_become_sparse(directory: StoragePath) -> None:
    sink = EvaluationRecords(directory, max_bytes=30_000)
    for step in range(1, 61):
        sink.write_evaluation(evaluation(step))
        sink.flush()
    sink.close()
    found = lines(directory)
    assert [line["global_step"] for line in found] == list(range(1, 61))
    assert all(line["metrics"]["auc"] == 0.75 for line in found)
    drawn = [line["global_step"] for line in found if line["curves"]]
    # From the whole run.
    assert drawn[0] == 1
    assert drawn[-NEWEST:] == list(range(53, 61))
    assert len(drawn) > NEWEST + 1
    assert sum(len(json.dumps(line)) for line in found) < 31_000


@pytest.mark.parametrize("share", [1.0, 0.9, 0.6, 0.3, 0.0])
def test_old_lines_lose_their_curves_evenly_until_the_rest_fits(share: float) -> None:
    whole = [json.dumps(evaluation(step).to_json()).encode() + b"\n" for step in range(40)]
    target = int(share * sum(map(len, whole)))
    kept = sparse_curves(whole, target)
    drawn = [i for i, line in enumerate(kept) if json.loads(line)["curves"]]
    old = len(whole) - NEWEST
    step = drawn[1] - drawn[0]
    assert drawn == [*range(0, old, step), *range(old, len(whole))]
    assert sum(map(len, kept)) <= target or step == old
    # Once more, of lines that were thinned before and new ones.
    again = sparse_curves([*kept, *whole], target)
    assert {i for i, line in enumerate(again) if json.loads(line)["curves"]} >= {0, 79}


def test_what_is_no_line_of_an_evaluation_stays() -> None:
    odd = [b"no line\n", b"[]\n"] * 10
    assert list(sparse_curves(odd, 0)) == odd


def test_a_line_that_is_tried_again_is_written_once(tmp_path: Path, full_disk: list[int]) -> None:
    sink = BackgroundSink(EvaluationRecords(tmp_path), tries=3, retry_s=0.001)
    full_disk[0] = 2
    for step in (10, 20):
        sink.write_evaluation(evaluation(step))
    sink.close()
    assert [line["global_step"] for line in lines(tmp_path)] == [10, 20]
    assert sink.failures == 0
