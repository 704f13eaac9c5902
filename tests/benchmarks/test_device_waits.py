"""Which lines count as waits for a GPU, as CUDA would tell of them."""

from __future__ import annotations

import threading
import warnings
from pathlib import Path

import pytest
import torch

from benchmarks.harness.device_waits import waits_of_this_thread
from tests.benchmarks.quick import ROOT

HERE = str(Path(__file__).relative_to(ROOT))


@pytest.fixture(autouse=True)
def modes(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What CUDA is asked for; there is none."""
    modes: list[object] = []
    monkeypatch.setattr(torch.cuda, "get_sync_debug_mode", lambda: 0)
    monkeypatch.setattr(torch.cuda, "set_sync_debug_mode", modes.append)
    return modes


def wait() -> None:
    warnings.warn("called a synchronizing CUDA operation (Triggered at ...)", stacklevel=1)


def test_each_wait_counts_at_its_line(modes: list[object]) -> None:
    with waits_of_this_thread() as found:
        for _ in range(3):
            wait()
        warnings.warn("something else", stacklevel=1)
    line = wait.__code__.co_firstlineno + 1
    assert found == {f"{HERE}:{line}": 3}
    assert modes == ["warn", 0]


def test_threads_that_are_there_to_wait_do_not_count() -> None:
    with waits_of_this_thread() as found:
        other = threading.Thread(target=wait)
        other.start()
        other.join()
    assert not found


def test_a_wait_in_torch_counts_at_the_line_that_calls_it() -> None:
    of_torch = compile("def call(f): f()", "/site-packages/torch/amp.py", "exec")
    names: dict[str, object] = {}
    exec(of_torch, names)
    with waits_of_this_thread() as found:
        call = names["call"]
        assert callable(call)
        call(lambda: warnings.warn("called a synchronizing CUDA operation", stacklevel=2))
    (place,) = found
    assert place.startswith(f"{HERE}:")
