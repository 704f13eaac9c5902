"""The numbers that a run has published so far, for its curves."""

from __future__ import annotations

import math
from collections.abc import Mapping

from raymon.config import TOTAL_LOSS
from raymon.results import AttemptBegan, Evaluation, Published, Snapshot
from raymon.sinks.notebook.svg import Line


class PastNumbers:
    """Losses and metrics by step, of training and of evaluations, as far as they were published."""

    def __init__(self) -> None:
        self._train: dict[int, Mapping[str, float]] = {}
        self._scores: dict[int, Mapping[str, float]] = {}
        self.evaluation: Evaluation | None = None

    def take(self, published: Published) -> None:
        """Adds what was published; an attempt takes back what is past the step it begins at."""
        if isinstance(published, Snapshot):
            # One that was late is published again.
            self._train[published.end_step] = {
                **published.scalars,
                **published.all_losses,
                **published.metrics,
            }
        elif isinstance(published, Evaluation):
            self._scores[published.step] = published.metrics
            self.evaluation = published
        elif isinstance(published, AttemptBegan):
            for known in (self._train, self._scores):
                for step in [step for step in known if step > published.step]:
                    del known[step]
            if self.evaluation is not None and self.evaluation.step not in self._scores:
                self.evaluation = None

    @property
    def names(self) -> list[str]:
        """The numbers that say most first: the total loss, metrics of training, then the others."""
        newest = next(reversed(self._train.values()), {})
        scored = next(reversed(self._scores.values()), {})
        first = [TOTAL_LOSS] if TOTAL_LOSS in {**newest, **scored} else []
        both = [name for name in newest if name in scored]
        total = newest.get(TOTAL_LOSS)
        # The only loss is the total one, too.
        alike = {name for name, value in newest.items() if name != TOTAL_LOSS and value == total}
        return [name for name in dict.fromkeys([*first, *both, *newest, *scored])
                if name not in alike]  # fmt: skip

    def train(self, name: str) -> Line:
        """Returns the values of training."""
        return _line(self._train, name)

    def scores(self, name: str) -> Line:
        """Returns the values of evaluations."""
        return _line(self._scores, name)


def _line(known: Mapping[int, Mapping[str, float]], name: str) -> Line:
    steps = sorted(known)
    if not any(name in known[step] for step in steps):
        return Line()
    return Line(steps, [known[step].get(name, math.nan) for step in steps])
