"""Whether the network between machines is fast enough for the gradients."""

from __future__ import annotations

from collections.abc import Iterator

from raymon.embeddings import size_text
from raymon.training.doctor.facts import Facts
from raymon.training.doctor.problem import Problem

_SLOW_BYTES_PER_S = 100e6
"""Less than a gigabit a second."""

_SLOW_STEP_S = 0.05
"""Seconds of exchange in a step from which on it is worth a word on a fast network too."""


def check_bandwidth(facts: Facts) -> Iterator[Problem]:
    """Yields links that are slow, or slow for this model."""
    for link in facts.links:
        if link.bytes_per_s is None or link.bytes_per_s <= 0:
            continue
        # Each gradient crosses each link twice in a ring, but for one part.
        dense = facts.model.dense_bytes if facts.model is not None else 0
        exchange_s = 2 * dense / link.bytes_per_s
        if link.bytes_per_s >= _SLOW_BYTES_PER_S and exchange_s < _SLOW_STEP_S:
            continue
        cost = ""
        if dense:
            cost = f": exchanging {size_text(dense)} of gradients takes {exchange_s:.3g} s a step"
        yield Problem(
            "bandwidth",
            f"{link.source} to {link.target}: {size_text(int(link.bytes_per_s))}/s{cost}",
            "put the nodes closer together or on a faster network, or exchange less often "
            "(train_config.gradient_accumulation_steps)",
        )
