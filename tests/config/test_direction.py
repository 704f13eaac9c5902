"""A metric knows in which direction it is better, and a config cannot say otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torchmetrics import Metric

from raymon.config import load
from raymon.config.direction import LARGER_IS_BETTER, known_direction, ranking, stopping
from raymon.config.names import named_metrics
from raymon.config.tasks import pipeline_tasks
from raymon.errors import ConfigError
from raymon.metrics import METRIC_NAMES, build_metric, register_metric
from raymon.metrics.registry import custom
from raymon.protos.metric_pb2 import MetricConfig
from tests.config.texts import write


class Lower(Metric):
    """A custom metric that knows its direction."""

    higher_is_better = False

    def __init__(self) -> None:
        super().__init__()
        self.add_state("total", torch.zeros(()), dist_reduce_fx="sum")

    def update(self, preds: torch.Tensor, target: torch.Tensor) -> None:
        """Nothing of interest."""

    def compute(self) -> torch.Tensor:
        return self.total


class Unknown(Lower):
    """A custom metric that does not know its direction."""

    higher_is_better = None


def _metric(kind: str) -> MetricConfig:
    config = MetricConfig()
    getattr(config, kind).SetInParent()
    if "grouping_key" in getattr(config, kind).DESCRIPTOR.fields_by_name:
        getattr(config, kind).grouping_key = "user"
    return config


@pytest.mark.parametrize("kind", sorted({*METRIC_NAMES} - {"custom_metric"}))
def test_a_kind_has_the_direction_of_its_class(kind: str) -> None:
    assert build_metric(_metric(kind), 3).higher_is_better is LARGER_IS_BETTER[kind]


LOSS = "model_config.metrics+={log_loss {}}"
BEST = "export_config={exporter_type: 'best' best_exporter_metric: '%s' %s}"
STOP = "train_config.early_stopping={metric: '%s' %s}"


@pytest.mark.parametrize("metric", ["log_loss", "binary_cross_entropy", "total_loss"])
def test_what_is_left_out_is_as_the_metric_is_better(tmp_path: Path, metric: str) -> None:
    config = load(write(tmp_path), [LOSS, BEST % (metric, ""), STOP % (metric, "")])
    assert not config.export_config.HasField("metric_larger_is_better")
    assert not ranking(config).metric_larger_is_better
    assert not stopping(config).larger_is_better
    config = load(write(tmp_path), [BEST % ("auc", ""), STOP % ("auc", "")])
    assert ranking(config).metric_larger_is_better
    assert stopping(config).larger_is_better


@pytest.mark.parametrize(
    ("override", "told"),
    [
        (
            BEST % ("log_loss", "metric_larger_is_better: true"),
            "export_config.metric_larger_is_better: is true, and of log_loss the smaller is",
        ),
        (
            BEST % ("auc", "metric_larger_is_better: false"),
            "export_config.metric_larger_is_better: is false, and of auc the larger is",
        ),
        (
            STOP % ("total_loss", "larger_is_better: true"),
            "early_stopping.larger_is_better: is true, and of total_loss the smaller is",
        ),
        (BEST % ("calibration", ""), 'best_exporter_metric: is "calibration", and 1 is right'),
        (STOP % ("calibration", ""), 'early_stopping.metric: is "calibration", and 1 is right'),
    ],
)
def test_a_config_that_contradicts_its_metric_is_refused(
    tmp_path: Path, override: str, told: str
) -> None:
    added = [LOSS, "model_config.metrics+={calibration {}}"]
    with pytest.raises(ConfigError) as error:
        load(write(tmp_path), [*added, override])
    assert told in str(error.value)


@pytest.fixture
def registered() -> Iterator[None]:
    register_metric("direction_lower", Lower)
    register_metric("direction_unknown", Unknown)
    yield
    # What is registered goes along to the workers of runs, which do not have this file.
    for name in ("direction_lower", "direction_unknown"):
        del custom._registered[name]


@pytest.mark.usefixtures("registered")
def test_a_metric_of_ones_own_has_the_direction_of_its_class_also_where_that_is_not_there(
    tmp_path: Path,
) -> None:
    for name in ("direction_lower", "direction_unknown"):
        added = f"model_config.metrics+={{custom_metric {{name: '{name}'}}}}"
        config = load(write(tmp_path), [added, BEST % (name, ""), STOP % (name, "")])
        knows = name == "direction_lower"
        assert known_direction(config, name) is (False if knows else None)
        # Written down for who reads the saved config.
        assert config.export_config.HasField("metric_larger_is_better") is knows
        assert ranking(config).metric_larger_is_better is not knows
        assert stopping(config).larger_is_better is not knows
        smaller = BEST % (name, "metric_larger_is_better: false")
        assert not ranking(load(write(tmp_path), [added, smaller])).metric_larger_is_better


def test_one_kind_twice_needs_a_name(tmp_path: Path) -> None:
    twice = "model_config.metrics+={normalized_entropy {} %s}"
    with pytest.raises(ConfigError, match="is given twice; give one of them a name"):
        load(write(tmp_path), [twice % "", twice % ""])
    config = load(write(tmp_path), [twice % "", twice % "name: 'ne@2'", BEST % ("ne@2", "")])
    named = [m.name for m in named_metrics(pipeline_tasks(config))]
    assert named[-2:] == ["normalized_entropy", "ne@2"]
    assert not ranking(config).metric_larger_is_better


@pytest.mark.parametrize("name", ["", "a b", "a/b", "total_loss", "global_step"])
def test_a_name_that_no_sink_could_show_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=r"metrics\[1\]\.name: is"):
        load(write(tmp_path), [f"model_config.metrics+={{log_loss {{}} name: '{name}'}}"])
