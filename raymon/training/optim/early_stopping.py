"""Ends a run whose scores stop improving."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

from raymon.number_text import number_text
from raymon.protos.train_pb2 import EarlyStoppingConfig


class EarlyStopping:
    """Decides from the scores of each evaluation whether a run goes on.

    The scores are the same on all ranks, and therefore the decision is too.

    Args:
        config: The metric, and how many evaluations it may take to improve.

    Attributes:
        best: Best score so far; NaN if there is none.
        best_step: Step of the best score.
        without: Number of evaluations since `best_step` that count and did not improve.
    """

    def __init__(self, config: EarlyStoppingConfig) -> None:
        self._config = config
        self.best = math.nan
        self.best_step = 0
        self.without = 0

    def observe(
        self, step: int, scores: Mapping[str, float], without_value: Collection[str] = ()
    ) -> None:
        """Takes the scores of an evaluation. NaN is no improvement.

        Args:
            step: Steps that the model has made.
            scores: Scores by name.
            without_value: Metrics that these rows cannot have, such as the AUC of one class: such
                an evaluation says nothing about the model, and does not count.
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
        """Why the run should end; None if it should continue."""
        config = self._config
        if self.without < config.patience:
            return None
        by = f" by more than {config.min_delta:g}" if config.min_delta else ""
        since = "never was a number"
        if not math.isnan(self.best):
            since = f"did not improve{by} on {number_text(self.best)} of step {self.best_step}"
        return f"{config.metric} {since} in {self.without} evaluations"

    def state_dict(self) -> dict[str, Any]:
        """Returns the state that a resumed run continues from."""
        return {
            "metric": self._config.metric,
            "larger_is_better": self._config.larger_is_better,
            "best": self.best,
            "best_step": self.best_step,
            "without": self.without,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Loads a state, unless it is of another metric; patience stays that of the config."""
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
