"""A batch: tensors for the model, and what losses and metrics need beside them."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch


@dataclass
class IdList:
    """The ids of one feature for the rows of a batch.

    Attributes:
        values: int64 `[N]`, ids of all rows one after the other; `[B]` where every row has one.
        offsets: int64 `[B]`, where the ids of each row begin in `values`; None where every row
            has exactly one id. (What `torch.nn.functional.embedding_bag` takes.)
    """

    values: torch.Tensor
    offsets: torch.Tensor | None = None

    def to(self, device: torch.device, non_blocking: bool = False) -> IdList:
        """The same ids on `device`."""
        offsets = self.offsets
        return IdList(
            self.values.to(device, non_blocking=non_blocking),
            None if offsets is None else offsets.to(device, non_blocking=non_blocking),
        )

    def pin_memory(self) -> IdList:
        """The same ids in page-locked memory."""
        offsets = self.offsets
        return IdList(self.values.pin_memory(), None if offsets is None else offsets.pin_memory())


@dataclass
class Batch:
    """The rows of one step of one rank.

    Attributes:
        size: B, the number of rows.
        dense: by feature name, float32 `[B, value_dim]`.
        sparse: by feature name, the ids whose embeddings are looked up.
        labels: by column, float32 `[B]`.
        weights: by column, float32 `[B]`, sample weights.
        keys: by column, int64 `[B]`, grouping keys; strings are hashed to 64 bits.
    """

    size: int
    dense: dict[str, torch.Tensor] = field(default_factory=dict)
    sparse: dict[str, IdList] = field(default_factory=dict)
    labels: dict[str, torch.Tensor] = field(default_factory=dict)
    weights: dict[str, torch.Tensor] = field(default_factory=dict)
    keys: dict[str, torch.Tensor] = field(default_factory=dict)

    def to(self, device: torch.device, non_blocking: bool = False) -> Batch:
        """The same batch on `device`; keys move too, so that no metric has to copy."""

        def move(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
            return {k: v.to(device, non_blocking=non_blocking) for k, v in tensors.items()}

        return Batch(
            size=self.size,
            dense=move(self.dense),
            sparse={k: v.to(device, non_blocking) for k, v in self.sparse.items()},
            labels=move(self.labels),
            weights=move(self.weights),
            keys=move(self.keys),
        )

    def pin_memory(self) -> Batch:
        """The same batch in page-locked memory."""

        def pin(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
            return {k: v.pin_memory() for k, v in tensors.items()}

        return Batch(
            size=self.size,
            dense=pin(self.dense),
            sparse={k: v.pin_memory() for k, v in self.sparse.items()},
            labels=pin(self.labels),
            weights=pin(self.weights),
            keys=pin(self.keys),
        )
