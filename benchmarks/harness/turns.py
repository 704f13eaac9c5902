"""Turns of contenders, so that the state of the machine is the same for all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

Measured = TypeVar("Measured")


def in_turns(
    contenders: Mapping[str, Callable[[], Measured]], rounds: int
) -> dict[str, list[Measured]]:
    """Calls all contenders in every round, in reverse order every second time.

    Args:
        contenders: Functions that measure each contender once, by name.
        rounds: Number of rounds.

    Returns:
        What was measured in each round, by contender.
    """
    found: dict[str, list[Measured]] = {name: [] for name in contenders}
    for i in range(rounds):
        # The first one finds a colder machine, so they take turns at being first.
        for name in list(contenders)[:: 1 if i % 2 == 0 else -1]:
            found[name].append(contenders[name]())
    return found
