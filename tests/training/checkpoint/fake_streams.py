"""CUDA streams that only record what they are asked for, so that their order can be looked at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch


class Streams:
    """Streams and events in place of those of CUDA; copies are made at once, on the CPU.

    Attributes:
        calls: What was asked for, in order.
    """

    def __init__(self) -> None:
        self.calls: list[str] = []
        self._current = ["training"]

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Puts them in the place of those of CUDA."""
        log, streams = self.calls, self

        class Stream:
            device = torch.device("cuda", 1)

            def __init__(self, device: Any = None, name: str = "copies") -> None:
                self.name = name

            def wait_stream(self, other: Stream) -> None:
                log.append(f"{self.name} waits for {other.name}")

            def wait_event(self, event: Event) -> None:
                log.append(f"{self.name} waits for event {event.number}")

        class Event:
            count = 0

            def __init__(self, enable_timing: bool = False, blocking: bool = False) -> None:
                assert enable_timing
                Event.count += 1
                self.number = Event.count

            def record(self) -> None:
                log.append(f"event {self.number} on {streams._current[-1]}")

            def synchronize(self) -> None:
                log.append(f"thread waits for event {self.number}")

            def elapsed_time(self, other: Event) -> float:
                return 1000.0 * (other.number - self.number)

        @contextmanager
        def on(stream: Stream) -> Iterator[None]:
            streams._current.append(stream.name)
            try:
                yield
            finally:
                streams._current.pop()

        monkeypatch.setattr(torch.cuda, "Stream", Stream)
        monkeypatch.setattr(torch.cuda, "Event", Event)
        monkeypatch.setattr(torch.cuda, "stream", on)
        monkeypatch.setattr(
            torch.cuda, "current_stream", lambda device: Stream(name=streams._current[-1])
        )
        copy = torch.Tensor.copy_

        def copy_(self: Any, other: Any, non_blocking: bool = False) -> Any:
            assert non_blocking
            log.append(f"copy on {streams._current[-1]}")
            return copy(self, other)

        monkeypatch.setattr(torch.Tensor, "copy_", copy_)
