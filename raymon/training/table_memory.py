"""Whether the tables of a model fit into the memory of its workers, before any is allocated."""

from __future__ import annotations

import itertools
import math
import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch

from raymon.data import Feature
from raymon.embeddings import (
    ID_BYTES,
    ROW_WISE_ADAGRAD,
    SMALL,
    Capacity,
    StateNumbers,
    TableMemory,
    TableShape,
    memory_limit,
    sharded_tables,
    shards_tables,
    size_text,
    state_numbers,
    table_memory,
    table_shapes,
    why_not_fit,
)
from raymon.errors import ConfigError
from raymon.models import build_model
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.recorder import host_bytes
from raymon.training.checkpoint.staging import assign_to_ranks
from raymon.training.rank.worker_context import WorkerContext

_HALF, _ROW_WISE, _SHARDED = "data_type: FP16", "rowwise_adagrad_optimizer", "SHARDED"

_MOST_WORKERS = 4096


@dataclass(frozen=True)
class TablesOfRun:
    """The tables of a run, and how they are trained and held.

    Attributes:
        shapes: The tables.
        states: Numbers that their optimizer keeps.
        every_row: Whether the optimizer moves every row in a step.
        world_size: Number of workers.
        sharded: Whether each worker holds a part.
        device: Device of the workers, "cpu" or "cuda".
    """

    shapes: Sequence[TableShape]
    states: StateNumbers
    every_row: bool
    world_size: int = 1
    sharded: bool = False
    device: str = "cpu"

    @property
    def can_be_sharded(self) -> bool:
        """Whether there is an engine that shards tables with this optimizer on this device."""
        # On the CPU fbgemm has kernels for those alone that keep one state.
        kept = self.states.per_number + self.states.per_row
        is_any = any(shape.shardable for shape in self.shapes)
        return is_any and not self.every_row and (self.device == "cuda" or kept <= 1)

    def memory(self) -> list[TableMemory]:
        """Returns the bytes that the worker that needs most needs of each table."""
        parts = [self._part(s) for s in self.shapes if self.sharded and s.shardable]
        shapes = [s for s in self.shapes if not (self.sharded and s.shardable)]
        whole = [self._whole(shape) for shape in shapes]
        # As ranks share the writing of whole tensors.
        sizes = {
            f"{number}/{part}": size
            for number, (shape, table) in enumerate(zip(shapes, whole, strict=True))
            for part, size in enumerate(self._tensors(shape, table))
        }
        ranks = assign_to_ranks(sizes, self.world_size)
        staged = [[0] * len(whole) for _ in range(self.world_size)]
        for name, size in sizes.items():
            staged[ranks[name]][int(name.partition("/")[0])] += size
        of_rank = max(staged, key=sum)
        staged_whole = [replace(t, staging=n) for t, n in zip(whole, of_rank, strict=True)]
        return [*parts, *staged_whole]

    def fewest_workers(self, there: int) -> int | None:
        """Returns on how many workers sharded tables fit; None if on no number.

        Args:
            there: Bytes of a worker for tables.
        """
        if there <= 0:
            return None
        low, high = max(self.world_size, 2) - 1, _MOST_WORKERS
        while high - low > 1:
            middle = (low + high) // 2
            spread = replace(self, sharded=True, world_size=middle)
            fits = sum(table.total for table in spread.memory()) <= there
            low, high = (low, middle) if fits else (middle, high)
        return high if high < _MOST_WORKERS else None

    def _whole(self, shape: TableShape) -> TableMemory:
        has_gradient = self.every_row or shape.rows <= SMALL
        return table_memory(shape, self.states, has_gradient=has_gradient)

    def _part(self, shape: TableShape) -> TableMemory:
        rows = math.ceil(shape.rows / self.world_size)
        part = table_memory(shape, self.states, [(rows, shape.dim)])
        return replace(part, staging=part.rows + part.states)

    def _tensors(self, shape: TableShape, table: TableMemory) -> list[int]:
        sizes = [table.rows]
        if table.states:
            per_row = 4 * shape.rows
            sizes += [per_row * shape.dim] * self.states.per_number
            sizes += [per_row] * self.states.per_row
        return sizes + ([shape.rows * ID_BYTES] if shape.grows else [])


def tables_of(config: PipelineConfig, features: Sequence[Feature], world_size: int) -> TablesOfRun:
    """Returns the tables of a config, without memory for them.

    A custom class that computes with the values of its tensors says its tables only once it is
    made, and has none here.

    Args:
        config: Config of the run.
        features: Its features.
        world_size: Number of workers.
    """
    train, device = config.train_config, "cuda" if config.ray_config.use_gpu else "cpu"
    shapes: list[TableShape] = []
    try:
        with torch.device("meta"), sharded_tables(device_type=device):
            shapes = table_shapes(build_model(config, features))
    except ConfigError:
        if not config.model_config.HasField("custom"):
            raise
    return TablesOfRun(
        shapes,
        state_numbers(train),
        not train.HasField("sparse_optimizer"),
        world_size,
        shards_tables(train, world_size, device),
        device,
    )


