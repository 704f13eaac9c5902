"""Steps that the public `raymon.Monitor` watches, with all that it starts and writes."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

import raymon
from benchmarks.contenders.clicks import Clicks, Times, timed

MONITOR = "raymon.Monitor"
"""Name of the contender."""


def monitored_steps(steps: int, directory: Path) -> Times:
    """Returns the seconds of watched steps.

    Args:
        steps: Number of steps.
        directory: Directory of the run.
    """
    model = Clicks()
    monitor = raymon.Monitor(["auc"], model_dir=directory, optimizer=model.optimizer)

    def step(rows: Tensor, clicks: Tensor) -> None:
        loss, predictions = model.step(rows, clicks)
        monitor.step({"binary_cross_entropy": loss}, predictions, clicks)

    times = timed(steps, step)
    monitor.close()
    return times
