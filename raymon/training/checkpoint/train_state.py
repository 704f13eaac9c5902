"""The whole state of training: tensors, which may be large, and small values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import nn

from raymon.embeddings import EmbeddingTable, GrowingIds, IdCounts, TableShards, add_up
from raymon.models import Model
from raymon.results import Evaluation
from raymon.training.input.feed import RunPosition
from raymon.training.optim.averages import AveragedWeights
from raymon.training.optim.early_stopping import EarlyStopping
from raymon.training.optim.optimizers import Optimizers
from raymon.training.optim.precision import plain_scaler_state, scaler_state
from raymon.training.optim.random_state import random_state
from raymon.training.optim.row_optimizer import RowOptimizer

MODEL = "model."
OPTIMIZER = "optimizer."
AVERAGE = "average."

Tensors = Mapping[str, torch.Tensor]

Stored = torch.Tensor | TableShards
"""What a checkpoint has under a name: a tensor, or on each rank the part of it that is there."""


@dataclass
class TrainState:
    """The state of a run on one rank.

    Attributes:
        model: The model.
        optimizers: Optimizers and their schedules.
        scaler: Scale of FP16 losses.
        data: Fingerprint of the data of a position and of the order in which it is read.
        position: Position of the next batch.
        step: Steps that the model has made.
        metrics: Scores at this step, by name.
        windows: Windows that were not durable when the checkpoint was made from which the state was
            restored, as serialized reports, until they are sent again.
        evaluations: Scores that were not durable then.
        stopping: Early stopping; None if the run does not use it.
        averages: Averages that evaluations use in place of the dense parameters; None if they use
            the parameters.
    """

    model: Model
    optimizers: Optimizers
    scaler: torch.amp.GradScaler
    data: str
    position: RunPosition
    step: int = 0
    metrics: Mapping[str, float] = field(default_factory=dict)
    windows: list[bytes] = field(default_factory=list)
    evaluations: list[Evaluation] = field(default_factory=list)
    stopping: EarlyStopping | None = None
    averages: AveragedWeights | None = None

    @property
    def stopped(self) -> str | None:
        """Why early stopping ends the run here; None if it does not."""
        return None if self.stopping is None else self.stopping.reason


def optimizer_kinds(optimizers: Optimizers) -> list[str]:
    """Returns the class names of the optimizers."""
    return [type(optimizer).__name__ for optimizer in optimizers.optimizers]


def stored_tensors(state: TrainState) -> dict[str, Stored]:
    """Returns the replicated and the sharded tensors by name; not copies."""
    tensors: dict[str, Stored] = {
        MODEL + name: value for name, value in model_tensors(state.model).items()
    }
    large = optimizer_tensors(state.optimizers, state.model)
    averages = state.averages.tensors.items() if state.averages is not None else ()
    return {**tensors, **large, **{AVERAGE + name: average for name, average in averages}}


def optimizer_tensors(optimizers: Optimizers, model: Model) -> dict[str, Stored]:
    """Returns the states of optimizers that are no single numbers, by name; not copies."""
    parts = _optimizer_parts(optimizers, model).items()
    return {name: part for name, part in parts if _is_large(part)}


def trainer_state(state: TrainState) -> dict[str, Any]:
    """Returns the other state that is the same on every rank: small values, tensors among them.

    Waits for no device. Tensors are not copies; `plain_trainer_state` takes copies of them.
    """
    shared, optimizers = state.position.shared, state.optimizers.state_dict()
    parts = _optimizer_parts(state.optimizers, state.model).items()
    return {
        "small": {name: part for name, part in parts if not _is_large(part)},
        "groups": [
            _groups(optimizer, state.model, each["param_groups"])
            for optimizer, each in zip(
                state.optimizers.optimizers, optimizers["optimizers"], strict=True
            )
        ],
        "schedules": optimizers["schedules"],
        "kinds": optimizer_kinds(state.optimizers),
        "scaler": scaler_state(state.scaler),
        "data": state.data,
        "averaging": state.averages is not None and state.averages.begun,
        "stopping": None if state.stopping is None else state.stopping.state_dict(),
        "waiting": {
            path: dict(vars(waiting))
            for path, ids in growing_ids(state.model).items()
            if (waiting := ids.waiting()) is not None
        },
        "epoch": shared.epoch,
        "row": shared.row,
        "streams": shared.streams,
    }


def plain_trainer_state(shared: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what is written of the result of `trainer_state`, whose tensors are on the CPU."""
    return {**shared, "scaler": plain_scaler_state(shared["scaler"])} if shared else {}


