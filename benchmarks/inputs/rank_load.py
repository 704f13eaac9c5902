"""Windows of thousands of ranks, as their workers would send them, without the workers.

Every rank has its own histogram, with at least 1,000 bins that are not empty, and four more
metrics. A window takes no time to make: its body is made beforehand, and what differs from window
to window (ranks, index, steps) is appended to it, which the format of protobuf messages allows.
From window to window ranks exchange bodies, so that each has a different histogram every time, and
the sum of a window is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from raymon.metrics import (
    Accuracy,
    Calibration,
    DecayAUC,
    LogLoss,
    MeanSquaredError,
    TrainMetricWrapper,
)
from raymon.protos.report_pb2 import (
    LossSum,
    RankNumbers,
    Scalar,
    SendingCounts,
    WindowReport,
)
from raymon.results import HOST_BYTES, INPUT_PARTS, PHASES
from raymon.wire import SCHEMA_VERSION, Layout
from raymon.wire.counts import encode_counts
from raymon.wire.fixed_point import encode, units

STEPS = 100
"""Number of steps of a window."""

BINS = 1_000
"""Least number of bins of a histogram that are not empty."""

KINDS = 2
"""Number of sets of bodies, which are used in turns."""

_NUMBERS = (*PHASES, *INPUT_PARTS, HOST_BYTES)


def metrics() -> dict[str, TrainMetricWrapper]:
    """Returns the train metrics of the ranks."""
    return {
        "auc": TrainMetricWrapper(DecayAUC()),
        "log_loss": TrainMetricWrapper(LogLoss()),
        "calibration": TrainMetricWrapper(Calibration()),
        "mean_squared_error": TrainMetricWrapper(MeanSquaredError()),
        "accuracy": TrainMetricWrapper(Accuracy()),
    }


class RankLoad:
    """The windows of some ranks of an attempt.

    Args:
        attempt: Number of the attempt.
        ranks: The ranks.
        seed: Seed of what they measured.

    Attributes:
        layout: Places of the states in a vector of counts.
        sums: By kind of window, the sum of the vectors of counts of all ranks.
    """

    def __init__(self, attempt: int, ranks: Sequence[int], seed: int) -> None:
        self._attempt = attempt
        self._ranks = ranks
        self.layout = Layout.of_metrics(metrics())
        self.sums: list[NDArray[np.int64]] = []
        self._bodies: list[list[bytes]] = []
        rng = np.random.default_rng(seed)
        few = _few_rows(rng)
        for _ in range(KINDS):
            total, bodies = self.layout.empty(), []
            for _ in ranks:
                counts = self._counts(rng, few)
                total += counts
                bodies.append(self._body(counts, float(rng.random())))
            self.sums.append(total)
            self._bodies.append(bodies)

    def window(self, index: int) -> Iterator[bytes]:
        """Yields the messages of window `index`, one for each rank."""
        bodies = self._bodies[index % KINDS]
        shift = index * 7919
        for i, rank in enumerate(self._ranks):
            yield bodies[(i + shift) % len(bodies)] + self._header(rank, index)

    def _header(self, rank: int, index: int) -> bytes:
        return WindowReport(
            ranks=[rank],
            index=index,
            first_step=index * STEPS,
            end_step=(index + 1) * STEPS,
            rank_numbers=RankNumbers(ranks=[rank]),
        ).SerializeToString()

    def _body(self, counts: NDArray[np.int64], loss: float) -> bytes:
        weight = 4096.0 * STEPS
        return WindowReport(
            schema_version=SCHEMA_VERSION,
            attempt=self._attempt,
            samples=4096 * STEPS,
            wall_s=1.0,
            phases=[Scalar(name=name, value=0.3) for name in ("data", "step", "monitor")],
            losses=[
                LossSum(
                    name="binary_cross_entropy",
                    sum=encode(units(loss * weight)),
                    weight=encode(units(weight)),
                )
            ],
            layout=self.layout.fingerprint,
            counts=encode_counts(self.layout, counts),
            learning_rates=[1e-3],
            sending=SendingCounts(sent=1, bytes=4096, in_flight=1, latencies=[0] * 20 + [1]),
            host_bytes=1 << 30,
            # The rank itself is in the header, and both are merged to one.
            rank_numbers=RankNumbers(
                names=_NUMBERS,
                values=np.full(len(_NUMBERS), loss, np.float32).tobytes(),
            ),
        ).SerializeToString()

    def _counts(self, rng: np.random.Generator, few: list[NDArray[np.int64]]) -> NDArray[np.int64]:
        counts = few[rng.integers(len(few))].copy()
        histogram = next(s for s in self.layout.slots if s.state == "histogram")
        bins = histogram.shape[1] - 1  # The last one is that of NaN.
        filled = rng.choice(bins, BINS + 100, replace=False)
        row = bins + 1
        positions = histogram.begin + filled + row * (rng.random(len(filled)) < 0.05)
        counts[histogram.begin : histogram.end] = 0
        counts[positions] = rng.integers(1, 400, len(filled)) << 20
        return counts


def _few_rows(rng: np.random.Generator) -> list[NDArray[np.int64]]:
    """Returns states of the other metrics, made of rows."""
    layout, states = Layout.of_metrics(metrics()), []
    for _ in range(16):
        scores = torch.from_numpy(rng.random(512, dtype=np.float32))
        labels = torch.from_numpy((rng.random(512) < scores.numpy()).astype(np.int64))
        wrappers = metrics()
        for wrapper in wrappers.values():
            wrapper.hand_over()
            wrapper.update(scores, labels)
        states.append(layout.join({name: w.take_window() for name, w in wrappers.items()}))
    return states
