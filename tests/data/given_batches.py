"""Batches of any features, columns and types."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from hypothesis import strategies as st
from torch import Tensor

from raymon.data import Batch, IdList, JoinedIds

NUMBERS = st.sampled_from([torch.float32, torch.float64, torch.bfloat16, torch.int32, torch.bool])


def tensors(batch: Batch) -> Iterator[tuple[str, Tensor]]:
    """Yields all tensors of a batch, each with what it is."""
    for group in ("dense", "labels", "weights", "keys"):
        for name, tensor in getattr(batch, group).items():
            yield f"{group}.{name}", tensor
    for name, ids in batch.sparse.items():
        for part in ("values", "offsets", "weights"):
            tensor = getattr(ids, part)
            if tensor is not None:
                yield f"{name}.{part}", tensor
    if batch.plain_ids is not None:
        yield f"plain {batch.plain_ids.names}", batch.plain_ids.values


def is_in_one_memory(batch: Batch) -> bool:
    """Whether all tensors of a batch share one storage, and its plain ids are one matrix."""
    plain = [n for n, ids in batch.sparse.items() if ids.offsets is None and ids.weights is None]
    if set(plain) != set(() if batch.plain_ids is None else batch.plain_ids.names):
        return False
    if batch.plain_ids is not None and not batch.plain_ids.are_in(batch.sparse):
        return False
    return len({tensor.untyped_storage().data_ptr() for _, tensor in tensors(batch)}) <= 1


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    """Batches of any features and types, contiguous or not, in one memory or several."""
    rows = draw(st.integers(0, 5))
    seed = torch.Generator().manual_seed(draw(st.integers(0, 1000)))

    def ids(count: int) -> Tensor:
        return torch.randint(0, 1 << 40, (count,), generator=seed)

    def ids_of_rows() -> IdList:
        if draw(st.booleans()):
            weights = torch.rand(rows, generator=seed) if draw(st.booleans()) else None
            return IdList(ids(rows), None, weights)
        lengths = torch.tensor([draw(st.integers(0, 3)) for _ in range(rows)], dtype=torch.int64)
        count = int(lengths.sum())
        weights = torch.rand(count, generator=seed) if draw(st.booleans()) else None
        return IdList(ids(count), lengths.cumsum(0) - lengths, weights)

    def columns(kind: str, *shape: int) -> dict[str, Tensor]:
        made = {}
        for index in range(draw(st.integers(0, 3))):
            dtype = draw(st.just(torch.float32) | NUMBERS)
            values = torch.rand(2 * rows, *shape, generator=seed).mul(9).to(dtype)
            made[f"{kind}{index}"] = values[::2] if draw(st.booleans()) else values[:rows]
        if draw(st.booleans()):
            names = [f"{kind} of a matrix {index}" for index in range(3)]
            made.update(zip(names, torch.rand(3, rows, *shape, generator=seed), strict=True))
        return made

    features = draw(st.integers(0, 4))
    plain, joined = None, torch.randint(0, 9, (features, rows + 2), generator=seed)[:, 1 : rows + 1]
    if features:
        plain = JoinedIds(tuple(f"plain{index}" for index in range(features)), joined)
    sparse = {} if plain is None else plain.by_name()
    if draw(st.booleans()):
        sparse |= {f"f{index}": ids_of_rows() for index in range(draw(st.integers(0, 4)))}
        plain = None
    return Batch(
        rows,
        {**columns("dense", 1), **columns("wide", draw(st.integers(2, 3)))},
        sparse,
        columns("label"),
        columns("weight"),
        {f"key{index}": ids(rows) for index in range(draw(st.integers(0, 2)))},
        plain,
    )