def rank_state(state: TrainState, device: torch.device) -> dict[str, Any]:
    """Returns the state that only this rank has: small values, tensors among them.

    Waits for no device. Tensors are not copies; `plain_rank_state` takes copies of them.
    """
    own: dict[str, Any] = {
        "random": random_state(device),
        "accesses": {
            path: [dict(vars(part)) for part in ids.pending_parts()]
            for path, ids in growing_ids(state.model).items()
        },
    }
    if state.position.own is not None:
        own["dataset"] = dict(vars(state.position.own))
    return own


def plain_rank_state(
    own: Mapping[str, Any], windows: Iterable[bytes], evaluations: Iterable[Evaluation]
) -> dict[str, Any]:
    """Returns what is written of the state of a rank.

    Args:
        own: Result of `rank_state`, with tensors on the CPU.
        windows: Windows up to its step that are not durable, as serialized reports.
        evaluations: Scores that are not durable.
    """
    return {
        **own,
        # As tensors, which can be read without running code.
        "windows": [torch.frombuffer(bytearray(w), dtype=torch.uint8) for w in windows],
        "evaluations": [asdict(evaluation) for evaluation in evaluations],
        # Each id once, whatever the number of accesses.
        "accesses": {
            path: vars(add_up([IdCounts(**part) for part in parts], torch.device("cpu")))
            for path, parts in own["accesses"].items()
        },
    }


def growing_ids(model: Model) -> dict[str, GrowingIds]:
    """Returns the rows of the ids of tables that grow, by their paths in the model."""
    return {path: m for path, m in model.named_modules() if isinstance(m, GrowingIds)}


def model_tensors(model: nn.Module) -> dict[str, Stored]:
    """Returns the parameters and buffers of a model by name; not copies."""
    states = model.state_dict().items()
    stored: dict[str, Stored] = {n: value for n, value in states if isinstance(value, torch.Tensor)}
    sharded = model.sharded if isinstance(model, Model) else None
    return stored if sharded is None else {**stored, **sharded.tables}


def sharded_states(optimizers: Optimizers) -> dict[str, TableShards]:
    """Returns the states of sharded tables, by their names in a checkpoint."""
    return {
        f"{OPTIMIZER}{number}.{path}/{name}": value
        for number, optimizer in enumerate(optimizers.optimizers)
        for path, states in _sharded_by(optimizer).items()
        for name, value in states.items()
    }


def load_optimizers(optimizers: Optimizers, model: Model, rest: Any, tensors: Tensors) -> None:
    """Loads optimizers and schedules from what `trainer_state` and `stored_tensors` returned.

    Args:
        optimizers: Optimizers to load.
        model: Their model.
        rest: The result of `trainer_state`.
        tensors: Tensors of the optimizers, by the names of `stored_tensors`.

    Raises:
        ValueError: The state belongs to other parameters.
    """
    parts = {**rest["small"], **tensors}
    states = []
    pairs = zip(optimizers.optimizers, rest["groups"], strict=True)
    for number, (optimizer, groups) in enumerate(pairs):
        names = parameter_names(optimizer, model)
        own = optimizer_state(parts, number, names)
        ours = optimizer.state_dict()["param_groups"]
        there, here = groups, _groups(optimizer, model, ours)
        if [len(group["params"]) for group in there] != [len(g["params"]) for g in here]:
            raise ValueError("the state is of other parameters")
        load_sharded_steps(optimizer, parts, number)
        # The settings of the optimizer stay those of the config.
        states.append({"state": own, "param_groups": ours})
    optimizers.load_state_dict({"optimizers": states, "schedules": rest["schedules"]})


