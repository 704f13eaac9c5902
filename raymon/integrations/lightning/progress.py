"""How far a `Trainer` is, in batches."""

from __future__ import annotations

import math
from typing import Any


def batches_before(trainer: Any) -> int:
    """Returns the number of batches that were trained on before, also by an earlier process."""
    # A checkpoint is also saved before the batch after which it is saved counts as completed.
    return int(trainer.fit_loop.epoch_loop.batch_progress.total.processed)


def batches_of_run(trainer: Any) -> int | None:
    """Returns the number of batches of the whole run; None if it is not known.

    Args:
        trainer: A `Trainer` whose data are loaded.
    """
    limits: list[float] = []
    if trainer.max_epochs not in (None, -1):
        limits.append(trainer.max_epochs * trainer.num_training_batches)
    if trainer.max_steps not in (None, -1):
        if not trainer.lightning_module.automatic_optimization:
            return None  # a batch may be any number of steps
        limits.append(trainer.max_steps * trainer.accumulate_grad_batches)
    total = min(limits, default=math.inf)
    return None if math.isinf(total) or total < 1 else int(total)
