"""The scores of an evaluation that a loop made itself."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping

from torch import Tensor

from raymon.recorder import LoggedScalars
from raymon.results import Evaluation

_EXACT = "min"
"""The reduction in which a single value stays as it is."""


def evaluation_of(
    scores: Mapping[str, Tensor | float], step: int, on_error: Callable[[Exception], None]
) -> Callable[[], Evaluation] | None:
    """Takes scores without waiting for a device; one that is wrong costs only itself.

    Args:
        scores: Tensors of one number each, on any device, or numbers, by name.
        step: Steps that the model has made.
        on_error: Called with an exception for each score that cannot be taken.

    Returns:
        A function that waits for the scores, on a thread other than the training thread; None if
        there are none.
    """
    taking, now = LoggedScalars(on_error), time.time()
    taking.add(scores, _EXACT)
    if not taking.names:
        return None
    taken = taking.take()

    def wait() -> Evaluation:
        totals = taken.wait()
        values = {name: total.value for (name, _), total in totals.items()}
        lacking = {name for name, value in values.items() if math.isnan(value)}
        why = dict.fromkeys(lacking, "what was given is NaN or infinite")
        return Evaluation(step, values, no_value=why, time=now)

    return wait
