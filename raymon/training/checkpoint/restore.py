"""Restores the state of a run from a checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from raymon.data import DatasetPosition, Position
from raymon.embeddings import IdCounts
from raymon.errors import RunError
from raymon.models import Model
from raymon.results import Evaluation
from raymon.retries import retrying
from raymon.storage import StoragePath
from raymon.training.checkpoint.manifest import (
    MANIFEST,
    TRAINER,
    Checkpoint,
    ManifestError,
    checkpoint_directories,
    find_corruption,
    rank_part,
    read_manifest,
    read_part,
)
from raymon.training.checkpoint.resize import (
    ResizedTable,
    load_resized,
    resize_states,
    resized_tables,
    table_of,
)
from raymon.training.checkpoint.train_state import (
    AVERAGE,
    MODEL,
    OPTIMIZER,
    Stored,
    TrainState,
    growing_ids,
    load_optimizers,
    model_tensors,
    optimizer_kinds,
    sharded_states,
)
from raymon.training.input.feed import RunPosition
from raymon.training.optim.random_state import restore_random_state
from raymon.training.rank.worker_context import WorkerContext

_CPU = torch.device("cpu")

_PAUSES_S = (2.0, 5.0, 10.0)
"""Seconds between attempts to find a checkpoint if the storage does not answer."""


def restore(state: TrainState, checkpoint: Checkpoint, context: WorkerContext) -> None:
    """Restores the state from a checkpoint.

    Raises:
        RunError: It was written with other data or optimizers, or by another model.
    """
    from raymon.training.checkpoint.tensor_files import read_tensors, tensor_shapes

    path, kinds = checkpoint.path, optimizer_kinds(state.optimizers)
    trainer = read_part(path, TRAINER, _CPU)
    if trainer["data"] != state.data:
        raise RunError(
            f"{path}: was trained on other data, on ids of another type, or in another order; a "
            "run goes on with the same files, seed and shuffle, and with a global_batch_size if it "
            "had one"
        )
    if trainer["kinds"] != kinds:
        raise RunError(
            f"{path}: trained by {' and '.join(trainer['kinds'])}, this config says "
            f"{' and '.join(kinds)}; a run goes on with the same optimizers"
        )
    resized = resized_tables(state.model, saved_shapes(checkpoint))
    of_model = _tensors_that_fit(state.model, checkpoint, resized)
    shapes = tensor_shapes(path)
    averages = {} if state.averages is None else state.averages.tensors
    of_averages = {AVERAGE + n: t for n, t in averages.items() if AVERAGE + n in shapes}
    sharded = {n: part for n, part in sharded_states(state.optimizers).items() if n in shapes}
    of_optimizers = {
        name: torch.empty(shape, dtype=dtype)
        for name, (shape, dtype) in shapes.items()
        if name.startswith(OPTIMIZER) and name not in sharded
    }
    of_resized = {n for n in sharded if table_of(n) in {table.weight for table in resized}}
    fitting = {name: part for name, part in sharded.items() if name not in of_resized}
    read_tensors(path, {**of_model, **of_averages, **of_optimizers, **fitting})
    kept = load_resized(state.model, path, resized)
    for name in sorted(of_resized):
        kept[table_of(name)].read(path, name, sharded[name])
    of_optimizers = resize_states(state.optimizers, of_optimizers, kept)
    if state.averages is not None:
        # A checkpoint that does not say whether averaging had begun has averages of steps.
        state.averages.begun = bool(of_averages) and trainer.get("averaging", True)
        if not of_averages:
            # The checkpoint has no averages, because only the present config averages.
            state.averages.restart()
    try:
        load_optimizers(state.optimizers, state.model, trainer, of_optimizers)
    except ValueError:
        raise RunError(
            f"{path}: its optimizers trained other parameters; a run goes on with those that were "
            "trainable"
        ) from None
    if trainer["scaler"]:
        # A checkpoint of a run that was not in FP16 has no scale, and the new scale is kept.
        state.scaler.load_state_dict(trainer["scaler"])
    if state.stopping is not None and trainer["stopping"] is not None:
        state.stopping.load_state_dict(trainer["stopping"])
    state.step = checkpoint.step
    shared = Position(trainer["epoch"], trainer["row"], trainer["streams"])
    state.position = RunPosition(shared, _own_position(shared, checkpoint, context))
    state.windows, state.evaluations = [], []
    accesses: dict[str, list[IdCounts]] = {name: [] for name in growing_ids(state.model)}
    # The current ranks share the parts of all former ranks.
    for rank in range(context.rank, checkpoint.world_size, context.world_size):
        part = _read_rank(checkpoint, rank)
        if rank == context.rank:
            restore_random_state(part["random"], context.device)
        state.windows += [window.numpy().tobytes() for window in part["windows"]]
        state.evaluations += [
            Evaluation.from_plain(evaluation) for evaluation in part["evaluations"]
        ]
        for name, found in part.get("accesses", {}).items():
            accesses[name].append(IdCounts(**found))
    for name, ids in growing_ids(state.model).items():
        ids.set_pending(accesses[name])
        if name in trainer.get("waiting", {}):
            ids.set_waiting(IdCounts(**trainer["waiting"][name]))


def load_model(model: Model, checkpoint: Checkpoint, *, averaged: bool = False) -> None:
    """Loads the parameters of a checkpoint.

    Args:
        model: Model on any device.
        checkpoint: Checkpoint of this model.
        averaged: Whether to load the parameters that evaluations use: averages, if there are any.

    Raises:
        RunError: They do not fit the model.
    """
    from raymon.training.checkpoint.tensor_files import read_tensors

    resized = resized_tables(model, saved_shapes(checkpoint))
    fitting = _tensors_that_fit(model, checkpoint, resized, averaged=averaged)
    read_tensors(checkpoint.path, fitting)
    load_resized(model, checkpoint.path, resized)


def saved_shapes(checkpoint: Checkpoint) -> dict[str, torch.Size]:
    """Returns the shapes of the parameters and buffers in a checkpoint, by name.

    Raises:
        RunError: Its index is damaged.
    """
    from raymon.training.checkpoint.tensor_files import tensor_shapes

    shapes = tensor_shapes(checkpoint.path).items()
    return {n.removeprefix(MODEL): shape for n, (shape, _) in shapes if n.startswith(MODEL)}


def checkpoint_to_restore(
    model_dir: StoragePath, context: WorkerContext, tell: Callable[[str], object]
) -> Checkpoint | None:
    """Returns the newest checkpoint of the run that is not damaged, the same on every rank.

    Args:
        model_dir: Directory of the run.
        context: The world of this rank.
        tell: Shows a line to the user; called on rank 0 for checkpoints that are damaged.

    Returns:
        The checkpoint; None if the run has none yet.

    Raises:
        RunError: There are checkpoints, and all are damaged; or the storage does not answer.
    """
    found, all_damaged = context.broadcast(
        _find(model_dir, tell) if context.rank == 0 else (None, False)
    )
    if all_damaged:
        raise RunError(f"{model_dir}: every checkpoint is damaged; see raymon checkpoint verify")
    return found


def _find(model_dir: StoragePath, tell: Callable[[str], object]) -> tuple[Checkpoint | None, bool]:
    patiently = retrying(
        _PAUSES_S,
        lambda error: isinstance(error, RunError),
        on_failure=lambda error: tell(f"{error}; it is tried again"),
    )
    return patiently(_newest_sound, model_dir, tell)


def _newest_sound(
    model_dir: StoragePath, tell: Callable[[str], object]
) -> tuple[Checkpoint | None, bool]:
    damaged = False
    for path in reversed(checkpoint_directories(model_dir)):
        try:
            checkpoint = read_manifest(path)
        except ManifestError:
            why: str | None = f"{MANIFEST} is not what was written"
        else:
            if checkpoint is None:
                continue
            why = find_corruption(checkpoint)
            if why is None:
                return checkpoint, False
        tell(f"{path}: is damaged, and not taken: {why}")
        damaged = True
    return None, damaged


def _tensors_that_fit(
    model: Model,
    checkpoint: Checkpoint,
    resized: Sequence[ResizedTable],
    *,
    averaged: bool = False,
) -> dict[str, Stored]:
    """Returns the tensors of a model by their names in a checkpoint, which must have them all.

    Those of resized tables are left out.
    """
    from raymon.training.checkpoint.tensor_files import tensor_shapes

    of_resized = {name for table in resized for name in table.sources}
    own = {n: value for n, value in model_tensors(model).items() if n not in of_resized}
    saved = {n: s for n, s in saved_shapes(checkpoint).items() if n not in of_resized}
    why = _misfit(own, saved)
    if why is not None:
        raise RunError(f"{checkpoint.path}: does not fit the model of this config: {why}")
    there = tensor_shapes(checkpoint.path) if averaged else {}
    averages = {name for name in own if AVERAGE + name in there}
    return {(AVERAGE if n in averages else MODEL) + n: value for n, value in own.items()}


def _misfit(own: Mapping[str, Stored], saved: Mapping[str, torch.Size]) -> str | None:
    for name, value in own.items():
        if name not in saved:
            return f"it has no {name}"
        if saved[name] != value.shape:
            return f"{name} is {list(saved[name])}, here it is {list(value.shape)}"
    for name in saved:
        if name not in own:
            return f"here is no {name}"
    return None


def _own_position(
    shared: Position, checkpoint: Checkpoint, context: WorkerContext
) -> DatasetPosition | None:
    """Returns the position of this rank in its dataset; None if it reads files."""
    same = checkpoint.world_size == context.world_size
    part = _read_rank(checkpoint, context.rank if same else 0)
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


def _read_rank(checkpoint: Checkpoint, rank: int) -> dict[str, Any]:
    return read_part(checkpoint.path, rank_part(rank), _CPU)
