"""The numbers of a run that nobody trained: its windows and evaluations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from raymon.results import Anatomy, Coverage, Evaluation, Snapshot, TableHealth

STEPS = 10
"""Steps of a window."""

WINDOW_S = 0.8
"""Seconds of a window."""

SAMPLES = 40_960
"""Samples of a window."""

DOWN_S = 300.0
"""Seconds between the failure of the first attempt and the second one."""

SHARES = {"data": 0.07, "forward": 0.3, "backward": 0.35, "peers": 0.14, "optimizer": 0.12,
          "monitor": 0.02}  # fmt: skip
"""Seconds of a rank by phase, for each second of steps."""

_TABLES = {"user_id": 2_000_000, "item_id": 300_000}


@dataclass(frozen=True)
class MadeCurves:
    """The numbers of a run, of which each window is the same whenever it is asked for.

    Its losses fall and have peaks of one window, and gaps where they were not finite.

    Attributes:
        windows: Number of its windows.
        ranks: Number of its ranks.
        begin: Seconds since 1970, UTC, at its start.
        seed: Seed of its noise.
        rate: Learning rate at its start.
    """

    windows: int
    ranks: int
    begin: float
    seed: int = 0
    rate: float = 0.003

    @property
    def restart(self) -> int:
        """Window that the second attempt goes on from."""
        return self.windows * 6 // 10

    def time(self, window: int) -> float:
        """Returns the seconds since 1970 at the end of a window."""
        down = DOWN_S if window >= self.restart else 0.0
        return self.begin + 20.0 + (window + 1) * WINDOW_S + down

    @cached_property
    def losses(self) -> NDArray[np.float64]:
        """The loss of each window, `[windows]`; NaN where it was not finite."""
        rng = np.random.default_rng(self.seed)
        fallen = np.linspace(0, 6, self.windows)
        losses = 0.16 + 0.3 * np.exp(-fallen) + rng.normal(0, 0.004, self.windows)
        losses[self.peaks] = 2.5 + rng.random(len(self.peaks))
        first = self.windows // 3
        losses[first : first + max(1, self.windows // 200)] = np.nan
        return np.asarray(losses)

    @property
    def peaks(self) -> list[int]:
        """Windows with a peak of the loss."""
        return [self.windows * part // 100 for part in (23, 47, 81)]

    def auc(self, window: int) -> float:
        """Returns the AUC after a window."""
        return float(0.81 - 0.3 * np.exp(-8.0 * (window + 1) / self.windows)) + 0.002 * self.seed

    def snapshots(self, first: int = 0, end: int | None = None) -> Iterator[Snapshot]:
        """Yields the numbers of the windows [first, end), by default of all of them."""
        rng = np.random.default_rng([self.seed, first])
        for window in range(first, self.windows if end is None else end):
            yield self._snapshot(window, rng.normal(0, 1, 6).tolist())

    def _snapshot(self, window: int, noise: list[float]) -> Snapshot:
        loss = float(self.losses[window % self.windows])
        done = window / self.windows
        seconds = {name: WINDOW_S * share for name, share in SHARES.items()}
        seconds["data"] *= 1 + 0.2 * abs(noise[0])
        slowest = {**seconds, "data": 1.6 * seconds["data"], "peers": 0.02}
        return Snapshot(
            first_step=window * STEPS,
            end_step=(window + 1) * STEPS,
            epoch=int(done * 3),
            samples=SAMPLES,
            samples_total=(window + 1) * SAMPLES,
            seconds=WINDOW_S * (1 + 0.05 * abs(noise[1])),
            losses={"binary_cross_entropy": loss},
            non_finite={} if loss == loss else {"binary_cross_entropy": self.ranks * STEPS},
            first_non_finite={} if loss == loss else {"binary_cross_entropy": (window * STEPS, 0)},
            metrics={"auc": self.auc(window) + 0.001 * noise[2]},
            metric_bounds={"auc": 5e-5},
            window_metrics={"auc": self.auc(window) + 0.004 * noise[3]},
            first_window_weights={"auc": 0.0},
            learning_rates=[self.rate * 0.5**done, self.rate / 3 * 0.5**done],
            gradient_norms={"global_gradient_norm": 0.05 + 0.01 * abs(noise[4])},
            coverage=Coverage(self.ranks, self.ranks, 0.4),
            phases=slowest,
            host_bytes=int(4e9 + 2e9 * done),
            anatomy=Anatomy(dict(SHARES), seconds, 137 % self.ranks, slowest),
            time=self.time(window),
            dense_gradient_norm=0.05 + 0.01 * abs(noise[4]),
            tables={
                name: TableHealth(rows, SAMPLES, SAMPLES * 0.4, done * 0.8, 0.03, 0.2 + done, 0.01)
                for name, rows in _TABLES.items()
            },
        )

    def evaluations(self) -> Iterator[tuple[float, Evaluation]]:
        """Yields the times and scores of 50 evaluations, or of fewer of a short run."""
        every = max(1, self.windows // 50)
        for window in range(every - 1, self.windows, every):
            auc = self.auc(window) - 0.004
            loss = float(np.nan_to_num(self.losses[window], nan=0.2))
            scores = {
                "auc": auc,
                "grouped_auc": auc - 0.03,
                "binary_cross_entropy": min(loss, 0.5) + 0.005,
                "total_loss": min(loss, 0.5) + 0.005,
            }
            details = {"grouped_auc": {"groups": 1500.0, "groups_skipped": 500.0}}
            step = (window + 1) * STEPS
            yield (
                self.time(window),
                Evaluation(step, scores, {"auc": 2e-5}, metric_details=details),
            )


def table_rows() -> list[dict[str, Any]]:
    """Returns what `run.json` and `tables.json` say of the embedding tables."""
    return [
        {"table": f"embeddings.tables.t_{name}", "rows": rows, "dim": 16, "data_type": "FP32",
         "sharding": "row_wise", "kernel": "fused", "ranks": list(range(8)),
         "bytes_a_rank": rows * 16 * 4 // 8}
        for name, rows in _TABLES.items()
    ]  # fmt: skip
