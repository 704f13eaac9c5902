"""Ends a run whose scores do not improve any more."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

from raymon.number_text import number_text
from raymon.protos.train_pb2 import EarlyStoppingConfig


class EarlyStopping:
    """Looks at the scores of every evaluation, which are the same on all ranks, and so is what it
    says of them.

    Args:
        config: Which metric, and how long it may take to improve.

    Attributes:
        best: The best score so far; NaN where there is none.
        best_step: Where that was.
        without: Evaluations since then that say something of the model.
    """

    def __init__(self, config: EarlyStoppingConfig) -> None:
        self._config = config
        self.best = math.nan
        self.best_step = 0
        self.without = 0

    def see(
        self, step: int, scores: Mapping[str, float], without_value: Collection[str] = ()
    ) -> None:
        """Takes the scores of an evaluation. NaN is no improvement.

        Args:
            step: Steps that the model has made.
            scores: By name.
            without_value: Metrics that the rows give no value, as the AUC of one class: such an
                evaluation says nothing of the model, and does not count.
        """
        if self._config.metric in without_value:
            return
        score = scores.get(self._config.metric, math.nan)
        if self._improves(score):
            self.best, self.best_step, self.without = score, step, 0
        else:
            self.without += 1

    @property
    def reason(self) -> str | None:
        """Why the run is to end; None where it is not."""
        config = self._config
        if self.without < config.patience:
            return None
        by = f" by more than {config.min_delta:g}" if config.min_delta else ""
        since = "never was a number"
        if not math.isnan(self.best):
            since = f"did not improve{by} on {number_text(self.best)} of step {self.best_step}"
        return f"{config.metric} {since} in {self.without} evaluations"

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run goes on with."""
        return {
            "metric": self._config.metric,
            "larger_is_better": self._config.larger_is_better,
            "best": self.best,
            "best_step": self.best_step,
            "without": self.without,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on from a state; patience stays that of the config. What was best by another metric
        is forgotten."""
        config = self._config
        if (state["metric"], state["larger_is_better"]) != (config.metric, config.larger_is_better):
            return
        self.best, self.best_step = state["best"], state["best_step"]
        self.without = state["without"]

    def _improves(self, score: float) -> bool:
        if math.isnan(score):
            return False
        if math.isnan(self.best):
            return True
        gain = score - self.best if self._config.larger_is_better else self.best - score
        return gain > self._config.min_delta
