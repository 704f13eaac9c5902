"""A field that trials have different values of, and how values are drawn."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Value = float | int | str
"""A value of a field; a text of a list is kept as it was given."""

Values = Mapping[str, Value]
"""Values of a trial by the paths of the fields."""

_DIGITS = 4
"""Significant digits of drawn numbers, so that what a table shows is what was trained with."""


@dataclass(frozen=True)
class Parameter:
    """A field that is varied.

    Attributes:
        path: Path of the field, `a.0.b` for item 0 of a list.
        place: Path of the parameter in the space, for errors.
        kind: "uniform", "loguniform", "randint", "choice" or "grid".
        low: Least number, of a range.
        high: Largest number, of a range.
        values: Values as text, of a list.
    """

    path: str
    place: str
    kind: str
    low: float = 0
    high: float = 0
    values: tuple[str, ...] = ()

    def samples(self) -> list[Value]:
        """Returns values that show whether all are right: both ends, or every one of a list."""
        if self.values:
            return list(self.values)
        middle = math.sqrt(self.low * self.high) if self.low > 0 else (self.low + self.high) / 2
        return list(dict.fromkeys(self.fit(value) for value in (self.low, middle, self.high)))

    def draw(self, rng: random.Random) -> Value:
        """Returns a value; of a grid too, whose values `draw_trials` takes in turn."""
        if self.values:
            return rng.choice(self.values)
        if self.kind == "randint":
            return rng.randint(int(self.low), int(self.high))
        if self.kind == "loguniform":
            return self.fit(math.exp(rng.uniform(math.log(self.low), math.log(self.high))))
        return self.fit(rng.uniform(self.low, self.high))

    def fit(self, value: float) -> Value:
        """Returns the nearest value of a range that has few digits."""
        if self.kind == "randint":
            return min(max(round(value), int(self.low)), int(self.high))
        return min(max(float(f"{value:.{_DIGITS}g}"), self.low), self.high)


def text_of(value: Value) -> str:
    """Returns a value as it is written after the = of --set."""
    return value if isinstance(value, str) else repr(value)


def draw_trials(parameters: Sequence[Parameter], number: int, seed: int) -> list[dict[str, Value]]:
    """Returns the values of each trial, the same ones whenever it is called.

    The first trials of more are those of fewer.

    Args:
        parameters: What is varied.
        number: Number of trials, a multiple of the combinations of all grids.
        seed: Seed of what is drawn.
    """
    rng = random.Random(seed)
    grids = [parameter for parameter in parameters if parameter.kind == "grid"]
    combinations = list(itertools.product(*(parameter.values for parameter in grids)))
    trials = []
    for index in range(number):
        on_grid = dict(
            zip(
                [parameter.path for parameter in grids],
                combinations[index % len(combinations)],
                strict=True,
            )
        )
        trials.append(
            {p.path: on_grid[p.path] if p.path in on_grid else p.draw(rng) for p in parameters}
        )
    return trials