def why_tables_do_not_fit(
    tables: TablesOfRun, host: Capacity, card: Capacity | None, process: int
) -> str | None:
    """Returns why the tables of a run do not fit; None if they do.

    Args:
        tables: The tables.
        host: Memory of a worker.
        card: Memory of its GPU; None if it has none.
        process: Bytes that the process of a worker takes without tables.
    """
    if not tables.shapes:
        return None
    needed = tables.memory()
    if card is None:
        return why_not_fit(needed, process, host, dict(_remedies(tables, host, process)))
    on_card = [replace(table, staging=0) for table in needed]
    on_host = [TableMemory(table.table, 0, staging=table.staging) for table in needed]
    spared = _remedies(tables, card, 0, card=True)
    return why_not_fit(on_card, 0, card, dict(spared)) or why_not_fit(on_host, process, host, {})


def check_tables_here(config: PipelineConfig, features: Sequence[Feature], workers: int) -> None:
    """Checks that the tables of a config fit if all its workers are on this machine.

    Args:
        config: Config of the run.
        features: Its features.
        workers: Number of workers.

    Raises:
        ConfigError: They do not.
    """
    workers = max(1, workers)
    tables = tables_of(config, features, workers)
    card = None
    if tables.device == "cuda" and torch.cuda.is_available():
        cards = torch.cuda.device_count()
        # Its free memory would be told by a process on the card alone, which this need not be.
        one = torch.cuda.get_device_properties(0)
        card = _share(one.total_memory, one.name, math.ceil(workers / cards))
    why = why_tables_do_not_fit(tables, _host(workers), card, host_bytes())
    if why is not None:
        raise ConfigError(f"feature_configs: the tables do not fit into the memory: {why}")


def check_tables_of_rank(
    config: PipelineConfig,
    features: Sequence[Feature],
    context: WorkerContext,
) -> None:
    """Checks that the tables of a run fit into the memory of every worker; all ranks call it.

    Args:
        config: Config of the run.
        features: Its features.
        context: The world of this rank.

    Raises:
        ConfigError: They do not fit on some rank; raised on all.
    """
    tables = tables_of(config, features, context.world_size)
    node = platform.node()
    index = None if context.device.type != "cuda" else torch.cuda.current_device()
    places = context.gather((node, index))
    card = None
    if index is not None:
        # Others may be on the card too.
        free = torch.cuda.mem_get_info(context.device)[0]
        name = torch.cuda.get_device_properties(context.device).name
        card = _share(free, f"{name} that are free", places.count((node, index)))
    on_node = sum(one == node for one, _ in places)
    why = why_tables_do_not_fit(tables, _host(on_node), card, host_bytes())
    for rank, reason in enumerate(context.gather(why)):
        if reason is not None:
            of = f" of rank {rank}" if context.world_size > 1 else ""
            raise ConfigError(
                f"feature_configs: the tables do not fit into the memory{of}: {reason}"
            )


def _host(workers: int) -> Capacity:
    return _share(memory_limit(), "memory", workers)


def _share(size: int, what: str, workers: int) -> Capacity:
    of = f" for {workers} workers" if workers > 1 else ""
    return Capacity(size // max(1, workers), f"{size_text(size)} of {what}{of}")


def _remedies(
    tables: TablesOfRun, there: Capacity, process: int, *, card: bool = False
) -> Iterator[tuple[str, int]]:
    """Yields the smallest changes with which tables fit, and the bytes that a worker needs then."""
    changes = [_HALF, _ROW_WISE, _SHARDED]
    for count in range(1, len(changes) + 1):
        found = False
        for chosen in itertools.combinations(changes, count):
            changed = _changed(tables, chosen, there.bytes - process)
            if changed is None:
                continue
            parts = changed.memory()
            size = sum(table.total - (table.staging if card else 0) for table in parts) + process
            if size <= there.bytes:
                found = True
                yield _text(chosen, changed, tables.sharded, there), size
        if found:
            return


def _changed(tables: TablesOfRun, chosen: Sequence[str], there: int) -> TablesOfRun | None:
    """Returns the tables after changes; None if one of these would change nothing."""
    if _HALF in chosen:
        halved = [
            replace(s, data_type="FP16") if s.data_type == "FP32" else s for s in tables.shapes
        ]
        if halved == list(tables.shapes):
            return None
        tables = replace(tables, shapes=halved)
    if _ROW_WISE in chosen:
        if tables.states.per_number == 0 and not tables.every_row:
            return None
        tables = replace(tables, states=ROW_WISE_ADAGRAD, every_row=False)
    elif _HALF in chosen and tables.every_row:
        return None
    if _SHARDED in chosen:
        workers = tables.fewest_workers(there) if tables.can_be_sharded else None
        if workers is None or (tables.sharded and workers == tables.world_size):
            return None
        tables = replace(tables, sharded=True, world_size=workers)
    return tables


def _text(chosen: Sequence[str], changed: TablesOfRun, was_sharded: bool, there: Capacity) -> str:
    texts = [one for one in chosen if one != _SHARDED]
    if _SHARDED in chosen:
        how = "" if was_sharded else "embedding_tables: SHARDED over "
        texts.append(f"{how}{changed.world_size} workers of {size_text(there.bytes)} each")
    return " and ".join(texts)
