"""Trains PyTorch models on Ray and shows the true numbers of the whole cluster meanwhile."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from raymon.errors import ConfigError, DataError, RaymonError, RunError, TrainingError, UserError
from raymon.former_paths import FormerPaths
from raymon.version import __version__

if TYPE_CHECKING:
    from raymon.config import allow_custom_classes
    from raymon.metrics import register_metric
    from raymon.monitor import Monitor
    from raymon.reporter import Summary
    from raymon.runs import Run
    from raymon.sinks import ProgressLogger
    from raymon.training.checkpoint.best import best_checkpoint, latest_checkpoint
    from raymon.training.evaluate_run import evaluate_run
    from raymon.training.train import train
    from raymon.tuning import SweepResult, tune

__all__ = [
    "ConfigError",
    "DataError",
    "Monitor",
    "ProgressLogger",
    "RaymonError",
    "Run",
    "RunError",
    "Summary",
    "SweepResult",
    "TrainingError",
    "UserError",
    "__version__",
    "allow_custom_classes",
    "best_checkpoint",
    "evaluate_run",
    "latest_checkpoint",
    "register_metric",
    "train",
    "tune",
]

_HOMES = {
    "Monitor": "raymon.monitor.monitor",
    "ProgressLogger": "raymon.sinks",
    "Run": "raymon.runs",
    "Summary": "raymon.reporter",
    "SweepResult": "raymon.tuning",
    "allow_custom_classes": "raymon.config.custom",
    "best_checkpoint": "raymon.training.checkpoint.best",
    "evaluate_run": "raymon.training.evaluate_run",
    "latest_checkpoint": "raymon.training.checkpoint.best",
    "register_metric": "raymon.metrics",
    "train": "raymon.training.train",
    "tune": "raymon.tuning",
}


sys.meta_path.append(FormerPaths())


def __getattr__(name: str) -> Any:
    # Imported at first use, so that a program that needs one part does not import the others.
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
