"""Everything that training depends on: as tensors, which may be large, and the little rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import torch

from raymon.models import Model
from raymon.results import Evaluation
from raymon.training.input.feed import RunPosition
from raymon.training.optim.averages import AveragedWeights
from raymon.training.optim.early_stopping import EarlyStopping
from raymon.training.optim.optimizers import Optimizers
from raymon.training.optim.random_state import random_state

MODEL = "model."
OPTIMIZER = "optimizer."
AVERAGE = "average."

Tensors = Mapping[str, torch.Tensor]


@dataclass
class TrainState:
    """The state of a run on one rank.

    Attributes:
        data: Which data a position is in, and in which order it is read.
        position: The batch that comes next.
        step: Steps that the model has made.
        metrics: The scores at this step, by name.
        windows: What this rank measured up to here and the reporter did not have when the
            checkpoint was made.
        evaluations: The same of scores.
        stopping: Says when the scores do not improve any more; None where the run goes to its end.
        averages: What the run is scored by in the place of its dense parameters; None: by those.
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
        """Why the run ends here, by its scores; None where they still improve."""
        return None if self.stopping is None else self.stopping.reason


def optimizer_kinds(optimizers: Optimizers) -> list[str]:
    """What the optimizers are."""
    return [type(optimizer).__name__ for optimizer in optimizers.optimizers]


def replicated_tensors(state: TrainState) -> dict[str, torch.Tensor]:
    """The tensors that are the same on every rank, by name; those that training changes."""
    tensors = {MODEL + name: value for name, value in model_tensors(state.model).items()}
    large = {name: part for name, part in _optimizer_parts(state).items() if _is_large(part)}
    averages = state.averages.tensors.items() if state.averages is not None else ()
    return {**tensors, **large, **{AVERAGE + name: average for name, average in averages}}


def trainer_state(state: TrainState) -> dict[str, Any]:
    """What else is the same on every rank: small, copied, plain values."""
    shared, optimizers = state.position.shared, state.optimizers.state_dict()
    parts = _optimizer_parts(state).items()
    return {
        "small": {name: _copy(part) for name, part in parts if not _is_large(part)},
        "groups": [each["param_groups"] for each in optimizers["optimizers"]],
        "schedules": optimizers["schedules"],
        "kinds": optimizer_kinds(state.optimizers),
        "scaler": state.scaler.state_dict(),
        "data": state.data,
        "averaging": state.averages is not None and state.averages.begun,
        "stopping": None if state.stopping is None else state.stopping.state_dict(),
        "epoch": shared.epoch,
        "row": shared.row,
        "streams": shared.streams,
    }


def rank_state(state: TrainState, device: torch.device) -> dict[str, Any]:
    """What this rank has of its own: small, copied, plain values."""
    own: dict[str, Any] = {
        "random": random_state(device),
        # As tensors, which can be read without running any code.
        "windows": [torch.frombuffer(bytearray(w), dtype=torch.uint8) for w in state.windows],
        "evaluations": [asdict(evaluation) for evaluation in state.evaluations],
    }
    if state.position.own is not None:
        own["dataset"] = vars(state.position.own)
    return own


def model_tensors(model: Model) -> dict[str, torch.Tensor]:
    """The parameters and buffers of a model, by name; those that it works with."""
    states = model.state_dict().items()
    return {name: value for name, value in states if isinstance(value, torch.Tensor)}


def load_optimizers(optimizers: Optimizers, model: Model, rest: Any, tensors: Tensors) -> None:
    """Brings optimizers and their schedules to what `trainer_state` and `replicated_tensors` gave.

    Raises:
        ValueError: they are of other parameters.
    """
    parts = {**rest["small"], **tensors}
    states = []
    pairs = zip(optimizers.optimizers, rest["groups"], strict=True)
    for number, (optimizer, groups) in enumerate(pairs):
        names = parameter_names(optimizer, model)
        own = optimizer_state(parts, number, names)
        ours = optimizer.state_dict()["param_groups"]
        if [len(group["params"]) for group in groups] != [len(g["params"]) for g in ours]:
            raise ValueError("the state is of other parameters")
        # What the optimizer is set to stays that of the config.
        states.append({"state": own, "param_groups": ours})
    optimizers.load_state_dict({"optimizers": states, "schedules": rest["schedules"]})


def optimizer_state(
    parts: Mapping[str, Any], number: int, names: Sequence[str | None]
) -> dict[int, dict[str, Any]]:
    """What an optimizer keeps of its parameters, by their index, in the form that it loads.

    Args:
        parts: By the names that `replicated_tensors` and `trainer_state` give.
        number: Of the optimizer.
        names: Of its parameters, as in `parts`; None for one that is not there.
    """
    by_parameter: dict[str, dict[str, Any]] = {}
    for name, value in parts.items():
        parameter, _, part = name.rpartition("/")
        by_parameter.setdefault(parameter, {})[part] = value
    found = {i: by_parameter.get(f"{OPTIMIZER}{number}.{n}", {}) for i, n in enumerate(names)}
    return {index: own for index, own in found.items() if own}


def parameter_names(optimizer: torch.optim.Optimizer, model: Model) -> list[str]:
    """The names of the parameters of an optimizer, in its own order."""
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    return [names[id(p)] for group in optimizer.param_groups for p in group["params"]]


def _optimizer_parts(state: TrainState) -> dict[str, Any]:
    """What the optimizers keep of every parameter, by name."""
    parts: dict[str, Any] = {}
    for number, optimizer in enumerate(state.optimizers.optimizers):
        names = parameter_names(optimizer, state.model)
        for index, own in optimizer.state_dict()["state"].items():
            parts |= {f"{OPTIMIZER}{number}.{names[index]}/{n}": v for n, v in own.items()}
    return parts


def _is_large(value: Any) -> bool:
    # A count of steps is a tensor without dimensions.
    return isinstance(value, torch.Tensor) and value.dim() > 0


def _copy(value: Any) -> Any:
    return value.detach().cpu().clone() if isinstance(value, torch.Tensor) else value
