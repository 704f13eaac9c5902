"""Ray Train with its default settings, without those that raymon sets for its runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

_SET_BY_RAYMON = ("RAY_TRAIN_HEALTH_CHECK_INTERVAL_S", "RAY_TRAIN_ENABLE_STATE_TRACKING")


@contextmanager
def ray_defaults() -> Iterator[None]:
    """Gives a `fit` Ray's default settings; they are passed on from here to its controller."""
    set_by_raymon = {name: os.environ.pop(name) for name in _SET_BY_RAYMON if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(set_by_raymon)
