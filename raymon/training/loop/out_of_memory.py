"""Says of an error for want of memory what took it, and what would help."""

from __future__ import annotations

import errno
import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from raymon.embeddings import size_text
from raymon.errors import TrainingError
from raymon.models import Model
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.recorder import host_bytes
from raymon.training.checkpoint.train_state import model_tensors, optimizer_tensors
from raymon.training.optim.optimizers import Optimizers
from raymon.training.rank.worker_context import WorkerContext

_NAMED = 3
"""Tensors that the line names, the largest first."""

_FRAGMENTED = 0.2
"""Share of the reserved memory without tensors from which on its cutting is the likely cause."""

_MUCH = 0.1
"""Share of the memory that is taken from which on it helps to make what a model keeps smaller."""

_OF_HOST = re.compile(r"DefaultCPUAllocator|can't allocate memory|Unable to allocate")


class MemoryOfRank:
    """What is known of the memory of a rank, for the line that an error for want of it becomes.

    Args:
        config: Config of the run.
        context: The world of this rank.
        trains: Whether it trains; else it evaluates.

    Attributes:
        model: The model, once it is made.
        optimizers: Its optimizers, once they are made.
    """

    def __init__(
        self, config: PipelineConfig, context: WorkerContext, *, trains: bool = True
    ) -> None:
        self._config = config
        self._context = context
        self._trains = trains
        self.model: Model | None = None
        self.optimizers: Optimizers | None = None

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Makes an error for want of memory one line, within the context.

        Raises:
            TrainingError: There was no memory.
        """
        try:
            yield
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            raise TrainingError(self._line(error)) from error

    def _line(self, error: Exception) -> str:
        on_card = isinstance(error, torch.OutOfMemoryError)
        parts = [
            f"rank {self._context.rank} on {platform.node()}: out of memory"
            f"{'' if on_card else ' of the host'} in {self._doing()}{_asked(error)}",
            self._memory_of_card() if on_card else "",
            self._largest(),
            f"what would help: {', '.join(self._remedies(on_card))}",
        ]
        return "; ".join(part for part in parts if part)

    @property
    def _evaluates(self) -> bool:
        return not self._trains or (self.model is not None and not self.model.training)

    def _doing(self) -> str:
        data = self._config.data_config
        if self._evaluates:
            rows = data.eval_batch_size or data.batch_size
            field = "eval_batch_size" if data.HasField("eval_batch_size") else "batch_size"
            return f"an evaluation with {field} {rows}"
        if data.HasField("global_batch_size"):
            return f"training with global_batch_size {data.global_batch_size}"
        return f"training with batch_size {data.batch_size}"

    def _kept(self) -> int:
        """Returns the bytes of the model and of the states of its optimizers."""
        return 0 if self.model is None else sum(tensor_bytes(self.model, self.optimizers).values())

    def _taken(self, on_card: bool) -> int:
        """Returns the bytes that are taken where there were too few."""
        return torch.cuda.memory_allocated(self._context.device) if on_card else host_bytes()

    def _memory_of_card(self) -> str:
        device = self._context.device
        card = torch.cuda.get_device_properties(device)
        return memory_text(
            card.name,
            torch.cuda.memory_allocated(device),
            torch.cuda.memory_reserved(device),
            card.total_memory,
        )

    def _largest(self) -> str:
        if self.model is None:
            return ""
        sizes = tensor_bytes(self.model, self.optimizers)
        largest = sorted(sizes.items(), key=lambda item: -item[1])
        listed = [f"{name} {size_text(size)}" for name, size in largest[:_NAMED]]
        rest = largest[_NAMED:]
        if rest:
            listed.append(f"{len(rest)} more {size_text(sum(size for _, size in rest))}")
        return f"the largest tensors are {', '.join(listed)}" if listed else ""

    def _remedies(self, on_card: bool) -> Iterator[str]:
        train, data = self._config.train_config, self._config.data_config
        if self._evaluates:
            yield "a smaller data_config.eval_batch_size"
        else:
            field = "global_batch_size" if data.HasField("global_batch_size") else "batch_size"
            yield f"a smaller data_config.{field} (gradient_accumulation_steps makes up for it)"
        if on_card and not train.mixed_precision:
            yield 'mixed_precision: "BF16"'
        dtypes = [] if self.model is None else _table_types(self.model)
        if dtypes and self._kept() >= _MUCH * self._taken(on_card):
            kind = train.sparse_optimizer.WhichOneof("optimizer")
            if kind not in ("rowwise_adagrad_optimizer", "sgd_optimizer"):
                yield "sparse_optimizer { rowwise_adagrad_optimizer {} }"
            if any(dtype.itemsize > 2 for dtype in dtypes):
                yield "tables of data_type: FP16"
            sharded = self.model is not None and self.model.sharded is not None
            yield "more workers" + ("" if sharded else " with embedding_tables: SHARDED")


def memory_text(name: str, allocated: int, reserved: int, total: int) -> str:
    """Returns what the memory of a GPU is taken by, with the remedy for memory cut to pieces."""
    text = (
        f"{name} has {size_text(total)}, of which torch has reserved {size_text(reserved)} and "
        f"allocated {size_text(allocated)}"
    )
    if reserved - allocated > _FRAGMENTED * reserved:
        text += (
            ", the rest cut to pieces (PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True may help)"
        )
    return text


def is_out_of_memory(error: BaseException) -> bool:
    """Returns whether an error is for want of memory, of a GPU or of the host."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    return isinstance(error, RuntimeError) and bool(_OF_HOST.search(str(error)))


def tensor_bytes(model: Model, optimizers: Optimizers | None) -> dict[str, int]:
    """Returns the bytes that this rank holds of each tensor of a model and of its optimizers."""
    stored = model_tensors(model)
    if optimizers is not None:
        stored = {**stored, **optimizer_tensors(optimizers, model)}
    return {name: one.nbytes for name, one in stored.items()}


def _table_types(model: Model) -> list[torch.dtype]:
    sharded = [] if model.sharded is None else [t.dtype for t in model.sharded.tables.values()]
    return [table.weight.dtype for table in model.sparse_tables()] + sharded


def _asked(error: Exception) -> str:
    """Returns how much was asked for, if the error says it."""
    found = re.search(r"llocate ([\d.]+) (\w+)", str(error))
    if found is None:
        return ""
    bytes_of = {"bytes": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40, "PiB": 2**50}
    size = float(found[1]) * bytes_of.get(found[2], 0)
    return f", as {size_text(round(size))} more were asked for" if size else ""
