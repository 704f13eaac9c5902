"""The optimizers of a model: one of its dense parameters, one of its embedding tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from raymon.models import Model
from raymon.protos.optimizer_pb2 import AdamOptimizer, AdamWOptimizer
from raymon.protos.train_pb2 import TrainConfig
from raymon.training.schedules import OptimizerBlock, Schedule, build_schedule


class Optimizers:
    """Optimizers with their schedules, in the order of the learning rates g0, g1.

    Attributes:
        optimizers: the first is of the dense parameters, the second, if there is one, of the
            embedding tables.
        schedules: one for each.
    """

    def __init__(
        self, optimizers: Iterable[torch.optim.Optimizer], schedules: Iterable[Schedule]
    ) -> None:
        self.optimizers = tuple(optimizers)
        self.schedules = tuple(schedules)

    def step(self) -> None:
        """A step of every optimizer and its schedule."""
        for optimizer in self.optimizers:
            optimizer.step()
        self.step_schedules()

    def step_schedules(self) -> None:
        """Advances the schedules where somebody else, as a GradScaler, made the step."""
        for schedule in self.schedules:
            schedule.step()

    def end_epoch(self) -> None:
        """Advances the schedules that go by epoch."""
        for schedule in self.schedules:
            schedule.end_epoch()

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forgets the gradients."""
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none)

    def learning_rates(self) -> list[float]:
        """The learning rate of the next step of each optimizer; never asks a device."""
        return [schedule.learning_rate for schedule in self.schedules]

    def state_dict(self) -> dict[str, Any]:
        """All that a resumed run needs to go on with the same steps."""
        return {
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "schedules": [schedule.state_dict() for schedule in self.schedules],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from a state. Base rates and schedules stay those of the config.

        Raises:
            ValueError: the state is of other parameters.
        """
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        for schedule, saved in zip(self.schedules, state["schedules"], strict=True):
            schedule.load_state_dict(saved)


def build_optimizers(config: TrainConfig, model: Model) -> Optimizers:
    """The optimizers of a model on its device.

    Where there is no sparse_optimizer block, embedding tables are trained by an optimizer of
    their own as dense_optimizer says. A model without parameters of one part has no optimizer of
    that part.
    """
    dense = config.dense_optimizer
    sparse = config.sparse_optimizer if config.HasField("sparse_optimizer") else dense
    parts: list[tuple[OptimizerBlock, list[nn.Parameter]]] = [
        (dense, model.dense_parameters()),
        (sparse, model.sparse_parameters()),
    ]
    used = [(block, parameters) for block, parameters in parts if parameters]
    optimizers = [build_optimizer(block, parameters) for block, parameters in used]
    pairs = zip(used, optimizers, strict=True)
    return Optimizers(optimizers, [build_schedule(block, opt) for (block, _), opt in pairs])


def build_optimizer(block: OptimizerBlock, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
    """The optimizer of a block."""
    kind = block.WhichOneof("optimizer")
    # By itself torch goes over the memory once for each operation on the CPU; on CUDA it does not.
    fused = True if all(p.device.type == "cpu" for p in parameters) else None
    if kind == "sgd_optimizer":
        sgd = block.sgd_optimizer
        return torch.optim.SGD(
            parameters,
            lr=sgd.lr,
            momentum=sgd.momentum,
            weight_decay=sgd.weight_decay,
            fused=fused,
        )
    if kind == "adagrad_optimizer":
        adagrad = block.adagrad_optimizer
        return torch.optim.Adagrad(
            parameters,
            lr=adagrad.lr,
            weight_decay=adagrad.weight_decay,
            initial_accumulator_value=adagrad.initial_accumulator_value,
            eps=adagrad.eps,
            fused=fused,
        )
    if kind == "adamw_optimizer":
        adamw = _adam_arguments(block.adamw_optimizer)
        return torch.optim.AdamW(parameters, **adamw, fused=fused)
    return torch.optim.Adam(parameters, **_adam_arguments(block.adam_optimizer), fused=fused)


def _adam_arguments(config: AdamOptimizer | AdamWOptimizer) -> dict[str, Any]:
    return {
        "lr": config.lr,
        "betas": (config.beta1, config.beta2),
        "weight_decay": config.weight_decay,
        "eps": config.eps,
    }
