"""A loop with a monitor in a notebook, whose display only keeps what it is given."""

from __future__ import annotations

import logging
import sys
import types
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import torch

import raymon


class ZMQInteractiveShell:
    """What the shell of a kernel is called."""


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The HTML of the one output, from the first drawing to the last."""
    drawn: list[str] = []

    def update(obj: Mapping[str, str], *, raw: bool) -> None:
        drawn.append(obj["text/html"])

    def display(obj: Mapping[str, str], *, raw: bool, display_id: bool) -> Any:
        assert drawn == []
        update(obj, raw=raw)
        return types.SimpleNamespace(update=update)

    ipython = types.SimpleNamespace(get_ipython=ZMQInteractiveShell)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", types.SimpleNamespace(display=display))
    logger = logging.getLogger("raymon")
    before = logger.handlers, logger.level, logger.propagate
    yield drawn
    logger.handlers, logger.level, logger.propagate = before


@pytest.mark.parametrize(
    ("error", "status"), [(None, "done"), (KeyboardInterrupt, "interrupted"), (OSError, "failed")]
)
def test_the_output_says_how_the_loop_ended(
    drawn: list[str], error: type[BaseException] | None, status: str
) -> None:
    def loop() -> None:
        with raymon.Monitor(["auc"], total_steps=40, log_step_count_steps=10) as monitor:
            for _ in range(20):
                labels = torch.tensor([0, 1])
                monitor.step({"bce": torch.tensor(0.25)}, torch.tensor([0.1, 0.9]), labels)
            if error is not None:
                raise error

    if error is None:
        loop()
    else:
        with pytest.raises(error):
            loop()
    assert f">{status}</b>" in drawn[-1]
    assert "50 % 20/40" in drawn[-1]
    assert "loss:0.25000" in drawn[-1]
