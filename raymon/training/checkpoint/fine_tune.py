"""Initialises a new run with the weights of another."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
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
from raymon.training.checkpoint.resize import (
    KeptRows,
    ids_of,
    load_resized,
    resized_state,
    resized_tables,
)
from raymon.training.checkpoint.restore import saved_shapes
from raymon.training.checkpoint.train_state import (
    AVERAGE,
    MODEL,
    OPTIMIZER,
    Stored,
    TrainState,
    load_sharded_steps,
    model_tensors,
    optimizer_kinds,
    optimizer_state,
    parameter_names,
    sharded_states,
)

LOADED, OTHER_SHAPE, NOT_THERE, LEFT_OVER = "loaded", "other shape", "not there", "left over"
OTHER_IDS = "other ids"


@dataclass(frozen=True)
class Transfer:
    """What happens to one tensor when weights are taken from a checkpoint.

    Attributes:
        state: `LOADED`; `OTHER_SHAPE` or `NOT_THERE` in the checkpoint; `OTHER_IDS` if ids find
            their rows in another way there; or `LEFT_OVER` there.
        name: Name in the model, or in the checkpoint for a tensor that is left over.
        source: Name in the checkpoint; None if it is not there.
        detail: The two shapes or numbers of rows, if they differ.
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
    resized = {n: t for t in resized_tables(model, saved, mapped) for n in t.sources}
    found = []
    for name, shape in own.items():
        source = mapped.get(name, name)
        if source not in saved:
            found.append(Transfer(NOT_THERE, name, None))
        elif _finds_rows(name, own, mapped) != _finds_rows(source, saved, {}):
            found.append(Transfer(OTHER_IDS, name, source))
        elif name in resized:
            rows = f": {saved[source][0]} rows there, {shape[0]} here" if shape else ""
            found.append(Transfer(LOADED, name, source, rows))
        elif saved[source] != shape:
            detail = f": {list(saved[source])} there, {list(shape)} here"
            found.append(Transfer(OTHER_SHAPE, name, source, detail))
        else:
            found.append(Transfer(LOADED, name, source))
    used = {transfer.source for transfer in found}
    return found + [Transfer(LEFT_OVER, name, name) for name in saved if name not in used]


def _finds_rows(name: str, shapes: Mapping[str, object], mapped: Mapping[str, str]) -> str | None:
    """Returns the name that what finds the rows of a table has in the checkpoint, if it grows.

    Args:
        name: Name of a tensor, which may be the embeddings of a table.
        shapes: All names of the model, or of the checkpoint.
        mapped: Names in the checkpoint by those of the model, where they differ.
    """
    ids = ids_of(name)
    return mapped.get(ids, ids) if ids in shapes else None


def fine_tune(state: TrainState, checkpoint: Checkpoint, config: TrainConfig) -> None:
    """Loads what fits of a checkpoint into a new state; steps and data start from the beginning.

    With the same optimizers, their state of the loaded parameters is loaded too, unless the config
    says `ignore_restore_optimizer`. Tables that grow may have another size.

    Raises:
        RunError: The checkpoint cannot be read.
    """
    from raymon.training.checkpoint.tensor_files import read_tensors, tensor_shapes

    loaded = {
        transfer.name: transfer.source
        for transfer in transfers(state.model, checkpoint, config)
        if transfer.state == LOADED and transfer.source is not None
    }
    resized = [
        table
        for table in resized_tables(state.model, saved_shapes(checkpoint), loaded)
        if table.weight in loaded
    ]
    plain = loaded.keys() - {name for table in resized for name in table.sources}
    shapes = tensor_shapes(checkpoint.path)
    # The weights that evaluations of the other run used: averages, if there are any.
    sources = {
        s: AVERAGE + s if AVERAGE + s in shapes else MODEL + s
        for s in map(loaded.__getitem__, plain)
    }
    rest = read_part(checkpoint.path, TRAINER, torch.device("cpu"))
    with_optimizers = not config.ignore_restore_optimizer and rest["kinds"] == optimizer_kinds(
        state.optimizers
    )
    own = model_tensors(state.model)
    whole = {name: tensor for name, tensor in own.items() if isinstance(tensor, torch.Tensor)}
    of_states = _of_shards(state, loaded, shapes) if with_optimizers else []
    weights = {table.weight for table in resized}
    of_shards = [(source, part) for path, source, part in of_states if path not in weights]
    of_shards += [(sources[loaded[n]], own[n]) for n in plain if n not in whole]
    # One at a time, as several may be read from the same tensor.
    for name, part in of_shards:
        read_tensors(checkpoint.path, {name: part})
    wanted = {sources[loaded[name]] for name in plain if name in whole}
    if with_optimizers:
        wanted |= {n for n in shapes if n.startswith(OPTIMIZER)} - {n for _, n, _ in of_states}
    tensors = {n: torch.empty(shapes[n][0], dtype=shapes[n][1]) for n in wanted}
    read_tensors(checkpoint.path, tensors)
    with torch.no_grad():
        for name in plain & whole.keys():
            whole[name].copy_(tensors[sources[loaded[name]]])
    kept = load_resized(state.model, checkpoint.path, resized)
    for path, source, part in of_states:
        if path in kept:
            kept[path].read(checkpoint.path, source, part)
    if state.averages is not None:
        state.averages.restart()
    if with_optimizers:
        _load_optimizers(state, loaded, {**rest["small"], **tensors}, kept)


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
    state: TrainState,
    loaded: Mapping[str, str],
    parts: Mapping[str, Any],
    kept: Mapping[str, KeptRows],
) -> None:
    for number, optimizer in enumerate(state.optimizers.optimizers):
        own = parameter_names(optimizer, state.model)
        found = optimizer_state(parts, number, [loaded.get(name) for name in own])
        load_sharded_steps(optimizer, parts, number, loaded)
        # Copies, as several parameters may be loaded from the same one.
        known = {
            i: resized_state(optimizer, each, kept[own[i]]) if own[i] in kept else deepcopy(each)
            for i, each in found.items()
        }
        groups = optimizer.state_dict()["param_groups"]
        optimizer.load_state_dict({"state": known, "param_groups": groups})


def _of_shards(
    state: TrainState,
    loaded: Mapping[str, str],
    shapes: Mapping[str, object],
) -> list[tuple[str, str, Stored]]:
    """Returns states of sharded tables, with the table and the name of what they are read from."""
    found: list[tuple[str, str, Stored]] = []
    for name, part in sharded_states(state.optimizers).items():
        head, _, rest = name.partition(".")
        path, _, which = rest.rpartition("/")
        source = f"{head}.{loaded.get(path)}/{which}"
        if source in shapes:
            found.append((path, source, part))
    return found


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
