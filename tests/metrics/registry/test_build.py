"""Metrics by name: what a config says is what is built."""

from __future__ import annotations

import pytest
from google.protobuf import text_format

from raymon.errors import ConfigError, UserError
from raymon.metrics import (
    AUC,
    METRIC_NAMES,
    TRAIN_METRIC_NAMES,
    Accuracy,
    DecayAUC,
    GroupedAUC,
    MulticlassAUC,
    NormalizedEntropy,
    RecallAtK,
    build_metric,
    build_train_metric,
    metric_name,
)
from raymon.protos.metric_pb2 import MetricConfig, TrainMetricConfig


def _metric(text: str) -> MetricConfig:
    return text_format.Parse(text, MetricConfig())


def _train_metric(text: str) -> TrainMetricConfig:
    return text_format.Parse(text, TrainMetricConfig())


REQUIRED = {
    "grouped_auc": 'grouping_key: "user_id"',
    "grouped_xauc": 'grouping_key: "user_id"',
    "ndcg_at_k": 'grouping_key: "user_id"',
    "hit_rate_at_k": 'grouping_key: "user_id"',
    "mrr": 'grouping_key: "user_id"',
    "map": 'grouping_key: "user_id"',
    "custom_metric": 'name: "raymon.metrics:Calibration"',
}


@pytest.mark.parametrize("name", METRIC_NAMES)
def test_every_metric_of_the_schema_can_be_built(name: str) -> None:
    config = _metric(f"{name} {{ {REQUIRED.get(name, '')} }}")
    assert metric_name(config) == name
    built = build_metric(config, num_class=3)
    expected = "Calibration" if name == "custom_metric" else name.replace("_", "")
    assert type(built).__name__.lower() == expected.lower()
    assert built.sync_on_compute


@pytest.mark.parametrize("name", TRAIN_METRIC_NAMES)
def test_every_train_metric_of_the_schema_can_be_built(name: str) -> None:
    config = _train_metric(f"{name} {{ {REQUIRED.get(name, '')} }}")
    assert metric_name(config) == name
    wrapper = build_train_metric(config, num_class=3)
    assert (wrapper.decay_rate, wrapper.decay_step) == (0.9, 100)
    assert not wrapper.metric.sync_on_compute


@pytest.mark.parametrize(("fields", "thresholds"), [("", None), ("thresholds: 200", 200)])
def test_thresholds_are_used_when_written_and_only_then(
    fields: str, thresholds: int | None
) -> None:
    auc = build_metric(_metric(f"auc {{ {fields} }}"), 1)
    multiclass = build_metric(_metric(f"multiclass_auc {{ {fields} }}"), 4)
    train = build_train_metric(_train_metric(f"auc {{ {fields} }}"), 1).metric
    assert isinstance(auc, AUC)
    assert isinstance(multiclass, MulticlassAUC)
    assert isinstance(train, DecayAUC)
    assert {auc.thresholds, multiclass.thresholds, train.thresholds} == {thresholds}
    assert (multiclass.num_classes, multiclass.average) == (4, "macro")


def test_fields_reach_the_metric() -> None:
    recall = build_metric(_metric("recall_at_k { top_k: 3 }"), 9)
    accuracy = build_metric(_metric("accuracy { threshold: 0.2 top_k: 2 }"), 9)
    entropy = build_metric(_metric("normalized_entropy { eta: 0.01 }"), 1)
    multiclass = build_metric(_metric('multiclass_auc { average: "weighted" }'), 2)
    assert isinstance(recall, RecallAtK)
    assert recall.top_k == 3
    assert isinstance(accuracy, Accuracy)
    assert (accuracy.threshold, accuracy.top_k) == (0.2, 2)
    assert isinstance(entropy, NormalizedEntropy)
    assert entropy.eta == 0.01
    assert isinstance(multiclass, MulticlassAUC)
    assert multiclass.average == "weighted"
    wrapper = build_train_metric(_train_metric("auc {} decay_rate: 0.5 decay_step: 7"), 1)
    assert (wrapper.decay_rate, wrapper.decay_step) == (0.5, 7)


def test_a_grouped_auc_takes_its_key_from_the_caller() -> None:
    assert isinstance(build_metric(_metric('grouped_auc { grouping_key: "u" }'), 1), GroupedAUC)


def test_a_config_without_a_metric_is_refused_with_the_names() -> None:
    with pytest.raises(ConfigError, match="no metric is given; it must be one of auc, "):
        metric_name(MetricConfig())
    with pytest.raises(UserError, match="num_classes is 1"):
        build_metric(_metric("multiclass_auc {}"), 1)
