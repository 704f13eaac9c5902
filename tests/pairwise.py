"""Few combinations of many choices."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence


def pairwise(factors: Mapping[str, Sequence[str]]) -> list[dict[str, str]]:
    """Returns combinations in which any two choices of two factors are together at least once.

    What fails by itself, or by two things that do not fit together, fails in one of them; all
    combinations would be many times more. The next one is always that with the most new pairs.
    """
    candidates = [
        dict(zip(factors, choices, strict=True)) for choices in itertools.product(*factors.values())
    ]
    pairs = [set(itertools.combinations(candidate.items(), 2)) for candidate in candidates]
    missing, chosen = set().union(*pairs), []
    while missing:
        best = max(range(len(candidates)), key=lambda index: len(pairs[index] & missing))
        chosen.append(candidates[best])
        missing -= pairs[best]
    return chosen
