"""Metrics of a `LightningModule`, counted by raymon with what they are updated with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.classification import BinaryAUROC

from raymon.errors import UserError
from raymon.metrics import DecayAUC
from raymon.monitor import TrainMetrics, build_train_metrics


class ModuleMetrics:
    """Keeps what metrics of a module are updated with in a step, and leaves them as they are.

    Args:
        module: The module.
        names: Names of its attributes that are metrics of predictions and targets, with dots for
            those of its parts.

    Attributes:
        is_on: Whether updates are kept, as in training steps.

    Raises:
        UserError: An attribute is no metric.
    """

    def __init__(self, module: Any, names: Sequence[str]) -> None:
        self._metrics = {name: _metric(module, name) for name in names}
        self._kept: dict[str, list[tuple[Tensor, Tensor]]] = {}
        self._undo: list[Callable[[], object]] = []
        self._within: set[str] = set()
        self.is_on = False

    def and_given(self, given: TrainMetrics) -> TrainMetrics:
        """Returns the metrics that were given, and these under their names."""
        if not self._metrics:
            return given
        own = {name: [{name: _counterpart(metric)}] for name, metric in self._metrics.items()}
        if isinstance(given, Mapping) and any(isinstance(m, list | tuple) for m in given.values()):
            return {**given, **own}
        # Each as the only metric of a prediction of its name.
        self._given = list(build_train_metrics(given))
        return {**{n: [{n: m}] for n, m in build_train_metrics(given).items()}, **own}

    def attach(self) -> None:
        """Begins to listen to the metrics."""
        for name, metric in self._metrics.items():
            self._listen(name, metric)

    def detach(self) -> None:
        """Leaves the metrics as they were."""
        for undo in self._undo:
            undo()
        self._undo.clear()

    def add_to(self, arguments: dict[str, Any]) -> None:
        """Adds what was kept in a step to the arguments of `Monitor.step`, and forgets it."""
        if not self._metrics:
            return
        kept, self._kept = self._kept, {}
        for i, column in enumerate(("predictions", "targets")):
            step = arguments.get(column)
            by_name = dict(step) if isinstance(step, Mapping) else {}
            if step is not None and not by_name:
                by_name = dict.fromkeys(self._given, step)
            for name, updates in kept.items():
                parts = [update[i] for update in updates]
                by_name[name] = parts[0] if len(parts) == 1 else torch.cat(parts)
            arguments[column] = by_name

    _given: Sequence[str] = ()

    def _listen(self, name: str, metric: Metric) -> None:
        update = metric.update

        def enter(_: Any, given: tuple[Any, ...], named: dict[str, Any]) -> None:
            # A call of a metric updates it once or twice, as it likes.
            self._keep(name, given, named)
            self._within.add(name)

        def leave(*_: Any) -> None:
            self._within.discard(name)

        def telling(*given: Any, **named: Any) -> None:
            if name not in self._within:
                self._keep(name, given, named)
            update(*given, **named)

        object.__setattr__(metric, "update", telling)
        self._undo += [
            metric.register_forward_pre_hook(enter, with_kwargs=True).remove,
            metric.register_forward_hook(leave, always_call=True).remove,
            lambda: object.__setattr__(metric, "update", update),
        ]

    def _keep(self, name: str, given: tuple[Any, ...], named: Mapping[str, Any]) -> None:
        if not self.is_on:
            return
        preds = given[0] if given else named.get("preds")
        target = given[1] if len(given) > 1 else named.get("target")
        if isinstance(preds, Tensor) and isinstance(target, Tensor):
            self._kept.setdefault(name, []).append((preds.detach(), target.detach()))


def _metric(module: Any, name: str) -> Metric:
    try:
        metric = attrgetter(name)(module)
    except AttributeError:
        metric = None
    if not isinstance(metric, Metric):
        raise UserError(
            f"module_metrics: {type(module).__name__}.{name} is no metric of torchmetrics"
        )
    return metric


def _counterpart(metric: Metric) -> Metric:
    """Returns the metric that raymon counts in place of one."""
    # An update of raymon's costs a hundredth, and its value does not depend on thresholds.
    return DecayAUC() if type(metric) is BinaryAUROC else metric
