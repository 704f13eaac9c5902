"""Which known configs train, and what the others are refused for."""

from __future__ import annotations

TRAINED: frozenset[str] = frozenset(
    [
        "examples/deepfm_criteo",
        "examples/dlrm_criteo",
        "benchmarks/criteo/dlrm",
    ]
)
"""Names of the configs that train, are resumed, evaluated, exported and predict."""
