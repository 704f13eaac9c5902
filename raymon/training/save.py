"""Everything that training depends on, into a checkpoint and back."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch

from raymon.data import DatasetPosition, Position
from raymon.errors import RaymonError, RunError, TrainingError
from raymon.models import Model
from raymon.sinks import Evaluation
from raymon.training.checkpoint import (
    Checkpoint,
    begin_checkpoint,
    checkpoint_path,
    newest_checkpoint,
    read_part,
    write_manifest,
    write_part,
)
from raymon.training.feed import RunPosition
from raymon.training.optimizers import Optimizers
from raymon.training.random_state import random_state, restore_random_state
from raymon.training.worker_context import WorkerContext

_log = logging.getLogger("raymon")

MODEL = "model.pt"
ANOTHER_WORKER = "another worker failed"
_TRAINER = "trainer.pt"


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


def save(state: TrainState, model_dir: Path, context: WorkerContext) -> Path:
    """Writes a checkpoint of the state; every rank calls it, and it is complete on return.

    Args:
        state: Of this rank.
        model_dir: Directory of the run.
        context: The world of this rank.

    Raises:
        TrainingError: A rank could not write its part.
    """
    path = checkpoint_path(model_dir, state.step)
    error: Exception | None = None
    for action in (_begin, _write_parts, _write_manifest):
        try:
            action(path, state, context)
        except (OSError, RuntimeError, RaymonError) as failure:
            error = failure
        if not context.all_agree(error is None):
            raise TrainingError(f"{path}: not saved: {error or ANOTHER_WORKER}")
    return path


def restore(state: TrainState, checkpoint: Checkpoint, context: WorkerContext) -> None:
    """Brings the state to that of a checkpoint.

    Raises:
        RunError: It was written with other data or optimizers, or by another model.
    """
    trainer = read_part(checkpoint.path, _TRAINER, context.device)
    if trainer["data"] != state.data:
        raise RunError(
            f"{checkpoint.path}: was trained on other data, or in another order; a run goes on "
            "with the same files, seed and shuffle, and with a global_batch_size if it had one"
        )
    if trainer["kinds"] != _kinds(state.optimizers):
        raise RunError(
            f"{checkpoint.path}: trained by {' and '.join(trainer['kinds'])}, this config says "
            f"{' and '.join(_kinds(state.optimizers))}; a run goes on with the same optimizers"
        )
    load_model(state.model, checkpoint, context.device)
    state.optimizers.load_state_dict(trainer["optimizers"])
    state.scaler.load_state_dict(trainer["scaler"])
    state.step = checkpoint.step
    shared = Position(trainer["epoch"], trainer["row"], trainer["streams"])
    state.position = RunPosition(shared, _own_position(shared, checkpoint, context))
    state.windows, state.evaluations = [], []
    # The parts of all ranks there were, by as many ranks as there are now.
    for rank in range(context.rank, checkpoint.world_size, context.world_size):
        part = read_part(checkpoint.path, _rank_part(rank), torch.device("cpu"))
        if rank == context.rank:
            restore_random_state(part["random"], context.device)
        state.windows += [window.numpy().tobytes() for window in part["windows"]]
        state.evaluations += [Evaluation(**evaluation) for evaluation in part["evaluations"]]


def load_model(model: Model, checkpoint: Checkpoint, device: torch.device) -> None:
    """Loads the parameters of a checkpoint.

    Raises:
        RunError: They do not fit the model.
    """
    try:
        model.load_state_dict(read_part(checkpoint.path, MODEL, device))
    except RuntimeError as error:
        first = str(error).splitlines()[1:2] or [str(error)]
        raise RunError(
            f"{checkpoint.path}: does not fit the model of this config: {first[0].strip()}"
        ) from None


def checkpoint_to_restore(model_dir: Path, context: WorkerContext) -> Checkpoint | None:
    """The newest complete checkpoint of the run, the same on every rank."""
    return context.broadcast(newest_checkpoint(model_dir) if context.rank == 0 else None)


def _begin(path: Path, state: TrainState, context: WorkerContext) -> None:
    if context.rank == 0:
        begin_checkpoint(path)


def _write_parts(path: Path, state: TrainState, context: WorkerContext) -> None:
    if context.rank == 0:
        write_part(path, MODEL, state.model.state_dict())
        trainer = {
            "optimizers": state.optimizers.state_dict(),
            "kinds": _kinds(state.optimizers),
            "scaler": state.scaler.state_dict(),
            "data": state.data,
            "epoch": state.position.shared.epoch,
            "row": state.position.shared.row,
            "streams": state.position.shared.streams,
        }
        write_part(path, _TRAINER, trainer)
    own = {
        "random": random_state(context.device),
        # As tensors, which can be read without running any code.
        "windows": [torch.frombuffer(bytearray(w), dtype=torch.uint8) for w in state.windows],
        "evaluations": [asdict(evaluation) for evaluation in state.evaluations],
    }
    if state.position.own is not None:
        own["dataset"] = vars(state.position.own)
    write_part(path, _rank_part(context.rank), own)


def _write_manifest(path: Path, state: TrainState, context: WorkerContext) -> None:
    if context.rank == 0:
        ranks = range(context.world_size)
        write_manifest(
            path,
            step=state.step,
            epoch=state.position.shared.epoch,
            metrics=state.metrics,
            world_size=context.world_size,
            names=[MODEL, _TRAINER, *(_rank_part(rank) for rank in ranks)],
        )


def _own_position(
    shared: Position, checkpoint: Checkpoint, context: WorkerContext
) -> DatasetPosition | None:
    """Where this rank is in its dataset."""
    same = checkpoint.world_size == context.world_size
    name = _rank_part(context.rank if same else 0)
    part = read_part(checkpoint.path, name, torch.device("cpu"))
    if "dataset" not in part:
        return None
    position = DatasetPosition(**part["dataset"])
    if same:
        return position
    if position.state is not None:
        raise RunError(
            f"{checkpoint.path}: {checkpoint.world_size} workers kept where they were in their "
            f"datasets, which {context.world_size} cannot take over; go on with as many"
        )
    rows = shared.row * (context.rank + 1) // context.world_size
    rows -= shared.row * context.rank // context.world_size
    return DatasetPosition(rows, rows)


def _kinds(optimizers: Optimizers) -> list[str]:
    return [type(optimizer).__name__ for optimizer in optimizers.optimizers]


def _rank_part(rank: int) -> str:
    return f"rank-{rank:05d}.pt"
