"""Trains PyTorch models on Ray and shows the true numbers of the whole cluster meanwhile."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from raymon.errors import ConfigError, DataError, RaymonError, RunError, TrainingError, UserError

if TYPE_CHECKING:
    from raymon.training import Summary, evaluate_run, train

__version__ = version("raymon")

__all__ = [
    "ConfigError",
    "DataError",
    "RaymonError",
    "RunError",
    "Summary",
    "TrainingError",
    "UserError",
    "__version__",
    "evaluate_run",
    "train",
]

_OF_TRAINING = ("Summary", "evaluate_run", "train")


def __getattr__(name: str) -> Any:
    # Parts of raymon work without Ray and are imported without it.
    if name in _OF_TRAINING:
        from raymon import training

        return getattr(training, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
