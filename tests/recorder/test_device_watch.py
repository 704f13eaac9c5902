"""Numbers of a device are those of allocator and driver, never one that nobody measured."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from raymon.protos.report_pb2 import WindowReport
from raymon.recorder import Outbox, Window
from raymon.recorder import outbox as outbox_module
from raymon.recorder.device_watch import DeviceWatch
from raymon.results import DeviceNumbers
from tests.recorder.test_outbox import Reporter, windows

CUDA = torch.device("cuda", 1)


class Card:
    """The counters of a card, by the names of `torch.cuda.memory_stats`."""

    def __init__(self) -> None:
        self.allocated = self.peak = self.reserved = 0
        self.uses: list[int] = []
        self.now = 0.0
        self.resets = 0

    def set(self, allocated: int, reserved: int) -> None:
        self.allocated, self.reserved = allocated, reserved
        self.peak = max(self.peak, allocated)

    def memory(self, device: torch.device) -> dict[str, int]:
        assert device == CUDA
        return {
            "allocated_bytes.all.current": self.allocated,
            "allocated_bytes.all.peak": self.peak,
            "reserved_bytes.all.current": self.reserved,
            "num_ooms": 0,
        }

    def reset(self, device: torch.device) -> None:
        self.peak = self.allocated
        self.resets += 1

    def use(self, device: torch.device) -> int:
        return self.uses.pop(0)

    def watch(self, **changes: Any) -> DeviceWatch:
        made = {
            "memory": self.memory, "reset_peak": self.reset, "use": self.use,
            "clock": lambda: self.now,
        }  # fmt: skip
        return DeviceWatch(CUDA, **{**made, **changes})


def test_memory_is_that_of_the_window() -> None:
    card = Card()
    watch = card.watch(use=None)
    card.set(50, 80)
    card.set(20, 80)
    assert watch.take() == DeviceNumbers(50, 20, 80)
    card.set(30, 90)
    assert watch.take() == DeviceNumbers(30, 30, 90)
    assert card.resets == 2


def test_the_use_is_the_mean_of_samples_that_are_half_a_second_apart() -> None:
    card = Card()
    card.uses = [40, 80, 90]
    watch = card.watch()
    for now in (0.0, 0.2, 0.4, 0.6, 0.8):
        card.now = now
        watch.sample()
    first = watch.take()
    assert first is not None
    assert (first.busy_percent, first.samples, first.utilization) == (120, 2, 0.6)
    # A window that ends right after another has no sample of its own, and so no use.
    second = watch.take()
    assert second is not None
    assert second.utilization is None
    card.now = 2.0
    third = watch.take()
    assert third is not None
    assert third.utilization == 0.9


def test_where_nvml_is_not_there_memory_is_all() -> None:
    asked = []

    def missing(device: torch.device) -> int:
        asked.append(device)
        raise ModuleNotFoundError("nvidia-ml-py does not seem to be installed")

    card = Card()
    watch = card.watch(use=missing)
    card.set(5, 6)
    for _ in range(3):
        card.now += 1
        watch.sample()
    numbers = watch.take()
    assert numbers == DeviceNumbers(5, 5, 6)
    assert numbers.figures()["device_utilization"] is None
    assert asked == [CUDA]


def test_a_cpu_has_no_numbers() -> None:
    card = Card()
    watch = DeviceWatch(torch.device("cpu"), memory=card.memory, use=card.use)
    watch.sample()
    assert watch.take() is None


def test_a_process_that_has_nothing_on_the_device_has_no_numbers() -> None:
    assert Card().watch(memory=lambda device: {}, use=None).take() is None


def sent(device: torch.device, monkeypatch: pytest.MonkeyPatch, card: Card) -> list[WindowReport]:
    monkeypatch.setattr(
        outbox_module, "DeviceWatch", lambda device: card.watch() if device == CUDA else
        DeviceWatch(device)
    )  # fmt: skip
    reporter = Reporter()
    outbox = Outbox(reporter, lambda ack: None, device)
    window: Window
    for window in windows(2):
        outbox.put(window)
    assert outbox.close(10)
    return reporter.reports


def test_a_window_has_the_numbers_of_its_device(monkeypatch: pytest.MonkeyPatch) -> None:
    card = Card()
    card.uses = [50] * 100
    card.set(7, 9)
    for report in sent(CUDA, monkeypatch, card):
        assert (report.device.max_bytes, report.device.reserved_bytes) == (7, 9)
    for report in sent(torch.device("cpu"), monkeypatch, card):
        assert not report.HasField("device")


def test_a_device_that_cannot_be_asked_costs_no_window(monkeypatch: pytest.MonkeyPatch) -> None:
    card = Card()
    monkeypatch.setattr(Card, "reset", lambda *_: 1 / 0)
    first, second = sent(CUDA, monkeypatch, card)
    assert not first.HasField("device")
    assert second.failures == 1
    assert "ZeroDivisionError" in next(iter(second.failure_reasons))
