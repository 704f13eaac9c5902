"""The check for a disk that is nearly full."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from raymon.diagnosis.resources.resource import amount
from raymon.results import MODEL_DIR_FREE_BYTES, Finding, RankState, Snapshot

_LEAST_BYTES = 200e6


class FullDisk:
    """Finds that the disk of `model_dir` has nearly no room left, whatever its trend."""

    def __init__(self) -> None:
        self._found: Finding | None = None

    def begin_attempt(self, step: int) -> None:
        """Changes nothing: the disk is the same."""

    def see(self, snapshot: Snapshot) -> None:
        """Looks at what is left."""
        if snapshot.rank_numbers is None:
            return
        column = snapshot.rank_numbers.column(MODEL_DIR_FREE_BYTES)
        known = column[np.isfinite(column)]
        if not len(known):
            return
        free = float(known.min())
        # It is over with twice as much, so that it does not come and go.
        if free >= _LEAST_BYTES * (1 if self._found is None else 2):
            self._found = None
            return
        self._found = Finding(
            "disk_full",
            f"the disk of model_dir has {amount(free, 'B')} left",
            first_step=snapshot.first_step if self._found is None else self._found.first_step,
            last_step=snapshot.end_step - 1,
        )

    def findings(self, ranks: Sequence[RankState], now: float) -> list[Finding]:
        """Returns that it is nearly full, if it is."""
        return [] if self._found is None else [self._found]
