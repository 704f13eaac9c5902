"""Contenders that take turns, so that all of them share the mood of the machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

Measured = TypeVar("Measured")


def in_turns(
    contenders: Mapping[str, Callable[[], Measured]], rounds: int
) -> dict[str, list[Measured]]:
    """Calls all contenders in every round, every second time the other way round.

    Args:
        contenders: By name, what measures them once.
        rounds: How often.

    Returns:
        By contender, what was measured in each round.
    """
    found: dict[str, list[Measured]] = {name: [] for name in contenders}
    for i in range(rounds):
        # Whoever comes first finds a colder machine, so they take turns at that too.
        for name in list(contenders)[:: 1 if i % 2 == 0 else -1]:
            found[name].append(contenders[name]())
    return found
