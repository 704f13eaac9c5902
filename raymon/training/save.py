"""Everything that training depends on, into a checkpoint and back."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch

from raymon.data import Position
from raymon.errors import RaymonError, RunError, TrainingError
from raymon.models import Model
from raymon.training.checkpoint import (
    Checkpoint,
    begin_checkpoint,
    checkpoint_path,
    newest_checkpoint,
    read_part,
    write_manifest,
    write_part,
)
from raymon.training.optimizers import Optimizers
from raymon.training.random_state import random_state, restore_random_state
from raymon.training.worker_context import WorkerContext

_log = logging.getLogger("raymon")

MODEL = "model.pt"
_TRAINER = "trainer.pt"


@dataclass
class TrainState:
    """The state of a run on one rank.

    Attributes:
        step: Steps that the model has made.
        position: The batch that comes next.
    """

    model: Model
    optimizers: Optimizers
    scaler: torch.amp.GradScaler
    step: int = 0
    position: Position = field(default_factory=lambda: Position(0, 0))


def save(
    state: TrainState, model_dir: Path, metrics: Mapping[str, float], context: WorkerContext
) -> Path:
    """Writes a checkpoint of the state; every rank calls it, and it is complete on return.

    Args:
        state: Of this rank.
        model_dir: Directory of the run.
        metrics: Scores of the model at this step.
        context: The world of this rank.

    Raises:
        TrainingError: A rank could not write its part.
    """
    path = checkpoint_path(model_dir, state.step)
    if context.rank == 0:
        begin_checkpoint(path)
    context.all_agree(True)
    error = _write_parts(path, state, context)
    if not context.all_agree(error is None):
        raise TrainingError(f"{path}: not saved: {error or 'another worker failed'}")
    if context.rank == 0:
        error = _write_manifest(path, state, metrics, context.world_size)
    if not context.all_agree(error is None):
        raise TrainingError(f"{path}: not saved: {error or 'another worker failed'}")
    return path


def restore(state: TrainState, checkpoint: Checkpoint, context: WorkerContext) -> None:
    """Brings the state to that of a checkpoint.

    Raises:
        RunError: It was written by another number of workers, or by another model.
    """
    if checkpoint.world_size != context.world_size:
        raise RunError(
            f"{checkpoint.path}: written by {checkpoint.world_size} workers; a run goes on with "
            f"as many, so pass --num-workers {_num_workers(checkpoint.world_size)}"
        )
    load_model(state.model, checkpoint, context.device)
    trainer = read_part(checkpoint.path, _TRAINER, context.device)
    state.optimizers.load_state_dict(trainer["optimizers"])
    state.scaler.load_state_dict(trainer["scaler"])
    state.step = checkpoint.step
    state.position = Position(trainer["epoch"], trainer["epoch_step"])
    own = read_part(checkpoint.path, _rank_part(context.rank), torch.device("cpu"))
    restore_random_state(own, context.device)


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


def _write_parts(path: Path, state: TrainState, context: WorkerContext) -> Exception | None:
    try:
        if context.rank == 0:
            write_part(path, MODEL, state.model.state_dict())
            trainer = {
                "optimizers": state.optimizers.state_dict(),
                "scaler": state.scaler.state_dict(),
                "epoch": state.position.epoch,
                "epoch_step": state.position.step,
            }
            write_part(path, _TRAINER, trainer)
        write_part(path, _rank_part(context.rank), random_state(context.device))
    except (OSError, RuntimeError) as error:
        return error
    return None


def _write_manifest(
    path: Path, state: TrainState, metrics: Mapping[str, float], world_size: int
) -> Exception | None:
    names = [MODEL, _TRAINER, *(_rank_part(rank) for rank in range(world_size))]
    try:
        write_manifest(
            path,
            step=state.step,
            epoch=state.position.epoch,
            metrics=metrics,
            world_size=world_size,
            names=names,
        )
    except (OSError, RaymonError) as error:
        return error
    return None


def _rank_part(rank: int) -> str:
    return f"rank-{rank:05d}.pt"


def _num_workers(world_size: int) -> str:
    return "1 or 0" if world_size == 1 else str(world_size)
