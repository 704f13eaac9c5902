"""Memory of saves is page-locked once, and where that fails a line says what it costs."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
import torch

from raymon.training.checkpoint.host_blocks import HostBlocks
from raymon.training.checkpoint.page_lock import PageLock
from raymon.training.checkpoint.staging import Staging
from tests.training.checkpoint.fake_streams import Streams

OUT_OF_MEMORY = 2
CARD = torch.device("cuda", 1)


class Runtime:
    """The calls of CUDA's runtime that lock pages.

    Attributes:
        locked: Bytes that are locked, by where they begin.
        tried: How often something was to be locked.
        error: What the next calls return.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.locked: dict[int, int] = {}
        self.tried = self.error = 0
        self._device: torch.device | None = None
        calls = SimpleNamespace(cudaHostRegister=self._lock, cudaHostUnregister=self._unlock)
        monkeypatch.setattr(torch.cuda, "cudart", lambda: calls)
        monkeypatch.setattr(torch.cuda, "device", self._on)

    @contextmanager
    def _on(self, device: torch.device) -> Iterator[None]:
        self._device = device
        try:
            yield
        finally:
            self._device = None

    def _lock(self, address: int, size: int, flags: int) -> int:
        self.tried += 1
        assert self._device == CARD
        # Pages of its own, for all devices.
        assert (address % 4096, flags) == (0, 1)
        if not self.error:
            self.locked[address] = size
        return self.error

    def _unlock(self, address: int) -> int:
        assert self._device == CARD
        del self.locked[address]
        return 0


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Runtime:
    return Runtime(monkeypatch)


def test_blocks_are_locked_once_and_until_nobody_uses_them(runtime: Runtime) -> None:
    told: list[str] = []
    blocks = HostBlocks(PageLock(CARD, told.append))
    for _ in range(3):
        piece = blocks.cut([5 << 20, 3000])[1]
    assert list(runtime.locked.values()) == [blocks.nbytes]
    del blocks
    gc.collect()
    # What is written from it keeps it.
    assert runtime.locked
    del piece
    gc.collect()
    assert not runtime.locked
    assert told == []


def test_memory_that_cannot_be_locked_is_used_all_the_same_and_told_once(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    runtime.error = OUT_OF_MEMORY

    def next_kernel(*_: object, **__: object) -> None:
        raise RuntimeError("CUDA error: out of memory")

    monkeypatch.setattr(torch, "ones", next_kernel)
    blocks = HostBlocks(PageLock(CARD, told.append))
    for size in (2 << 20, 9 << 20):
        blocks.cut([size])[0][:] = 1
    assert runtime.tried == 2
    (line,) = told
    assert line == (
        "saves stand still for longer: 2,097,152 bytes of host memory cannot be page-locked: CUDA "
        "error 2"
    )


def test_copies_are_made_behind_training_and_training_goes_on_behind_them(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    streams = Streams()
    streams.install(monkeypatch)
    staging = Staging(CARD, print)
    given = {"a": torch.arange(5.0), "b": [torch.ones(3)]}
    copies = staging.copy(given)
    assert streams.calls == [
        "copies waits for training",
        "event 1 on copies",
        "copy on copies",
        "copy on copies",
        "event 2 on copies",
        "training waits for event 2",
    ]
    found = copies.wait()
    # The thread that writes waits, once.
    assert streams.calls[6:] == ["thread waits for event 2"]
    assert (found["a"].tolist(), found["b"][0].tolist()) == ([0, 1, 2, 3, 4], [1, 1, 1])
    assert copies.device_s == 1.0
