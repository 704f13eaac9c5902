"""A context in which torchmetrics does not see some states of a metric."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from torchmetrics import Metric


@contextmanager
def hide_states(metric: Metric, names: Collection[str]) -> Iterator[None]:
    """Hides states, so that resetting, merging and exchanging leave them as they are.

    torchmetrics would copy and send all the zeros of tables that are empty.

    Args:
        metric: Metric that has the states.
        names: Names of the states.
    """
    defaults, reductions = metric._defaults, metric._reductions
    metric._defaults = {name: state for name, state in defaults.items() if name not in names}
    metric._reductions = {name: how for name, how in reductions.items() if name not in names}
    try:
        yield
    finally:
        metric._defaults, metric._reductions = defaults, reductions
