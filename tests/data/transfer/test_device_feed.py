from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from raymon.data import Batch, on_device
from raymon.data.transfer import copy_thread
from raymon.data.transfer.copies import Mark
from raymon.data.transfer.copy_thread import STEPS_BEHIND
from raymon.data.transfer.device_feed import AHEAD, copied_ahead
from raymon.data.transfer.host_ring import SLOTS
from tests.data.given_batches import batches, tensors
from tests.data.transfer.lazy_device import LazyDevice

Numbered = tuple[int, Batch]


def batch_of(item: Numbered) -> Batch:
    return item[1]


def numbered(count: int, rows: int = 4) -> list[Numbered]:
    """Returns items whose batches hold their number."""
    return [(i, Batch(rows, labels={"label": torch.full((rows,), float(i))})) for i in range(count)]


def copy_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "raymon-copies"]


class Operations(TorchDispatchMode):
    """A mode that notes the operations of its thread."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.seen.append(str(func))
        return func(*args, **(kwargs or {}))


@settings(deadline=None, max_examples=50)
@given(st.lists(batches(), max_size=9))
def test_every_batch_arrives_whole_however_late_the_device_is(given: list[Batch]) -> None:
    device, seen = LazyDevice(), []
    for (number, batch), moved in copied_ahead(iter(enumerate(given)), batch_of, device):
        assert moved.size == batch.size

        def step(number: int = number, batch: Batch = batch, moved: Batch = moved) -> None:
            expected = {name: t for name, t in tensors(batch) if "plain (" not in name}
            found = {name: t for name, t in tensors(moved) if "plain (" not in name}
            assert list(found) == list(expected)
            for name, tensor in found.items():
                assert torch.equal(tensor, expected[name])
            seen.append(number)

        device.queue(step)
    device.finish()
    assert seen == list(range(len(given)))


def test_the_thread_that_trains_makes_no_operation_and_no_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    device, items, here, copyto = LazyDevice(), numbered(20), threading.current_thread(), np.copyto

    def elsewhere(target: Any, source: Any) -> None:
        assert threading.current_thread() is not here
        copyto(target, source)

    monkeypatch.setattr(np, "copyto", elsewhere)
    with Operations() as operations:
        moved = [batch for _, batch in copied_ahead(iter(items), batch_of, device)]
    assert operations.seen == []
    assert device.threads == {"raymon-copies"}
    device.queue(lambda: None)
    device.finish()
    assert [batch.labels["label"][0].item() for batch in moved] == list(range(20))


def test_two_batches_are_drawn_ahead_and_no_more() -> None:
    drawn = 0

    def items() -> Iterator[Numbered]:
        nonlocal drawn
        for item in numbered(10):
            drawn += 1
            yield item

    for (number, _), _ in copied_ahead(items(), batch_of, LazyDevice()):
        assert drawn == min(number + 1 + AHEAD, 10)


def test_host_memory_is_that_of_a_small_ring_which_grows() -> None:
    device = LazyDevice()
    sizes = [4, 4, 4, 4, 4, 1000, 1000, 1000, 1000, 4, 990, 1100]
    given = [numbered(1, rows)[0] for rows in sizes]
    for _ in copied_ahead(iter(given), batch_of, device):
        pass
    assert len(device.sizes) == 2 * SLOTS
    assert max(device.sizes) < 2 * 4 * 1100


def test_a_device_that_is_late_gets_only_a_few_batches() -> None:
    device = LazyDevice()
    for _ in copied_ahead(iter(numbered(60)), batch_of, device):
        device.queue(lambda: None)
    assert max(device.unfinished) <= STEPS_BEHIND + AHEAD + 1


def test_an_error_of_the_data_comes_at_its_place() -> None:
    def items() -> Iterator[Numbered]:
        yield from numbered(2)
        raise ValueError("the third")

    ahead = copied_ahead(items(), batch_of, LazyDevice())
    assert [next(ahead)[0][0], next(ahead)[0][0]] == [0, 1]
    with pytest.raises(ValueError, match="the third"):
        next(ahead)
    assert copy_threads() == []


class Failing(LazyDevice):
    """A device that has no memory for its third batch."""

    def start(self, host: Tensor) -> tuple[Tensor, Mark]:
        if len(self.unfinished) == 2:
            raise torch.OutOfMemoryError("no memory")
        return super().start(host)


def test_an_error_of_the_device_comes_at_its_place() -> None:
    ahead = copied_ahead(iter(numbered(9)), batch_of, Failing())
    assert [next(ahead)[0][0], next(ahead)[0][0]] == [0, 1]
    with pytest.raises(torch.OutOfMemoryError, match="no memory"):
        next(ahead)
    assert copy_threads() == []


@pytest.mark.parametrize("taken", [0, 1, 5])
def test_closing_early_ends_the_thread(taken: int) -> None:
    ahead = copied_ahead(iter(numbered(9)), batch_of, LazyDevice())
    for _ in range(taken):
        next(ahead)
    ahead.close()
    assert copy_threads() == []


class Hanging(LazyDevice):
    """A device that never comes to a mark until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go = threading.Event()

    def use(self, memory: Tensor, copied: Mark) -> Mark:
        super().use(memory, copied)
        return self

    def synchronize(self) -> None:
        self.let_go.wait()


def test_closing_does_not_wait_for_a_device_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copy_thread, "_JOIN_S", 0.01)
    device = Hanging()
    ahead = copied_ahead(iter(numbered(60)), batch_of, device)
    for _ in range(STEPS_BEHIND + 1):
        next(ahead)
    (thread,) = copy_threads()
    ahead.close()
    device.let_go.set()
    thread.join(20)
    assert copy_threads() == []


def test_on_the_cpu_a_batch_is_not_copied() -> None:
    items = numbered(3)
    pairs = list(on_device(iter(items), batch_of, torch.device("cpu"), True))
    assert all(batch is item[1] for item, batch in pairs)
    assert [item for item, _ in pairs] == items
