"""The same DLRM with all rows in one table: what a GPU does with nothing in its way.

Its batches are on the device already, nothing is measured or shown, and nothing is counted. It is
launched kernel by kernel, or replayed as a CUDA graph, which takes the host out of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from benchmarks.contenders.gpu_task import DIM, LABEL, NUMBERS, RATE, TABLE_RATE, TABLES, Task
from raymon.data import Batch

_TYPES = {"BF16": torch.bfloat16}
_WARM_UP = 3

Inputs = tuple[Tensor, Tensor, Tensor]
"""Ids `[B, TABLES]` in the joint table, numbers `[B, NUMBERS]` and clicks `[B]`."""

Step = Callable[[], None]
"""A step on the next batch."""


class JointDLRM(nn.Module):
    """A DLRM whose tables are one.

    Args:
        task: What is trained.
        device: Device of the model.
    """

    def __init__(self, task: Task, device: torch.device) -> None:
        super().__init__()
        bottom, top = task.widths
        # No parameter: its rows are updated by the step itself.
        rows = TABLES * task.table_rows
        self.table = torch.randn(rows, DIM, device=device).mul_(0.01)
        self.bottom = _mlp(NUMBERS, bottom).to(device)
        pairs = torch.tril_indices(TABLES + 1, TABLES + 1, offset=-1, device=device)
        self.pairs = pairs[0] * (TABLES + 1) + pairs[1]
        width = len(self.pairs) + (TABLES + 1) * DIM
        self.top = nn.Sequential(_mlp(width, top), nn.Linear(top[-1], 1)).to(device)
        on_device = device.type == "cuda"
        self.optimizer = torch.optim.Adam(self.parameters(), RATE, fused=True, capturable=on_device)
        self._autocast = _autocast(task, device)

    def step(self, ids: Tensor, numbers: Tensor, clicks: Tensor) -> Tensor:
        """Trains on a batch, and returns the loss; waits for nothing."""
        rows = nn.functional.embedding(ids, self.table).requires_grad_()
        with self._autocast():
            vectors = torch.cat([self.bottom(numbers).unsqueeze(1), rows.to(self._type())], 1)
            products = torch.bmm(vectors, vectors.transpose(1, 2)).flatten(1)
            inputs = torch.cat([products.index_select(1, self.pairs), vectors.flatten(1)], 1)
            logits = self.top(inputs).squeeze(1).float()
        loss = binary_cross_entropy_with_logits(logits, clicks)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        assert rows.grad is not None
        gradient = rows.grad.flatten(0, 1)
        self.table.index_add_(0, ids.flatten(), gradient, alpha=-TABLE_RATE)
        return loss.detach()

    def _type(self) -> torch.dtype:
        kind = self.table.device.type
        return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else torch.float32


def on_device(task: Task, batches: Sequence[Batch], device: torch.device) -> list[Inputs]:
    """Returns batches as the joint table takes them, on the device."""
    begins = torch.arange(TABLES) * task.table_rows
    inputs = []
    for batch in batches:
        ids = torch.stack([ids.values for ids in batch.sparse.values()], 1) + begins
        parts = (ids, batch.dense["numbers"], batch.labels[LABEL])
        ids, numbers, clicks = (part.to(device) for part in parts)
        inputs.append((ids, numbers, clicks))
    return inputs


def kernel_by_kernel(task: Task, batches: Sequence[Batch], device: torch.device) -> Step:
    """Returns a step whose kernels are launched one by one."""
    model, inputs = JointDLRM(task, device), on_device(task, batches, device)
    turn = 0

    def step() -> None:
        nonlocal turn
        model.step(*inputs[turn % len(inputs)])
        turn += 1

    return step


def as_graph(task: Task, batches: Sequence[Batch], device: torch.device) -> Step:
    """Returns a step that copies the next batch, on the device, and replays a CUDA graph."""
    model, inputs = JointDLRM(task, device), on_device(task, batches, device)
    fixed = [torch.clone(part) for part in inputs[0]]
    # A capture needs a stream of its own on which the same has run before.
    stream = torch.cuda.Stream(device)
    stream.wait_stream(torch.cuda.current_stream(device))
    with torch.cuda.stream(stream):
        for _ in range(_WARM_UP):
            model.step(*fixed)
    torch.cuda.current_stream(device).wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        model.step(*fixed)
    turn = 0

    def step() -> None:
        nonlocal turn
        for part, given in zip(fixed, inputs[turn % len(inputs)], strict=True):
            part.copy_(given)
        graph.replay()
        turn += 1

    return step


def _mlp(inputs: int, widths: Sequence[int]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, units in zip((inputs, *widths), widths, strict=False):
        layers += [nn.Linear(before, units), nn.ReLU()]
    return nn.Sequential(*layers)


def _autocast(task: Task, device: torch.device) -> Callable[[], AbstractContextManager[object]]:
    if not task.precision:
        return nullcontext
    # A capture must not find casts of the weights that an earlier step made.
    dtype = _TYPES[task.precision]
    return lambda: torch.autocast(device.type, dtype=dtype, cache_enabled=False)
