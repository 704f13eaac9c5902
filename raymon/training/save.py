"""Everything that training depends on, into a checkpoint and back."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch

from raymon.data import Position
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
        steps_per_epoch: Steps that a position counts in.
        step: Steps that the model has made.
        position: The batch that comes next.
        metrics: The scores at this step, by name.
        windows: What this rank measured up to here and the reporter did not have when the
            checkpoint was made.
        evaluations: The same of scores.
    """

    model: Model
    optimizers: Optimizers
    scaler: torch.amp.GradScaler
    steps_per_epoch: int
    step: int = 0
    position: Position = field(default_factory=lambda: Position(0, 0))
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
        RunError: It was written by another number of workers, with other data, batches or
            optimizers, or by another model.
    """
    if checkpoint.world_size != context.world_size:
        raise RunError(
            f"{checkpoint.path}: written by {checkpoint.world_size} workers; a run goes on with "
            f"as many, so pass --num-workers {_num_workers(checkpoint.world_size)}"
        )
    trainer = read_part(checkpoint.path, _TRAINER, context.device)
    if trainer["steps_per_epoch"] != state.steps_per_epoch:
        raise RunError(
            f"{checkpoint.path}: its epochs have {trainer['steps_per_epoch']} steps, those of this "
            f"config {state.steps_per_epoch}; a run goes on with the same data and batch_size"
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
    state.position = Position(trainer["epoch"], trainer["epoch_step"])
    own = read_part(checkpoint.path, _rank_part(context.rank), torch.device("cpu"))
    restore_random_state(own["random"], context.device)
    state.windows = [window.numpy().tobytes() for window in own["windows"]]
    state.evaluations = [Evaluation(**evaluation) for evaluation in own["evaluations"]]


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
            "steps_per_epoch": state.steps_per_epoch,
            "epoch": state.position.epoch,
            "epoch_step": state.position.step,
        }
        write_part(path, _TRAINER, trainer)
    own = {
        "random": random_state(context.device),
        # As tensors, which can be read without running any code.
        "windows": [torch.frombuffer(bytearray(w), dtype=torch.uint8) for w in state.windows],
        "evaluations": [asdict(evaluation) for evaluation in state.evaluations],
    }
    write_part(path, _rank_part(context.rank), own)


def _write_manifest(path: Path, state: TrainState, context: WorkerContext) -> None:
    if context.rank == 0:
        ranks = range(context.world_size)
        write_manifest(
            path,
            step=state.step,
            epoch=state.position.epoch,
            metrics=state.metrics,
            world_size=context.world_size,
            names=[MODEL, _TRAINER, *(_rank_part(rank) for rank in ranks)],
        )


def _kinds(optimizers: Optimizers) -> list[str]:
    return [type(optimizer).__name__ for optimizer in optimizers.optimizers]


def _rank_part(rank: int) -> str:
    return f"rank-{rank:05d}.pt"


def _num_workers(world_size: int) -> str:
    return "1 or 0" if world_size == 1 else str(world_size)
