"""One rank of a world of plain processes, without Ray: what it runs, and what is recorded of it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from google.protobuf import text_format

from raymon.data import Batch, InputCounts
from raymon.data.transfer.device_feed import copied_ahead
from raymon.embeddings import TableShards
from raymon.errors import TrainingError, UserError
from raymon.models import Model
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.recorder import Outbox, Recorder
from raymon.training.checkpoint.manifest import Checkpoint
from raymon.training.loop.reporting_recorder import make_reporting_recorder
from raymon.training.loop.worker import run_worker
from raymon.training.rank.worker_context import WorkerContext
from raymon.training.rank.worker_task import WorkerTask
from raymon.wire import Ack
from tests.data.transfer.lazy_device import LazyDevice
from tests.training.given import datasets

T = TypeVar("T")


class KeepingLink:
    """A connection to a reporter that only records the windows."""

    def __init__(self) -> None:
        self.windows: list[bytes] = []

    def begin_attempt(self, *_: object) -> int:
        return 1

    def channel(self, *_: object) -> KeepingLink:
        return self

    def report(self, message: bytes) -> Future[Ack]:
        self.windows.append(message)
        return self.acknowledged()

    def beat(self, message: bytes) -> Future[Ack]:
        return self.acknowledged()

    def acknowledged(self) -> Future[Ack]:
        return _done(Ack("a", 1, durable={1: len(self.windows)}))

    def publish_evaluation(self, *_: object) -> Future[None]:
        return _done(None)

    def publish_notice(self, text: str, level: int = logging.WARNING) -> Future[None]:
        return _done(None)

    def publish_evaluation_progress(self, *_: object) -> Future[None]:
        return _done(None)

    def publish_checkpoint(self, *_: object) -> Future[None]:
        return _done(None)

    def answer_request(self, *_: object) -> Future[None]:
        return _done(None)


class CopyingContext(WorkerContext):
    """A world whose batches are copied by a thread, as for a GPU."""

    def on_device(
        self, items: Iterator[T], batch_of: Callable[[T], Batch], pin_memory: bool
    ) -> Generator[tuple[T, Batch], None, None]:
        return copied_ahead(items, batch_of, LazyDevice(at_once=True))


@dataclass
class RankRun:
    """What is recorded of a run of one rank, which is the controller of the run too."""

    error: str = ""
    model: dict[str, torch.Tensor] = field(default_factory=dict)
    states: dict[str, torch.Tensor] = field(default_factory=dict)
    evaluations: list[tuple[int, dict[str, float]]] = field(default_factory=list)
    windows: list[bytes] = field(default_factory=list)
    steps: list[dict[str, torch.Tensor]] = field(default_factory=list)

    def begin(self, checkpoints: Sequence[Checkpoint]) -> None:
        self.evaluations += [(each.step, dict(each.metrics)) for each in checkpoints]

    def register(
        self, directory: str, step: int, scores: Mapping[str, float], failure: Future[str | None]
    ) -> None:
        def keep(failure: Future[str | None]) -> None:
            if failure.exception() is None and failure.result() is None:
                self.evaluations.append((step, dict(scores)))

        failure.add_done_callback(keep)

    def ask_for_preemption(self) -> Future[str | None]:
        return _done(None)

    def close(self) -> None:
        pass


def run_rank(
    config: PipelineConfig,
    rank: int,
    world_size: int,
    datasets: Mapping[str, Any] | None = None,
    kind: type[WorkerContext] = WorkerContext,
) -> RankRun:
    """Trains as one rank; the process group exists already."""
    run, link = RankRun(), KeepingLink()
    models: list[Model] = []

    def make_recorder(
        config: PipelineConfig,
        model: Model,
        context: WorkerContext,
        attempt: int,
        outbox: Outbox,
        step: int,
        input_counts: InputCounts,
        take_save_counts: Callable[[], Mapping[str, int]],
    ) -> Recorder:
        update = model.update_train_metric

        def kept_update(predictions: Any, batch: Any) -> None:
            kept = {"probs": predictions["probs"], **batch.labels, **batch.weights}
            run.steps.append({name: value.clone() for name, value in kept.items()})
            update(predictions, batch)

        model.update_train_metric = kept_update
        models.append(model)
        return make_reporting_recorder(
            config, model, context, attempt, outbox, step, input_counts, take_save_counts
        )

    context = kind(rank, world_size, torch.device("cpu"), run)
    run_worker(WorkerTask(config.SerializeToString()), context, link, make_recorder, datasets)
    run.model = models[0].state_dict()
    if models[0].sharded is not None:
        run.model |= {name: _gathered(t) for name, t in models[0].sharded.tables.items()}
        for path, states in models[0].sharded.states.items():
            run.states |= {f"{path}/{name}": _gathered(t) for name, t in states.items()}
    run.windows = link.windows
    return run


def _gathered(table: TableShards) -> torch.Tensor:
    """Returns a table from the parts of all ranks."""
    parts: list[Any] = [table]
    if dist.is_initialized():
        parts = [None] * dist.get_world_size()
        dist.all_gather_object(parts, table)
    whole = torch.full(table.shape, torch.nan, dtype=table.dtype)
    for shard in (shard for part in parts for shard in part.shards):
        rows, columns = shard.values.shape
        whole[shard.row : shard.row + rows, shard.column : shard.column + columns] = shard.values
    return whole


def read_config(path: Path) -> PipelineConfig:
    """Reads a config without checking it."""
    return text_format.Parse(path.read_text(), PipelineConfig())


def _done(value: Any) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_result(value)
    return future


def _datasets(folder: Path, name: str, config: PipelineConfig) -> Mapping[str, Any]:
    described = folder / f"{name}.datasets.json"
    if not described.is_file():
        return {}
    kind, counts = json.loads(described.read_text())
    return datasets(kind, Path(config.train_input_path), counts)


def main(folder: Path, rank: int) -> None:
    torch.set_num_threads(1)
    for name, world_size in json.loads((folder / "worlds.json").read_text()).items():
        if rank >= world_size:
            continue
        dist.init_process_group(
            "gloo",
            init_method=f"file://{folder}/{name}.rendezvous",
            rank=rank,
            world_size=world_size,
            timeout=timedelta(seconds=60),
        )
        try:
            config = read_config(folder / f"{name}.config")
            given = _datasets(folder, name, config)
            kind = CopyingContext if (folder / f"{name}.copied").is_file() else WorkerContext
            run = run_rank(config, rank, world_size, given, kind)
        except (UserError, TrainingError, ValueError) as error:
            run = RankRun(error=f"{type(error).__name__}: {error}")
        torch.save(vars(run), folder / f"{name}.{rank}.pt")
        dist.destroy_process_group()
