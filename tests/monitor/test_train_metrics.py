"""Train metrics of a custom loop, by names, objects and messages."""

from collections.abc import Iterator

import pytest
import torch
from torchmetrics import MeanMetric, Metric, MetricCollection
from torchmetrics.classification import BinaryAUROC

from raymon import ConfigError, UserError
from raymon.metrics import (
    AUC,
    PRAUC,
    XAUC,
    BinnedXAUC,
    Calibration,
    DecayAUC,
    LogLoss,
    MulticlassAUC,
    NDCGAtK,
    TrainMetricWrapper,
)
from raymon.metrics.registry import custom
from raymon.monitor.train_metrics import build_train_metrics
from raymon.protos.metric_pb2 import TrainMetricConfig


@pytest.fixture
def registered() -> Iterator[str]:
    custom.register_metric("mean_of_scores", MeanMetric)
    yield "mean_of_scores"
    del custom._registered["mean_of_scores"]


def message(kind: str, **fields: object) -> TrainMetricConfig:
    config = TrainMetricConfig(**fields)
    getattr(config, kind).SetInParent()
    return config


def test_all_ways_to_give_a_metric_mix_in_one_list(registered: str) -> None:
    wrapper = TrainMetricWrapper(LogLoss(), decay_step=7)
    metrics = build_train_metrics(
        [
            "auc",
            PRAUC(),
            wrapper,
            message("calibration", decay_rate=0.5),
            registered,
            {"of_clicks": AUC(200), "of_buys": "auc"},
        ]
    )
    assert {name: type(metric.metric) for name, metric in metrics.items()} == {
        "auc": DecayAUC,
        "pr_auc": PRAUC,
        "log_loss": LogLoss,
        "calibration": Calibration,
        "mean_of_scores": MeanMetric,
        "of_clicks": DecayAUC,
        "of_buys": DecayAUC,
    }
    assert metrics["log_loss"] is wrapper
    assert metrics["calibration"].decay_rate == 0.5
    assert (metrics["auc"].decay_rate, metrics["auc"].decay_step) == (0.9, 100)
    assert metrics["of_clicks"].metric.thresholds == 200


@pytest.mark.parametrize(
    ("metric", "name", "kind"),
    [
        (AUC(), "auc", DecayAUC),
        (DecayAUC(), "auc", DecayAUC),
        (XAUC(), "xauc", BinnedXAUC),
        (XAUC(in_batch=True), "xauc", XAUC),
        (MulticlassAUC(3), "multiclass_auc", MulticlassAUC),
        (BinaryAUROC(thresholds=200), "binary_auroc", BinaryAUROC),
    ],
)
def test_a_metric_is_what_the_config_makes_of_its_name(
    metric: Metric, name: str, kind: type[Metric]
) -> None:
    ((found, wrapper),) = build_train_metrics([metric]).items()
    assert (found, type(wrapper.metric)) == (name, kind)


def test_a_metric_that_was_given_is_left_as_it_is() -> None:
    given = LogLoss()
    given.update(torch.tensor([0.5]), torch.tensor([1.0]))
    states = given.metric_state
    own = build_train_metrics([given])["log_loss"].metric
    assert own is not given
    assert all(not state.any() for state in own.metric_state.values())
    assert all(torch.equal(state, states[name]) for name, state in given.metric_state.items())


def test_a_collection_has_its_own_names() -> None:
    collection = MetricCollection({"a": AUC(), "b": LogLoss()}, prefix="train_")
    assert list(build_train_metrics(collection)) == ["train_a", "train_b"]


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ("aucc", 'unknown metric "aucc" (did you mean "auc"?); there are accuracy, auc'),
        ("recall", 'unknown metric "recall"'),
        ("grouped_auc", "grouped_auc keeps all rows, so it is for an evaluation alone; there are"),
        ("custom_metric", 'unknown metric "custom_metric"'),
        ("multiclass_auc", "multiclass_auc needs the number of classes; give raymon.metrics."),
        (message("multiclass_auc"), "multiclass_auc needs the number of classes"),
        (message("auc", label_name="click"), "label_name has no effect here"),
        (TrainMetricConfig(), "no metric is given"),
        (NDCGAtK(), "grows with the rows, so it is a metric for evaluation"),
        (BinaryAUROC(), "grows with the rows, so it is a metric for evaluation"),
        (AUC, "the class AUC is no metric"),
        ([3], "3 is no metric"),
        (["auc", AUC()], '"auc" is there twice'),
        ({1: "auc"}, "1 is no name"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_is_right(given: object, error: str) -> None:
    with pytest.raises(UserError) as caught:
        build_train_metrics(given)
    assert error in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_name_is_a_config_error() -> None:
    with pytest.raises(ConfigError):
        build_train_metrics(["auk"])
