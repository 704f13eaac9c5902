"""Says of an error for want of memory what took it, and what would help."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import nn

from raymon.embeddings import size_text
from raymon.errors import TrainingError, first_line
from raymon.models import Model
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.protos.train_pb2 import EmbeddingTables
from raymon.training.checkpoint.train_state import model_tensors, stored_optimizer_tensors
from raymon.training.optim.optimizers import Optimizers
from raymon.training.rank.worker_context import WorkerContext

_NAMED = 3
"""Tensors that the line names, the largest first."""

_FRAGMENTED = 0.2
"""Share of the reserved memory without tensors from which on its cutting is the likely cause."""

_OF_HOST = re.compile(r"DefaultCPUAllocator|can't allocate memory|Unable to allocate")


class OutOfMemoryExplained:
    """What is known of the memory of a rank, for the line that an error becomes.

    Args:
        config: Config of the run.
        context: The world of this rank.

    Attributes:
        model: The model, once it is made.
        optimizers: Its optimizers, once they are made.
    """

    def __init__(self, config: PipelineConfig, context: WorkerContext) -> None:
        self._config = config
        self._context = context
        self.model: Model | None = None
        self.optimizers: Optimizers | None = None

    @contextmanager
    def __call__(self, doing: str) -> Iterator[None]:
        """Makes an error for want of memory a line, within the context.

        Args:
            doing: What is done there, such as "training".

        Raises:
            TrainingError: There was no memory.
        """
        try:
            yield
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            raise TrainingError(self._line(error, doing)) from error

    def _line(self, error: BaseException, doing: str) -> str:
        on_card = isinstance(error, torch.OutOfMemoryError)
        data = self._config.data_config
        rows = data.eval_batch_size if doing == "evaluation" else data.batch_size
        size = f"batch_size {rows or data.batch_size}"
        if data.HasField("global_batch_size") and doing != "evaluation":
            size = f"global_batch_size {data.global_batch_size}"
        parts = [
            f"rank {self._context.rank}: out of memory in {doing}{_asked(error)}, with {size}",
            self._memory() if on_card else "",
            self._largest(),
            f"what would help: {', '.join(self._remedies(on_card))}",
        ]
        return "; ".join(part for part in parts if part)

    def _memory(self) -> str:
        device = self._context.device
        allocated = torch.cuda.memory_allocated(device)
        reserved = torch.cuda.memory_reserved(device)
        total = torch.cuda.get_device_properties(device).total_memory
        return memory_text(torch.cuda.get_device_name(device), allocated, reserved, total)

    def _largest(self) -> str:
        sizes = {} if self.model is None else tensor_bytes(self.model, self.optimizers)
        largest = sorted(sizes.items(), key=lambda item: -item[1])
        listed = [f"{name} {size_text(size)}" for name, size in largest[:_NAMED]]
        rest = largest[_NAMED:]
        if rest:
            listed.append(f"{len(rest)} more {size_text(sum(size for _, size in rest))}")
        return f"its largest tensors are {', '.join(listed)}" if listed else ""

    def _remedies(self, on_card: bool) -> list[str]:
        train = self._config.train_config
        found = [
            "a smaller data_config.batch_size, with more gradient_accumulation_steps for the same "
            "steps"
        ]
        if on_card and train.mixed_precision not in ("BF16", "FP16"):
            found.append('mixed_precision: "BF16"')
        if self.model is not None and (
            self.model.sharded is not None or self.model.sparse_tables()
        ):
            if train.sparse_optimizer.WhichOneof("optimizer") not in (
                "rowwise_adagrad_optimizer",
                "sgd_optimizer",
            ):
                found.append("sparse_optimizer { rowwise_adagrad_optimizer {} }")
            if not all(_is_half(table) for table in self.model.sparse_parameters()):
                found.append("tables of data_type: FP16")
            sharded = train.embedding_tables == EmbeddingTables.SHARDED
            found.append(
                "more workers" if sharded else "more workers with embedding_tables: SHARDED"
            )
        return found


def memory_text(name: str, allocated: int, reserved: int, total: int) -> str:
    """Returns what the memory of a GPU is taken by, with the remedy for memory cut to pieces."""
    text = (
        f"{name} has {size_text(total)}, of which torch has reserved {size_text(reserved)} and "
        f"allocated {size_text(allocated)}"
    )
    if reserved - allocated > _FRAGMENTED * reserved:
        text += (
            " (the rest is cut to pieces; PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True may help)"
        )
    return text


def is_out_of_memory(error: BaseException) -> bool:
    """Returns whether an error is for want of memory, of a GPU or of the host."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    return isinstance(error, RuntimeError) and bool(_OF_HOST.search(str(error)))


def tensor_bytes(model: nn.Module, optimizers: Optimizers | None) -> Mapping[str, int]:
    """Returns the bytes that this rank holds of each tensor of a model and of its optimizers."""
    sizes = {name: one.nbytes for name, one in model_tensors(model).items()}
    if optimizers is not None and isinstance(model, Model):
        stored = stored_optimizer_tensors(optimizers, model)
        sizes |= {name: one.nbytes for name, one in stored.items()}
    return sizes


def _asked(error: BaseException) -> str:
    """Returns how much was asked for, if the error says it."""
    text = first_line(error)
    found = re.search(r"[Tt]ried to allocate ([\d.]+ \w+)", str(error))
    if found is None:
        found = re.search(r"allocate ([\d.]+ \w+)", text)
    return f" ({found[1]} more were asked for)" if found else ""


def _is_half(table: torch.Tensor) -> bool:
    return table.dtype.itemsize <= 2
