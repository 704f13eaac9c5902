"""Initialises a new run with the weights of another."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from raymon.errors import RunError, os_reason
from raymon.models import Model
from raymon.protos.train_pb2 import TrainConfig
from raymon.storage import storage_path
from raymon.training.checkpoint.best import latest_checkpoint
from raymon.training.checkpoint.manifest import (
    TRAINER,
    Checkpoint,
    check_sound,
    is_checkpoint_path,
    read_checkpoint,
    read_part,
)
from raymon.training.checkpoint.restore import saved_shapes
from raymon.training.checkpoint.train_state import (
    AVERAGE,
    MODEL,
    OPTIMIZER,
    TrainState,
    model_tensors,
    optimizer_kinds,
    optimizer_state,
    parameter_names,
)

LOADED, OTHER_SHAPE, NOT_THERE, LEFT_OVER = "loaded", "other shape", "not there", "left over"


@dataclass(frozen=True)
class Transfer:
    """What happens to one tensor when weights are taken from a checkpoint.

    Attributes:
        state: `LOADED`; `OTHER_SHAPE` or `NOT_THERE` in the checkpoint; or `LEFT_OVER` there.
        name: Name in the model, or in the checkpoint for a tensor that is left over.
        source: Name in the checkpoint; None if it is not there.
        detail: The two shapes, if they differ.
    """

    state: str
    name: str
    source: str | None
    detail: str = ""

    def __str__(self) -> str:
        origin = f" from {self.source}" if self.source not in (None, self.name) else ""
        return f"{self.state:<12} {self.name}{origin}{self.detail}"


def transfers(model: Model, checkpoint: Checkpoint, config: TrainConfig) -> list[Transfer]:
    """Returns what happens to every tensor of a model and of a checkpoint, without reading tensors.

    Raises:
        RunError: The file with the map of names cannot be read, or has an unknown name.
    """
    own = {name: value.shape for name, value in model_tensors(model).items()}
    saved = saved_shapes(checkpoint)
    mapped = _read_map(config.fine_tune_ckpt_param_map, own, saved)
    found = []
    for name, shape in own.items():
        source = mapped.get(name, name)
        if source not in saved:
            found.append(Transfer(NOT_THERE, name, None))
        elif saved[source] != shape:
            detail = f": {list(saved[source])} there, {list(shape)} here"
            found.append(Transfer(OTHER_SHAPE, name, source, detail))
        else:
            found.append(Transfer(LOADED, name, source))
    used = {transfer.source for transfer in found}
    return found + [Transfer(LEFT_OVER, name, name) for name in saved if name not in used]


def fine_tune(state: TrainState, checkpoint: Checkpoint, config: TrainConfig) -> None:
    """Loads what fits of a checkpoint into a new state; steps and data start from the beginning.

    With the same optimizers, their state of the loaded parameters is loaded too, unless the config
    says `ignore_restore_optimizer`.

    Raises:
        RunError: The checkpoint cannot be read.
    """
    from raymon.training.checkpoint.tensor_files import read_tensors, tensor_shapes

    loaded = {
        transfer.name: transfer.source
        for transfer in transfers(state.model, checkpoint, config)
        if transfer.state == LOADED and transfer.source is not None
    }
    shapes = tensor_shapes(checkpoint.path)
    # The weights that evaluations of the other run used: averages, if there are any.
    sources = {s: AVERAGE + s if AVERAGE + s in shapes else MODEL + s for s in loaded.values()}
    wanted = set(sources.values())
    rest = read_part(checkpoint.path, TRAINER, torch.device("cpu"))
    with_optimizers = not config.ignore_restore_optimizer and rest["kinds"] == optimizer_kinds(
        state.optimizers
    )
    if with_optimizers:
        wanted |= {name for name in shapes if name.startswith(OPTIMIZER)}
    tensors = {n: torch.empty(shapes[n][0], dtype=shapes[n][1]) for n in wanted}
    read_tensors(checkpoint.path, tensors)
    own = model_tensors(state.model)
    with torch.no_grad():
        for name, source in loaded.items():
            own[name].copy_(tensors[sources[source]])
    if state.averages is not None:
        state.averages.restart()
    if with_optimizers:
        _load_optimizers(state, loaded, {**rest["small"], **tensors})


def checkpoint_of(path: str) -> Checkpoint:
    """Returns the checkpoint that `fine_tune_checkpoint` refers to, the newest one of a run.

    Args:
        path: Directory of a checkpoint, or of a run.

    Raises:
        RunError: There is no checkpoint, or it is damaged.
    """
    given = storage_path(path)
    checkpoint = read_checkpoint(given) if is_checkpoint_path(given) else latest_checkpoint(given)
    if checkpoint is None:
        raise RunError(f"fine_tune_checkpoint: {path}: not a complete checkpoint")
    try:
        check_sound(checkpoint)
    except RunError as error:
        raise RunError(f"fine_tune_checkpoint: {error}") from None
    return checkpoint


def _load_optimizers(
    state: TrainState, loaded: Mapping[str, str], parts: Mapping[str, Any]
) -> None:
    for number, optimizer in enumerate(state.optimizers.optimizers):
        names = [loaded.get(name) for name in parameter_names(optimizer, state.model)]
        # Copies, as several parameters may be loaded from the same one.
        known = {i: copy.deepcopy(own) for i, own in optimizer_state(parts, number, names).items()}
        groups = optimizer.state_dict()["param_groups"]
        optimizer.load_state_dict({"state": known, "param_groups": groups})


def _read_map(path: str, own: Mapping[str, object], saved: Mapping[str, object]) -> dict[str, str]:
    """Returns the names in the checkpoint, by the names in the model."""
    if not path:
        return {}
    place = f"fine_tune_ckpt_param_map: {path}"
    try:
        # With or without a byte order mark, as editors on Windows write one.
        lines = storage_path(path).read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise RunError(f"{place}: cannot be read: it is not UTF-8") from None
    except OSError as error:
        raise RunError(f"{place}: cannot be read: {os_reason(error)}") from None
    mapped: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        parts = line.split("\t")
        if len(parts) != 2:
            raise RunError(f"{place}:{number}: is not a name in the model, a tab, and one in it")
        for name, names, where in ((parts[0], own, "model"), (parts[1], saved, "checkpoint")):
            if name not in names:
                raise RunError(f"{place}:{number}: the {where} has no {name}")
        mapped[parts[0]] = parts[1]
    return mapped
