"""Updates every metric with fake CUDA tensors, and prints what waited or copied.

They have no data, so whatever depends on data raises. It is a process of its own, which ends before
they are freed: a torch without CUDA aborts at that.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from itertools import product
from typing import Any

import torch
from torch._subclasses import FakeTensorMode
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from tests.metrics.kinds import BINARY, EXACT, EXACT_MULTICLASS, GROUPED, IN_BATCH, MULTICLASS

DTYPES = (torch.float32, torch.float64, torch.float16, torch.bfloat16)


class WithoutCuda(TorchFunctionMode):
    """A mode in which a torch without CUDA can index its fake tensors.

    In Python `x[...]` and `~x` ask for CUDA itself; the operations that they stand for do not.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.Tensor.__getitem__:
            return _indexed(*args)
        if func is torch.Tensor.__invert__:
            return torch.bitwise_not(*args)
        return func(*args, **(kwargs or {}))


def _indexed(x: torch.Tensor, index: Any) -> torch.Tensor:
    aten, dim = torch.ops.aten, 0
    for part in index if isinstance(index, tuple) else (index,):
        if isinstance(part, int):
            x = aten.select(x, dim, part)
            continue
        if isinstance(part, slice):
            x = aten.slice(x, dim, part.start, part.stop, part.step or 1)
        else:
            assert part.dtype != torch.bool, "how long the result is depends on the mask"
            x = aten.index(x, [None] * dim + [part])
        dim += 1
    return x


class NoCopies(TorchDispatchMode):
    """A mode that raises if an operation copies tensors from one device to another."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        flat = [x for part in (args, out) for x in (part if isinstance(part, tuple) else (part,))]
        devices = {x.device.type for x in flat if isinstance(x, torch.Tensor)}
        if len(devices) > 1:
            raise AssertionError(f"{func} copies between {devices}")
        return out


def asks() -> list[str]:
    """Returns the ways to wait that were not noticed."""
    ways: dict[str, Callable[[torch.Tensor], Any]] = {
        "item": torch.Tensor.item,
        "cpu": torch.Tensor.cpu,
        "bincount": lambda scores: torch.bincount(scores.long()),
        "mask": lambda scores: scores[scores > 0],
        "to cpu": lambda scores: scores.to("cpu", non_blocking=True),
        "to cuda": lambda scores: torch.tensor([0.5], device=scores.device),
    }
    unnoticed = []
    for name, ask in ways.items():
        scores, noticed = torch.rand(1), False
        try:
            with NoCopies():
                ask(scores)
        except Exception as error:
            # Not for want of a CUDA that a GPU box would have.
            noticed = not any(text in str(error) for text in ("not linked", "No CUDA GPUs"))
        if not noticed:
            unnoticed.append(f"not noticed: {name}")
    return unnoticed


def updates() -> list[str]:
    """Returns the updates that failed."""
    failures = []
    for rows, weighted, dtype in product((0, 100), (False, True), DTYPES):
        weights = torch.rand(rows) if weighted else None
        target, key = torch.ones(rows), torch.ones(rows, dtype=torch.int64)
        for kinds, shape, keyed in (
            ([*BINARY, *IN_BATCH, *EXACT], (rows,), False),
            ([*MULTICLASS, *EXACT_MULTICLASS], (rows, 6), False),
            (GROUPED, (rows,), True),
        ):
            preds = torch.rand(shape, dtype=dtype)
            for kind in kinds:
                metric = kind()
                try:
                    with NoCopies():
                        metric.update(preds, target, *([key] if keyed else []), weights=weights)
                    for state in metric.metric_state.values():
                        for tensor in state if isinstance(state, list) else [state]:
                            assert tensor.device.type == "cuda", tensor.device
                except Exception as error:
                    case = f"{type(metric).__name__} of {rows} rows, {dtype}, weighted {weighted}"
                    failures.append(f"{case}: {type(error).__name__}: {error}")
    return failures


if __name__ == "__main__":
    gc.disable()
    with FakeTensorMode(), torch.device("cuda"), WithoutCuda():
        failed = asks() + updates()
        print("\n".join(failed), flush=True)
        os._exit(1 if failed else 0)
