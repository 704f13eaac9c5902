from __future__ import annotations

from itertools import chain

import numpy as np
import pytest
import torch
from hypothesis import given, settings

from raymon.data import Batch, JoinedIds
from raymon.data.batch_layout import BatchLayout
from tests.data.given_batches import batches, is_in_one_memory, tensors


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
