"""States that torchmetrics passes over for a while."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from torchmetrics import Metric


@contextmanager
def hidden_states(metric: Metric, names: Collection[str]) -> Iterator[None]:
    """Resetting, merging and exchanging states within leaves these as they are.

    Of tables that are empty, torchmetrics would copy and send all zeros.

    Args:
        metric: whose states they are.
        names: of the states.
    """
    defaults, reductions = metric._defaults, metric._reductions
    metric._defaults = {name: state for name, state in defaults.items() if name not in names}
    metric._reductions = {name: how for name, how in reductions.items() if name not in names}
    try:
        yield
    finally:
        metric._defaults, metric._reductions = defaults, reductions
