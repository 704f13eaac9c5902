"""The check for losses and gradients that are NaN or infinite."""

from __future__ import annotations

import math
from collections.abc import Sequence

from raymon.results import Finding, RankState, Snapshot

NON_FINITE = "nonfinite"


class NonFinite:
    """Finds losses, and norms of gradients, that are NaN or infinite, while they are so."""

    def __init__(self) -> None:
        self._on: dict[str, Finding] = {}

    def begin_attempt(self, step: int) -> None:
        """Forgets what was found: those steps are made again."""
        self._on = {}

    def see(self, snapshot: Snapshot) -> None:
        """Looks at the losses and gradients of the newest steps."""
        found: dict[str, Finding] = {}
        for name, count in snapshot.non_finite.items():
            values = f"{count:,} values" if count > 1 else "1 value"
            first = snapshot.first_non_finite.get(name)
            where = "" if first is None else f", first on rank {first[1]} in step {first[0]}"
            what = f"{values} of {name} NaN or infinite{where}"
            found[name] = self._finding(name, snapshot, what, first)
        # In FP16 a scaled loss overflows now and then, and that step is skipped: no trouble.
        overflows = snapshot.loss_scale is not None and snapshot.skipped_steps > 0
        norms = {} if overflows else dict(snapshot.gradient_norms)
        if snapshot.dense_gradient_norm is not None and snapshot.loss_scale is None:
            norms["dense_gradient_norm"] = snapshot.dense_gradient_norm
        # Those of a loss that is not finite are not either, which is one trouble and not two.
        for name, norm in norms.items():
            if not snapshot.non_finite and not math.isfinite(norm):
                found[name] = self._finding(name, snapshot, f"{name} is {norm}")
        self._on = found

    def findings(self, ranks: Sequence[RankState], now: float) -> list[Finding]:
        """Returns what is not finite in the newest steps."""
        return list(self._on.values())

    def _finding(
        self, name: str, snapshot: Snapshot, what: str, first: tuple[int, int] | None = None
    ) -> Finding:
        before = self._on.get(name)
        step, rank = first or (snapshot.first_step, None)
        return Finding(
            NON_FINITE,
            f"{what} in steps {snapshot.first_step} to {snapshot.end_step}"
            if first is None
            else what,
            rank=before.rank if before else rank,
            first_step=before.first_step if before else step,
            last_step=snapshot.end_step - 1,
            subject=name,
            of_steps=True,
        )
