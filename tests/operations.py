"""Counts the operations that torch dispatches."""

from __future__ import annotations

from collections import Counter
from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode


class Operations(TorchDispatchMode):
    """Counts the operations that do work: not those that only look at memory in another way."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        views = any(r.alias_info and not r.alias_info.is_write for r in func._schema.returns)
        if not views and func.namespace == "aten" and func._schema.name != "aten::promote_types":
            self.counts[func._schema.name] += 1
        return func(*args, **(kwargs or {}))
