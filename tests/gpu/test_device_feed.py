"""Batches come to a card by one copy each, which the training thread neither makes nor awaits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from raymon.data import Batch, IdList, JoinedIds, on_device
from raymon.data.transfer.copies import CudaCopies
from raymon.data.transfer.copy_thread import STEPS_BEHIND
from raymon.data.transfer.device_feed import AHEAD
from tests.data.given_batches import tensors
from tests.data.transfer.test_device_feed import Operations

pytestmark = pytest.mark.gpu

CUDA = torch.device("cuda", 0)
ROWS = 8_192


def make_batches(count: int, rows: int = ROWS) -> Iterator[Batch]:
    """Yields batches with all that a batch can have, of slightly different sizes."""
    seed = torch.Generator().manual_seed(0)
    for number in range(count):
        names = tuple(f"plain{index}" for index in range(26))
        plain = JoinedIds(names, torch.randint(0, 1 << 40, (26, rows), generator=seed))
        lengths = torch.randint(0, 4, (rows,), generator=seed)
        ids = torch.randint(0, 1 << 40, (int(lengths.sum()),), generator=seed)
        lists = IdList(ids, lengths.cumsum(0) - lengths, torch.rand(len(ids), generator=seed))
        yield Batch(
            rows,
            {"number": torch.rand(rows, 1, generator=seed), "wide": torch.rand(rows, 8)},
            {**plain.by_name(), "lists": lists},
            {"click": torch.full((rows,), float(number))},
            {"weight": torch.rand(rows, generator=seed)},
            {"user": torch.full((rows,), number)},
            plain,
        )


def itself(batch: Batch) -> Batch:
    return batch


@pytest.mark.parametrize("pin_memory", [True, False])
def test_batches_are_the_same_on_the_card(pin_memory: bool) -> None:
    for batch, moved in on_device(make_batches(20), itself, CUDA, pin_memory):
        expected, found = dict(tensors(batch)), dict(tensors(moved))
        assert list(found) == list(expected)
        assert len({tensor.untyped_storage().data_ptr() for tensor in found.values()}) == 1
        for name, tensor in found.items():
            assert tensor.device == CUDA
            assert torch.equal(tensor.cpu(), expected[name]), name


def test_the_training_thread_makes_no_operation_and_waits_for_nothing() -> None:
    given = list(make_batches(30))
    torch.cuda.set_sync_debug_mode("error")
    try:
        with Operations() as operations:
            for _ in on_device(iter(given), itself, CUDA, True):
                pass
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert set(operations.seen) <= {"aten.record_stream.default"}


def test_what_is_kept_beyond_its_step_is_not_overwritten() -> None:
    kept: list[tuple[Tensor, Tensor]] = []
    for number, (_, moved) in enumerate(on_device(make_batches(100), itself, CUDA, True)):
        # The device is late, so that memory which is used again too early is noticed.
        torch.cuda._sleep(1_000_000)
        total = sum(tensor.double().sum() for _, tensor in tensors(moved))
        assert isinstance(total, Tensor)
        if number % 3 == 0:
            kept.append((moved.labels["click"], moved.keys["user"]))
    for index, (clicks, users) in enumerate(kept):
        assert bool((clicks == 3.0 * index).all())
        assert bool((users == 3 * index).all())


def test_steps_that_come_late_read_their_own_batch() -> None:
    sums = []
    for _, moved in on_device(make_batches(60), itself, CUDA, True):
        torch.cuda._sleep(5_000_000)
        sums.append(moved.labels["click"].sum())
    assert torch.stack(sums).tolist() == [float(number * ROWS) for number in range(60)]


def test_a_card_that_is_late_holds_only_a_few_batches() -> None:
    given = list(make_batches(100))
    torch.cuda.synchronize()
    torch.cuda.empty_cache()
    before = torch.cuda.memory_reserved(CUDA)
    for _ in on_device(iter(given), itself, CUDA, True):
        torch.cuda._sleep(2_000_000)
    # The allocator takes memory in steps of 2 and of 20 MiB.
    most = (STEPS_BEHIND + 2 * AHEAD + 4) * 2 * max(batch.nbytes for batch in given)
    assert torch.cuda.memory_reserved(CUDA) - before <= max(most, 64 << 20)


@pytest.mark.parametrize("pin_memory", [True, False])
def test_host_memory_is_page_locked_if_wanted(pin_memory: bool) -> None:
    assert CudaCopies(CUDA, pin_memory).host_memory(1 << 20).is_pinned() == pin_memory
