"""Steps with several predictions and targets by name."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss, mean_absolute_error, roc_auc_score

import raymon
from raymon.metrics import AUC, TrainMetricWrapper
from raymon.monitor.train_metrics import build_by_prediction
from tests.monitor.test_monitor import auc_message, often, raymon_log_loss
from tests.training.decayed import batches


def metrics() -> dict[str, list[object]]:
    from raymon.metrics import MeanAbsoluteError

    return {
        "click": [auc_message(), {"ll": often(raymon_log_loss())}],
        "watch_time": [often(MeanAbsoluteError())],
    }


def test_each_prediction_has_metrics_of_its_own_rows(tmp_path: Path) -> None:
    rows = batches(10)
    seconds, watched = [], []
    with raymon.Monitor(metrics(), log_step_count_steps=10, model_dir=tmp_path) as monitor:
        for step, (scores, labels) in enumerate(rows):
            # Watched are a part of the rows, in some steps none.
            part = labels[: step * 7]
            seconds.append(10 * scores[: len(part)])
            watched.append(20 * part)
            monitor.step(
                {"click": step, "watch_time": 2.0 * step if step else float("nan"), "sum": 1.0},
                predictions={"click": scores, "watch_time": seconds[-1]},
                targets={"click": labels, "watch_time": watched[-1]},
            )
    assert monitor.failures == 0
    labels, scores = (torch.cat([row[i] for row in rows]).double().numpy() for i in (1, 0))
    assert monitor.compute() == {
        "auc_click": pytest.approx(roc_auc_score(labels, scores), abs=1e-4),
        "ll_click": pytest.approx(log_loss(labels, scores), abs=1e-6),
        "mean_absolute_error_watch_time": pytest.approx(
            mean_absolute_error(torch.cat(watched), torch.cat(seconds)), abs=1e-5
        ),
    }
    (line,) = [json.loads(x) for x in (tmp_path / "monitor/windows.jsonl").open()]
    counts = np.array([len(each) for each in seconds])
    assert line["samples"] == 640
    assert line["losses"]["click"] == 4.5
    assert line["losses"]["watch_time"] == pytest.approx(
        2.0 * np.average(np.arange(10), weights=counts)
    )
    assert line["non_finite"] == {}


@pytest.mark.parametrize("by_name", [True, False])
def test_weights_are_of_all_predictions_or_by_name(by_name: bool, tmp_path: Path) -> None:
    rows, generator = batches(10), torch.Generator().manual_seed(1)
    weights = torch.rand(10, 64, generator=generator)
    given = {"click": [auc_message()], "buy": [auc_message()]}
    with raymon.Monitor(given, log_step_count_steps=10, model_dir=tmp_path) as monitor:
        for step, (scores, labels) in enumerate(rows):
            monitor.step(
                {"click": step},
                {"click": scores, "buy": scores},
                {"click": labels, "buy": labels},
                weights={"click": weights[step]} if by_name else weights[step],
            )
    labels, scores = (torch.cat([row[i] for row in rows]).double().numpy() for i in (1, 0))
    weighted = roc_auc_score(labels, scores, sample_weight=weights.double().ravel())
    bare = roc_auc_score(labels, scores)
    assert monitor.compute() == {
        "auc_click": pytest.approx(weighted, abs=1e-4),
        "auc_buy": pytest.approx(bare if by_name else weighted, abs=1e-4),
    }
    (line,) = [json.loads(x) for x in (tmp_path / "monitor/windows.jsonl").open()]
    mean = np.average(np.arange(10), weights=weights.double().sum(1))
    assert line["losses"]["click"] == pytest.approx(mean, rel=1e-6)


SCORES, LABELS = batches(1)[0]
FEW = SCORES[:3]


@pytest.mark.parametrize(
    ("wrong", "said", "left"),
    [
        ({"predictions": {"click": SCORES}}, 'without predictions of "buy"', {"auc_click"}),
        ({"targets": {"buy": LABELS}}, 'without targets of "click"', {"auc_buy"}),
        ({"targets": None}, 'without targets of "buy" is not in its metrics', set()),
        ({"targets": LABELS}, "targets are a Tensor; give predictions and targets both", set()),
        ({"predictions": SCORES}, "predictions are a Tensor; give predictions and", set()),
        (
            {"predictions": SCORES, "targets": LABELS},
            'metrics are of predictions by name; give predictions={"click": ..., "buy": ...}',
            set(),
        ),
        ({"weights": FEW}, 'prediction "click" has other rows than its weights', set()),
        (
            {"targets": {"click": FEW, "buy": LABELS}},
            'prediction "click" has other rows than its targets',
            {"auc_buy"},
        ),
        (
            {"predictions": {"click": "no", "buy": SCORES}},
            'prediction "click" is a str; give a tensor [B]',
            {"auc_buy"},
        ),
    ],
)
def test_what_is_wrong_with_a_prediction_costs_its_metrics_alone(
    wrong: dict, said: str, left: set[str], caplog: pytest.LogCaptureFixture
) -> None:
    given = {name: [auc_message(decay_step=1)] for name in ("click", "buy")}
    step = {
        "predictions": {"click": SCORES, "buy": SCORES},
        "targets": {"click": LABELS, "buy": LABELS},
    }
    with raymon.Monitor(given, log_step_count_steps=1) as monitor:
        monitor.step({"bce": 0.25}, **{**step, **wrong})
    assert said in caplog.text
    assert monitor.failures > 0
    last = monitor.snapshot()
    assert last is not None
    assert last.losses["bce"] == 0.25
    assert {name for name, value in last.metrics.items() if math.isfinite(value)} == left


def test_metrics_of_one_prediction_say_what_to_write_for_several(
    caplog: pytest.LogCaptureFixture,
) -> None:
    scores, labels = batches(1)[0]
    with raymon.Monitor(["auc", "log_loss"], log_step_count_steps=1) as monitor:
        monitor.step({"bce": 0.5}, {"click": scores}, {"click": labels})
    said = (
        'write train_metrics={"click": ["auc", "log_loss"]}, and the metrics are shown as auc_click'
    )
    assert said in caplog.text
    assert monitor.failures == 1
    last = monitor.snapshot()
    assert last is not None
    assert last.samples == 64


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"click": ["auc"], "buy": "auc"}, '"buy" has no list of metrics, as other predictions'),
        ({"a b": ["auc"]}, "'a b' is no name of a prediction"),
        ({"click": ["aucc"]}, 'did you mean "auc"?'),
        ({"click": ["auc", "auc"]}, '"auc" is there twice'),
        ({"b_c": {"a": "auc"}, "c": {"a_b": "auc"}}, 'two metrics would be shown as "a_b_c"'),
    ],
)
def test_a_wrong_mapping_is_an_error_of_one_line(given: dict, said: str) -> None:
    with pytest.raises(raymon.UserError) as caught:
        build_by_prediction(given)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_predictions_that_share_a_list_share_no_state() -> None:
    shared = [TrainMetricWrapper(AUC())]
    built, predictions = build_by_prediction({"click": shared, "buy": shared})
    assert list(built) == ["auc_click", "auc_buy"]
    assert built["auc_click"] is shared[0]
    assert built["auc_buy"] is not shared[0]
    assert predictions == {"auc_click": "click", "auc_buy": "buy"}
