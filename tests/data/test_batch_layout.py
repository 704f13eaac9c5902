from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from raymon.data import Batch, IdList, JoinedIds
from raymon.data.batch_layout import BatchLayout, is_in_one_memory

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


@settings(deadline=None)
@given(batches())
def test_a_batch_that_is_packed_is_the_same_batch_in_one_memory(batch: Batch) -> None:
    layout = BatchLayout.of(batch)
    buffer = torch.full((layout.nbytes + 8,), 171, dtype=torch.uint8)
    layout.pack(batch, buffer)
    assert buffer[layout.nbytes :].eq(171).all()
    packed = layout.views(buffer)
    assert packed.size == batch.size
    assert is_in_one_memory(packed)
    plain = {n: i for n, i in batch.sparse.items() if i.offsets is None and i.weights is None}
    if plain:
        assert packed.plain_ids is not None
        assert packed.plain_ids.names == tuple(plain)
        assert packed.plain_ids.values.is_contiguous()
    before, after = (
        {name: tensor for name, tensor in tensors(each) if not name.startswith("plain (")}
        for each in (batch, packed)
    )
    assert list(before) == list(after)
    for name, tensor in after.items():
        assert tensor.dtype == before[name].dtype
        assert torch.equal(tensor, before[name])
        assert tensor.is_contiguous()


@settings(deadline=None)
@given(batches())
def test_no_two_tensors_of_a_packed_batch_overlap(batch: Batch) -> None:
    layout = BatchLayout.of(batch)
    packed = layout.views(torch.empty(layout.nbytes, dtype=torch.uint8))
    spans = sorted(
        (tensor.storage_offset() * tensor.itemsize, tensor.nbytes)
        for name, tensor in tensors(packed)
        if tensor.numel() and not name.startswith("plain (")
    )
    ends = [begin + nbytes for begin, nbytes in spans]
    assert all(end <= begin for end, (begin, _) in zip(ends, spans[1:], strict=False))
    assert max(chain([0], ends)) <= layout.nbytes


@given(batches())
@settings(deadline=None)
def test_views_ask_a_device_for_nothing(batch: Batch) -> None:
    layout = BatchLayout.of(batch)
    meta = layout.views(torch.empty(layout.nbytes, dtype=torch.uint8, device="meta"))
    shapes = {name: (t.shape, t.dtype) for name, t in tensors(meta) if "plain (" not in name}
    expected = {name: (t.shape, t.dtype) for name, t in tensors(batch) if "plain (" not in name}
    assert shapes == expected
    assert all(tensor.device.type == "meta" for _, tensor in tensors(meta))


def test_columns_of_one_matrix_are_copied_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ids, reals = torch.randint(0, 9, (26, 8)), torch.rand(14, 8)
    plain = JoinedIds(tuple(f"f{index}" for index in range(26)), ids)
    dense = {f"d{index}": row.unsqueeze(1) for index, row in enumerate(reals[:13])}
    batch = Batch(8, dense, plain.by_name(), {"label": reals[13]}, plain_ids=plain)
    layout = BatchLayout.of(batch)
    copied, copyto = [], np.copyto

    def counted(target: np.ndarray, source: np.ndarray) -> None:
        copied.append(target.shape)
        copyto(target, source)

    monkeypatch.setattr(np, "copyto", counted)
    layout.pack(batch, torch.empty(layout.nbytes, dtype=torch.uint8))
    assert copied == [(26, 8), (1, 8), (13, 8, 1)]
