"""The optimizers of a model: for its embedding tables, and for its dense parameters."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, overload

import torch
from torch import Tensor, nn

from raymon.errors import ConfigError
from raymon.models import Model
from raymon.protos.optimizer_pb2 import (
    AdamOptimizer,
    AdamWOptimizer,
    DenseOptimizer,
    PartOptimizer,
)
from raymon.protos.train_pb2 import OnNonfinite, TrainConfig
from raymon.training.optim.row_optimizers import build_row_optimizer, max_gradient
from raymon.training.optim.schedules import OptimizerBlock, Schedule, build_schedule
from raymon.training.optim.table_gradients import TableGradients


class Optimizers:
    """Optimizers with their schedules.

    Args:
        optimizers: Optimizers of the dense parameters, of the embedding tables, and of the parts of
            the dense parameters that have a separate optimizer; none of them has to exist.
        schedules: Learning rate schedule of each optimizer.
        tables: Gradients of the embedding tables.
        of_tables: Index of the optimizer of the embedding tables; None if there is none.
        names: Readable name of what each optimizer trains.

    Attributes:
        optimizers: The optimizers, in the given order.
        schedules: Learning rate schedule of each optimizer.
        tables: Gradients of the embedding tables.
        joint: All optimizers as one, which makes a step of each or of none.
    """

    def __init__(
        self,
        optimizers: Iterable[torch.optim.Optimizer],
        schedules: Iterable[Schedule],
        tables: TableGradients,
        of_tables: int | None,
        names: Sequence[str] = (),
    ) -> None:
        self.optimizers = tuple(optimizers)
        self.schedules = tuple(schedules)
        self.tables = tables
        self._names = tuple(names)
        self.joint = JointOptimizer(self.optimizers, tables.checked)
        order = range(len(self.optimizers))
        self._order = sorted(order, key=lambda number: (number != of_tables, number))

    def step(self) -> None:
        """Makes a step of every optimizer and schedule, for a loop without accumulation."""
        self.tables.settle()
        self.joint.step()
        self.step_schedules()

    def step_schedules(self) -> None:
        """Advances the schedules that count steps; called after every step of the run."""
        for schedule in self.schedules:
            schedule.step()

    def end_epoch(self) -> None:
        """Advances the schedules that count epochs."""
        for schedule in self.schedules:
            schedule.end_epoch()

    def zero_grad(self) -> None:
        """Resets the gradients."""
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        self.tables.clear()

    def learning_rates(self) -> list[float]:
        """Returns the learning rates g0, g1, ... of the next step, without asking a device.

        That of the embedding tables comes first, then the others.
        """
        return [self.schedules[number].learning_rate for number in self._order]

    @property
    def groups(self) -> str:
        """Readable list of what the learning rates g0, g1, ... belong to."""
        named = (self._names[number] for number in self._order if self._names)
        return ", ".join(f"lr_g{i}: {name}" for i, name in enumerate(named))

    def state_dict(self) -> dict[str, Any]:
        """Returns everything that a resumed run needs to continue with the same steps."""
        return {
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "schedules": [schedule.state_dict() for schedule in self.schedules],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Loads a state. Base rates and schedules stay those of the config.

        Raises:
            ValueError: The state belongs to other parameters.
        """
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        for schedule, saved in zip(self.schedules, state["schedules"], strict=True):
            schedule.load_state_dict(saved)


