"""Custom metrics, by name in a config."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from raymon.config import import_class, note_direction, read_kwargs
from raymon.errors import ConfigError, UserError, reason
from raymon.protos.metric_pb2 import CustomMetric

_registered: dict[str, type[Metric]] = {}


def register_metric(name: str, cls: type[Metric]) -> None:
    """Makes a metric available to configs as `custom_metric { name: "..." kwargs {...} }`.

    Its `update(preds, target)` gets probabilities, float `[B]` or `[B, C]`, and labels, int64
    `[B]`; or real predictions and real labels, both float `[B]`. If it has an argument `weights`,
    it also gets the sample weights, float `[B]`, if there are any. Its `compute` returns a scalar.
    Its states are merged by their own reductions; in training those must be sum, min or max, and
    the states must be of fixed size.

    Args:
        name: Name in the config, and wherever the value is shown.
        cls: Subclass of `torchmetrics.Metric`.

    Raises:
        UserError: It is no such class, or the name is taken.
    """
    if not (isinstance(cls, type) and issubclass(cls, Metric)):
        raise UserError(f"register_metric: {cls!r} is no subclass of torchmetrics.Metric")
    if not name.isidentifier():
        raise UserError(f"register_metric: {name!r} is no name; use letters, digits and _")
    if _registered.get(name, cls) is not cls:
        raise UserError(f"register_metric: {name!r} is registered already, as another class")
    _registered[name] = cls
    note_direction(name, cls)


def registered_metrics() -> Mapping[str, type[Metric]]:
    """Returns the metrics that were registered in this process, by name."""
    return dict(_registered)


def build_custom(config: CustomMetric, place: str = "custom_metric") -> Metric:
    """Returns a custom metric, as configured.

    Args:
        config: Name of the metric and its arguments.
        place: Path of the block, for messages.

    Raises:
        ConfigError: It is not registered, cannot be imported, or cannot be made of these kwargs.
    """
    if ":" in config.name:
        cls = import_class(config.name, f"{place}.name")
        if not issubclass(cls, Metric):
            raise ConfigError(
                f'{place}.name: "{config.name}" is not a subclass of torchmetrics.Metric'
            )
    elif config.name in _registered:
        cls = _registered[config.name]
    else:
        known = ", ".join(sorted(_registered)) or "none"
        raise ConfigError(
            f'{place}.name: "{config.name}" is not registered; there is {known}; call '
            'raymon.register_metric before raymon.train, or write "package.module:Class"'
        )
    kwargs = read_kwargs(config.kwargs, place)
    try:
        metric: Metric = cls(**kwargs)
    except Exception as error:  # it is not raymon's code
        what = reason(error)
        raise ConfigError(f"{place}.kwargs: {cls.__name__} cannot be made: {what}") from error
    return metric


def takes_weights(metric: Metric) -> bool:
    """Whether `update` has an argument `weights`."""
    return "weights" in inspect.signature(type(metric).update).parameters


def try_out(
    metric: Metric,
    preds: Tensor,
    target: Tensor,
    weights: Tensor | None = None,
    place: str = "custom_metric",
) -> None:
    """Adds a few rows to a metric and computes it, to check before a run that it works.

    Args:
        metric: Metric to check; it is left as new.
        preds: Predictions, such as those of a batch.
        target: Labels, such as those of a batch.
        weights: Sample weights, if there are any; given to a metric that takes them.
        place: Path of its block in the config, for messages.

    Raises:
        ConfigError: It fails, or its value is no scalar.
    """
    name = type(metric).__name__
    try:
        if weights is not None and takes_weights(metric):
            metric.update(preds, target, weights=weights)
        else:
            metric.update(preds, target)
        value: Any = metric.compute()
        metric.reset()
    except Exception as error:  # it is not raymon's code
        raise ConfigError(f"{place}: {name} fails: {reason(error)}") from error
    if not isinstance(value, Tensor) or value.numel() != 1:
        shape = list(value.shape) if isinstance(value, Tensor) else type(value).__name__
        raise ConfigError(f"{place}: {name} gives {shape}; a metric must give a scalar")


def few_rows(num_class: int, real: bool) -> tuple[Tensor, Tensor]:
    """Returns predictions and labels to check a metric with.

    Args:
        num_class: Number of classes; above 1 for predictions `[4, C]` and labels of classes.
        real: Whether the label is real.
    """
    generator = torch.Generator(device="cpu").manual_seed(0)
    if num_class > 1:
        preds = torch.rand(4, num_class, generator=generator, device="cpu").softmax(1)
        return preds, torch.arange(4, device="cpu") % num_class
    preds = torch.rand(4, generator=generator, device="cpu")
    target = torch.tensor([0, 1, 0, 1], device="cpu")
    return preds, target.float() if real else target
