"""A run of raymon as its users have it, on workers of Ray Train."""

from __future__ import annotations

import contextlib
import io
import math
import time
from pathlib import Path

from benchmarks.contenders.click_task import WORKERS, Trained, pipeline


def watched(data: Path, model_dir: Path, workers: int = WORKERS) -> Trained:
    """Runs raymon once."""
    import raymon

    # The log lines are made as for a user, but not shown.
    with contextlib.redirect_stderr(io.StringIO()):
        began = time.perf_counter()
        summary = raymon.train(pipeline(data, model_dir, workers))
        wall_s = time.perf_counter() - began
    return Trained(
        summary.samples or 0,
        summary.train_s or math.nan,
        wall_s,
        summary.train_metrics.get("total_loss", math.nan),
    )