class JointOptimizer(torch.optim.Optimizer):
    """Several optimizers as one: a `GradScaler` checks all gradients, and skips all steps or none.

    Args:
        optimizers: The optimizers.
        checked: Further tensors whose `grad` is checked.

    Attributes:
        steps: Number of steps that were made.
    """

    def __init__(
        self, optimizers: Sequence[torch.optim.Optimizer], checked: Sequence[Tensor] = ()
    ) -> None:
        self._optimizers = optimizers
        self.steps = 0
        groups = [group["params"] for optimizer in optimizers for group in optimizer.param_groups]
        groups += [[parameter] for parameter in checked]
        # A model without parameters has no groups; its first loss raises for that.
        super().__init__([{"params": parameters} for parameters in groups or [[]]], {})

    @overload
    def step(self, closure: None = None) -> None: ...
    @overload
    def step(self, closure: Callable[[], float]) -> float: ...

    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Makes a step of every optimizer; does not call `closure`."""
        for optimizer in self._optimizers:
            optimizer.step()
        self.steps += 1
        return None


def build_optimizers(config: TrainConfig, model: Model) -> Optimizers:
    """Builds the optimizers of a model on its device.

    From now on the gradients of embedding tables are collected by row. Without a sparse_optimizer
    block, embedding tables are trained by a separate optimizer as dense_optimizer says, which
    treats every row as looked up. A model without dense parameters, or without tables, has no
    optimizer for them.
    """
    dense, sparse = config.dense_optimizer, config.sparse_optimizer
    rowwise = config.HasField("sparse_optimizer")
    limit = max_gradient(sparse) if rowwise else None
    tables = TableGradients(
        model.sparse_tables(),
        limit,
        dense=not rowwise,
        sharded=model.sharded,
        may_overflow=config.mixed_precision == "FP16" or config.on_nonfinite != OnNonfinite.WARN,
    )
    blocks: list[OptimizerBlock] = []
    optimizers: list[torch.optim.Optimizer] = []
    names: list[str] = []
    for part, parameters in dense_parts(dense, model):
        blocks.append(part)
        names.append(_name(part, list(parameters)))
        optimizers.append(build_optimizer(part, list(parameters.values())))
    of_tables = None
    if tables.tables or tables.sharded is not None:
        of_tables = 1 if blocks and blocks[0] is dense else 0
        blocks.insert(of_tables, sparse if rowwise else dense)
        optimizer = (
            build_row_optimizer(sparse, tables.tables, tables.sharded)
            if rowwise
            else build_optimizer(dense, model.sparse_parameters())
        )
        optimizers.insert(of_tables, optimizer)
        names.insert(of_tables, "embedding tables")
    schedules = []
    for block, optimizer in zip(blocks, optimizers, strict=True):
        has_own = block.WhichOneof("learning_rate") is not None
        of = block if has_own or not isinstance(block, PartOptimizer) else dense
        schedules.append(build_schedule(of, optimizer))
    return Optimizers(optimizers, schedules, tables, of_tables, names)


def _name(part: DenseOptimizer | PartOptimizer, parameters: Sequence[str]) -> str:
    """Returns a readable name of a part of the dense parameters."""
    if isinstance(part, DenseOptimizer):
        return "dense parameters"
    return f'the {len(parameters)} dense parameters of "{part.regex_pattern}"'


def dense_parts(
    dense: DenseOptimizer, model: Model
) -> list[tuple[DenseOptimizer | PartOptimizer, dict[str, nn.Parameter]]]:
    """Returns the dense parameters by name, in parts with one optimizer each; none is empty."""
    of_dense = {id(parameter) for parameter in model.dense_parameters()}
    parameters = {n: p for n, p in model.named_parameters() if id(p) in of_dense}
    blocks: list[DenseOptimizer | PartOptimizer] = [dense, *dense.part_optimizers]
    parts: list[dict[str, nn.Parameter]] = [{} for _ in blocks]
    for name, parameter in parameters.items():
        parts[part_of(name, dense)][name] = parameter
    return [(block, part) for block, part in zip(blocks, parts, strict=True) if part]


def check_parts(dense: DenseOptimizer, model: Model) -> None:
    """Checks that each of part_optimizers has parameters of the model.

    Raises:
        ConfigError: An entry of part_optimizers has no parameters.
    """
    names = [name for _, part in dense_parts(dense, model) for name in part]
    taken = {part_of(name, dense) for name in names}
    for index, part in enumerate(dense.part_optimizers):
        if index + 1 not in taken:
            raise ConfigError(
                f"train_config.dense_optimizer.part_optimizers[{index}].regex_pattern: "
                f'"{part.regex_pattern}" matches no dense parameter that is left by those before; '
                f"there are {', '.join(names)}"
            )


def part_of(name: str, dense: DenseOptimizer) -> int:
    """Returns the part of a dense parameter: 0 is the rest, 1 the first of part_optimizers."""
    for number, part in enumerate(dense.part_optimizers, 1):
        if re.fullmatch(part.regex_pattern, name):
            return number
    return 0


def build_optimizer(
    block: DenseOptimizer | PartOptimizer, parameters: list[nn.Parameter]
) -> torch.optim.Optimizer:
    """Builds the optimizer of a block of dense parameters."""
    kind = block.WhichOneof("optimizer")
    # Unfused, torch passes over the memory, or launches kernels, once per operation.
    fused = True if all(p.device.type in ("cpu", "cuda") for p in parameters) else None
    if kind == "sgd_optimizer":
        sgd = block.sgd_optimizer
        return torch.optim.SGD(
            parameters,
            lr=sgd.lr,
            momentum=sgd.momentum,
            dampening=sgd.dampening,
            weight_decay=sgd.weight_decay,
            nesterov=sgd.nesterov,
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
            # Fused on CUDA it needs a later torch than raymon does.
            fused=fused if all(p.is_cpu for p in parameters) else None,
        )
    if kind == "rmsprop_optimizer":
        rms = block.rmsprop_optimizer
        return torch.optim.RMSprop(
            parameters, lr=rms.lr, alpha=rms.alpha, eps=rms.eps, weight_decay=rms.weight_decay
        )
    if kind == "adadelta_optimizer":
        delta = block.adadelta_optimizer
        return torch.optim.Adadelta(
            parameters, lr=delta.lr, rho=delta.rho, eps=delta.eps, weight_decay=delta.weight_decay
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
