"""An exponential moving average of the dense parameters, used for evaluation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.optim.swa_utils import get_ema_multi_avg_fn

from raymon.models import Model
from raymon.protos.optimizer_pb2 import EMA


class AveragedWeights:
    """The average of each dense parameter, on the same device.

    The first average is the parameters after the first step of the optimizer; after every further
    step, `average = decay * average + (1 - decay) * parameter`. Embedding tables are not averaged:
    most of their rows do not change in a step. Batch norm statistics are averages already.

    Args:
        config: Settings, with the decay of the average.
        model: Model on its device.

    Attributes:
        tensors: Averages by the name of the parameter.
        begun: Whether a step was averaged.
    """

    def __init__(self, config: EMA, model: Model) -> None:
        dense = {id(parameter) for parameter in model.dense_parameters()}
        self._parameters = {n: p for n, p in model.named_parameters() if id(p) in dense}
        self._average = get_ema_multi_avg_fn(config.decay)
        self.tensors = {n: p.detach().clone() for n, p in self._parameters.items()}
        self.begun = False

    @torch.no_grad()
    def update(self) -> None:
        """Averages the parameters after a step of the optimizer; waits for no device."""
        if not self.begun:
            self.restart()
        elif self.tensors:
            averages, parameters = list(self.tensors.values()), list(self._parameters.values())
            self._average(averages, parameters, 0)
        self.begun = True

    @torch.no_grad()
    def restart(self) -> None:
        """Resets the averages to the current parameters, until the next step."""
        for name, parameter in self._parameters.items():
            self.tensors[name].copy_(parameter)
        self.begun = False

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Replaces the parameters of the model by their averages within the context."""
        trained = {name: p.detach().clone() for name, p in self._parameters.items()}
        self._set(self.tensors)
        try:
            yield
        finally:
            self._set(trained)

    @torch.no_grad()
    def _set(self, tensors: dict[str, torch.Tensor]) -> None:
        for name, parameter in self._parameters.items():
            parameter.copy_(tensors[name])
