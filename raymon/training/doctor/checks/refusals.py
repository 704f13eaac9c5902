"""Whether something refuses the run before it starts."""

from __future__ import annotations

from collections.abc import Iterator

from raymon.training.doctor.facts import Facts
from raymon.training.doctor.problem import Problem


def check_refusals(facts: Facts) -> Iterator[Problem]:
    """Yields what `raymon train` would refuse; its line has the remedy too."""
    for text, remedy in facts.refusals:
        yield Problem("config", text, remedy, is_fatal=True)