def optimizer_state(
    parts: Mapping[str, Any], number: int, names: Sequence[str | None]
) -> dict[int, dict[str, Any]]:
    """Returns the state of an optimizer by the index of the parameter, in the form that it loads.

    Args:
        parts: Values by the names of `stored_tensors` and of "small" in `trainer_state`.
        number: Number of the optimizer.
        names: Names of its parameters, as in `parts`; None for one without a state.
    """
    by_parameter: dict[str, dict[str, Any]] = {}
    for name, value in parts.items():
        parameter, _, part = name.rpartition("/")
        by_parameter.setdefault(parameter, {})[part] = value
    found = {i: by_parameter.get(f"{OPTIMIZER}{number}.{n}", {}) for i, n in enumerate(names)}
    return {index: own for index, own in found.items() if own}


def load_sharded_steps(
    optimizer: torch.optim.Optimizer,
    parts: Mapping[str, Any],
    number: int,
    sources: Mapping[str, str] | None = None,
) -> None:
    """Sets how many steps sharded tables have taken; their states are read where they are.

    Args:
        optimizer: An optimizer, perhaps of sharded tables.
        parts: Values by the names of `stored_tensors` and of "small" in `trainer_state`.
        number: Number of the optimizer.
        sources: Name of each table in `parts`; None if it is that of the table.
    """
    for path in _sharded_by(optimizer):
        source = path if sources is None else sources.get(path)
        steps = parts.get(f"{OPTIMIZER}{number}.{source}/step")
        if steps is not None and isinstance(optimizer, RowOptimizer) and optimizer.sharded:
            optimizer.sharded.steps = int(steps)


def parameter_names(optimizer: torch.optim.Optimizer, model: Model) -> list[str]:
    """Returns the names of the parameters of an optimizer that are whole, in its order."""
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    for table in model.modules():
        if isinstance(table, EmbeddingTable) and table.rows is not None:
            names[id(table.rows.owner)] = names[id(table.weight)]
    parameters = (p for group in optimizer.param_groups for p in group["params"])
    # An optimizer of sharded tables alone has a parameter that is no part of the model.
    return [names[id(p)] for p in parameters if id(p) in names]


def _sharded_by(optimizer: torch.optim.Optimizer) -> Mapping[str, Mapping[str, TableShards]]:
    """Returns the states of the sharded tables that an optimizer trains, by path and name."""
    if isinstance(optimizer, RowOptimizer) and optimizer.sharded is not None:
        return optimizer.sharded.states
    return {}


def _groups(
    optimizer: torch.optim.Optimizer, model: Model, groups: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Returns the parameter groups of an optimizer, with sharded tables as its parameters too."""
    sharded = _sharded_by(optimizer)
    if not sharded:
        return [dict(group) for group in groups]
    count = len(parameter_names(optimizer, model)) + len(sharded)
    return [{**groups[0], "params": list(range(count))}]


def _optimizer_parts(optimizers: Optimizers, model: Model) -> dict[str, Any]:
    """Returns the state of all parameters in the optimizers, by name.

    `torch.distributed.checkpoint.state_dict.get_optimizer_state_dict` would change what it reads:
    it makes a step to give a state to an optimizer without one (333 MB for 26 tables with Adam,
    whose count of steps is 1 from then on).
    """
    parts: dict[str, Any] = {}
    for number, optimizer in enumerate(optimizers.optimizers):
        names = parameter_names(optimizer, model)
        for index, own in optimizer.state_dict()["state"].items():
            parts |= {f"{OPTIMIZER}{number}.{names[index]}/{n}": v for n, v in own.items()}
        if isinstance(optimizer, RowOptimizer) and optimizer.sharded is not None:
            steps = torch.tensor(float(optimizer.sharded.steps))
            parts |= {f"{OPTIMIZER}{number}.{p}/step": steps for p in _sharded_by(optimizer)}
    return {**parts, **sharded_states(optimizers)}


def _is_large(value: Any) -> bool:
    # A count of steps is a tensor without dimensions.
    return isinstance(value, TableShards) or (isinstance(value, torch.Tensor) and value.dim() > 0)
