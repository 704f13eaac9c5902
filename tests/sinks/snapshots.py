"""A snapshot for tests of sinks."""

from typing import Any

from raymon.results import Coverage, Snapshot


def snapshot(end_step: int, **changes: Any) -> Snapshot:
    """Returns the ten steps before `end_step`, of two ranks."""
    values: dict[str, Any] = {
        "first_step": end_step - 10,
        "end_step": end_step,
        "epoch": 0,
        "samples": 2000,
        "samples_total": 200 * end_step,
        "seconds": 0.5,
        "losses": {"binary_cross_entropy": 0.52341},
        "non_finite": {},
        "metrics": {"auc": 0.71234},
        "metric_bounds": {"auc": 1e-6},
        "learning_rates": (0.001,),
        "gradient_norms": {},
        "coverage": Coverage(2, 2, 0.1),
    }
    return Snapshot(**{**values, **changes})
