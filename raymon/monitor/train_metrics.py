"""Train metrics of a custom training loop, built from names, metrics, wrappers and messages."""

from __future__ import annotations

import copy
import difflib
import re
from collections.abc import Iterable, Iterator, Mapping

from torchmetrics import Metric, MetricCollection

from raymon.config import TOTAL_LOSS
from raymon.errors import ConfigError, UserError
from raymon.metrics import (
    AUC,
    METRIC_NAMES,
    PRAUC,
    TRAIN_METRIC_NAMES,
    XAUC,
    BinnedXAUC,
    DecayAUC,
    TrainMetricWrapper,
    build_train_metric,
    metric_name,
    registered_metrics,
)
from raymon.protos.metric_pb2 import TrainMetricConfig

TrainMetric = str | Metric | TrainMetricWrapper | TrainMetricConfig
"""The name of a metric in a config, a metric, a metric with its decay, or a config message."""

NamedMetrics = Mapping[str, TrainMetric] | MetricCollection
ListedMetrics = TrainMetric | NamedMetrics | Iterable[TrainMetric | NamedMetrics]
TrainMetrics = ListedMetrics | Mapping[str, ListedMetrics]

_UNSHOWABLE = re.compile(r"[\s:]")

_NAMES: dict[type[Metric], str] = {DecayAUC: "auc", PRAUC: "pr_auc", BinnedXAUC: "xauc"}


def build_by_prediction(
    given: TrainMetrics,
) -> tuple[dict[str, TrainMetricWrapper], dict[str, str]]:
    """Builds the train metrics, of one prediction or of several by name.

    Args:
        given: Metrics, or by the name of each prediction a list of its metrics.

    Returns:
        The metrics by the names that they are shown under, and by these names the prediction that
        each is of; none if a step has but one.

    Raises:
        UserError: As `build_train_metrics`; or only some names have a list.
    """
    if not isinstance(given, Mapping):
        return build_train_metrics(given), {}
    listed = {name: _is_several(value) for name, value in given.items()}
    if not any(listed.values()):
        return build_train_metrics(given), {}
    if not all(listed.values()):
        alone = next(name for name, is_several in listed.items() if not is_several)
        raise UserError(
            f'train_metrics: "{alone}" has no list of metrics, as other predictions have; write '
            f'{{"{alone}": [metric]}}'
        )
    metrics: dict[str, TrainMetricWrapper] = {}
    predictions: dict[str, str] = {}
    for prediction, of_prediction in given.items():
        if not isinstance(prediction, str) or _UNSHOWABLE.search(prediction) or not prediction:
            raise UserError(f"train_metrics: {prediction!r} is no name of a prediction")
        for name, metric in build_train_metrics(of_prediction).items():
            shown = name if name == prediction else f"{name}_{prediction}"
            if shown in metrics:
                raise UserError(f'train_metrics: two metrics would be shown as "{shown}"')
            # The same list may be that of several predictions.
            is_taken = any(metric is other for other in metrics.values())
            metrics[shown] = copy.deepcopy(metric) if is_taken else metric
            predictions[shown] = prediction
    return metrics, predictions


def build_train_metrics(given: ListedMetrics) -> dict[str, TrainMetricWrapper]:
    """Builds the train metrics by the names that they are shown under.

    Args:
        given: Names, metrics and messages; metrics of a mapping take their names from it.

    Raises:
        UserError: A metric is unknown, needs what is not given, or only works in an evaluation; or
            two have the same name.
    """
    metrics: dict[str, TrainMetricWrapper] = {}
    for name, metric in _named(given):
        if name is not None and not isinstance(name, str):
            raise UserError(f"train_metrics: {name!r} is no name; a name is a text")
        wrapper = _wrap(metric)
        name = name or _name(metric, wrapper)
        if _UNSHOWABLE.search(name) or name in ("", TOTAL_LOSS):
            what = "is taken" if name == TOTAL_LOSS else "no line can show"
            raise UserError(f'train_metrics: "{name}" is a name that {what}; give another')
        if name in metrics:
            raise UserError(
                f'train_metrics: "{name}" is there twice; give one of them another name, as in '
                '{"name": metric}'
            )
        metrics[name] = wrapper
    return metrics


def _named(given: ListedMetrics) -> Iterator[tuple[str | None, TrainMetric]]:
    if isinstance(given, Mapping | MetricCollection):
        yield from given.items()
    elif isinstance(given, str | Metric | type) or not isinstance(given, Iterable):
        yield None, given
    else:
        for item in given:
            yield from _named(item)


def _is_several(given: object) -> bool:
    return isinstance(given, Iterable) and not isinstance(given, str | Metric | type)


def _wrap(metric: TrainMetric) -> TrainMetricWrapper:
    if isinstance(metric, str):
        return _build(_config_of(metric))
    if isinstance(metric, TrainMetricConfig):
        return _build(metric)
    if isinstance(metric, TrainMetricWrapper):
        return metric
    if isinstance(metric, Metric):
        return TrainMetricWrapper(_for_training(metric))
    what = f"the class {metric.__name__}" if isinstance(metric, type) else repr(metric)
    raise UserError(
        f'train_metrics: {what} is no metric; give a name such as "auc", a torchmetrics Metric, or '
        "a TrainMetricConfig"
    )


def _config_of(name: str) -> TrainMetricConfig:
    """Returns the message that a name stands for, with the defaults of the config."""
    config = TrainMetricConfig()
    if name in registered_metrics():
        config.custom_metric.name = name
        return config
    known = sorted({*TRAIN_METRIC_NAMES, *registered_metrics()} - {"custom_metric"})
    if name in known:
        getattr(config, name).SetInParent()
        return config
    if name in METRIC_NAMES and name != "custom_metric":
        problem = f"{name} keeps all rows, so it is for an evaluation alone"
    else:
        problem = f'unknown metric "{name}"'
        nearest = difflib.get_close_matches(name, known, n=1)
        if nearest:
            problem += f' (did you mean "{nearest[0]}"?)'
    raise ConfigError(f"train_metrics: {problem}; there are {', '.join(known)}")


def _build(config: TrainMetricConfig) -> TrainMetricWrapper:
    if metric_name(config) == "multiclass_auc":
        raise ConfigError(
            "train_metrics: multiclass_auc needs the number of classes; give "
            "raymon.metrics.MulticlassAUC(num_class)"
        )
    if config.HasField("label_name"):
        raise ConfigError(
            "train_metrics: label_name has no effect here: a metric gets the targets of step()"
        )
    return build_train_metric(config, num_class=1)


def _for_training(metric: Metric) -> Metric:
    """Returns a new metric of the same kind, as a config has it in training."""
    if type(metric) is AUC:
        return DecayAUC(metric.thresholds)
    if type(metric) is XAUC and (metric.sample_ratio, metric.max_pairs) == (None, None):
        return XAUC(in_batch=True) if metric.in_batch else BinnedXAUC()
    # The given metric stays as it is.
    new = copy.deepcopy(metric)
    new.reset()
    new.sync_on_compute = False
    return new


def _name(given: TrainMetric, wrapper: TrainMetricWrapper) -> str:
    if isinstance(given, str):
        return given
    if isinstance(given, TrainMetricConfig) and given.HasField("name"):
        return str(given.name)
    if isinstance(given, TrainMetricConfig) and metric_name(given) == "custom_metric":
        return str(given.custom_metric.name).rpartition(":")[2]
    kind = type(wrapper.metric)
    return _NAMES.get(kind) or _snake_case(kind.__name__)


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
