"""Schedules of learning rates: each a pure function of a count, so that a resume is exact.

The count n is the number of steps of the run, each a batch on every worker, or with `by_epoch` the
number of completed epochs; base is the `lr` of the optimizer. A base of 0 stays 0.
With a warm-up of W steps from rate w, the rate of n < W is w + (base - w) n / W, and the formulas
below hold for m = n - W.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable
from typing import Any, Protocol

import torch

from raymon.protos import optimizer_pb2 as pb

Rate = Callable[[int, float], float]
"""Learning rate as a function of n and base."""

OptimizerBlock = pb.DenseOptimizer | pb.PartOptimizer | pb.SparseOptimizer


class _WarmedUp(Protocol):
    @property
    def warmup_learning_rate(self) -> float: ...
    @property
    def warmup_size(self) -> int: ...


class Schedule:
    """Sets the learning rate of an optimizer, from the first step on.

    `torch.optim.lr_scheduler.LambdaLR` would multiply the base with a factor, which gives another
    float in up to 144 of 2,000 steps (cosine with restarts from 0.0123); a resumed run would not
    continue bit for bit.

    Args:
        optimizer: Optimizer whose present learning rate is the base.
        rate: Learning rate as a function of the count.
        by_epoch: Whether epochs are counted instead of steps.
    """

    def __init__(self, optimizer: torch.optim.Optimizer, rate: Rate, by_epoch: bool) -> None:
        self._optimizer = optimizer
        self._base: float = optimizer.param_groups[0]["lr"]
        self._rate = rate
        self._by_epoch = by_epoch
        self._count = 0
        self._apply()

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step."""
        return self._rate(self._count, self._base) if self._base else 0.0

    def step(self) -> None:
        """Advances a schedule that counts steps; called after each step of the run."""
        if not self._by_epoch:
            self._advance()

    def end_epoch(self) -> None:
        """Advances a schedule that counts epochs; called after each epoch."""
        if self._by_epoch:
            self._advance()

    def state_dict(self) -> dict[str, Any]:
        """Returns the count: rates only depend on it and the config."""
        return {"count": self._count}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continues from a state; called after the state of the optimizer was loaded."""
        self._count = int(state["count"])
        self._apply()

    def _advance(self) -> None:
        self._count += 1
        self._apply()

    def _apply(self) -> None:
        for group in self._optimizer.param_groups:
            group["lr"] = self.learning_rate


def build_schedule(block: OptimizerBlock, optimizer: torch.optim.Optimizer) -> Schedule:
    """Returns the schedule of an optimizer block; if the block has none, a constant rate."""
    kind = block.WhichOneof("learning_rate")
    if kind == "exponential_decay_learning_rate":
        exponential = block.exponential_decay_learning_rate
        rate = _warmed_up(exponential, exponential_decay(exponential))
        return Schedule(optimizer, rate, exponential.by_epoch)
    if kind == "manual_step_learning_rate":
        manual = block.manual_step_learning_rate
        return Schedule(optimizer, manual_step(manual), manual.by_epoch)
    if kind == "cosine_annealing_learning_rate":
        cosine = block.cosine_annealing_learning_rate
        rate = _warmed_up(cosine, cosine_annealing(cosine))
        return Schedule(optimizer, rate, cosine.by_epoch)
    if kind == "cosine_annealing_warm_restarts_learning_rate":
        restarts = block.cosine_annealing_warm_restarts_learning_rate
        rate = _warmed_up(restarts, cosine_annealing_warm_restarts(restarts))
        return Schedule(optimizer, rate, restarts.by_epoch)
    return Schedule(optimizer, lambda n, base: base, by_epoch=False)


def exponential_decay(config: pb.ExponentialDecayLR) -> Rate:
    """Returns the rate max(base * decay_factor ** (m / decay_size), min_learning_rate).

    With `staircase` the exponent is rounded down.
    """

    def rate(m: int, base: float) -> float:
        exponent = m // config.decay_size if config.staircase else m / config.decay_size
        return max(base * config.decay_factor**exponent, config.min_learning_rate)

    return rate


def manual_step(config: pb.ManualStepLR) -> Rate:
    """Returns the rate that is base, then learning_rates[i] while n > schedule_sizes[i].

    With `warmup` the rate rises linearly from base at 0 to learning_rates[0] at schedule_sizes[0].
    """
    sizes, rates = list(config.schedule_sizes), list(config.learning_rates)

    def rate(n: int, base: float) -> float:
        passed = bisect.bisect_left(sizes, n)
        if passed > 0:
            return rates[passed - 1]
        return base + (rates[0] - base) * n / sizes[0] if config.warmup else base

    return rate


def cosine_annealing(config: pb.CosineAnnealingLR) -> Rate:
    """Returns the rate min + (base - min) (1 + cos(pi m / T_max)) / 2 up to T_max, then min.

    Loshchilov and Hutter 2017, SGDR, equation 5, without restarts.
    """

    def rate(m: int, base: float) -> float:
        return _cosine(min(m / config.T_max, 1.0), base, config.min_learning_rate)

    return rate


def cosine_annealing_warm_restarts(config: pb.CosineAnnealingWarmRestartsLR) -> Rate:
    """Returns the cosine from base to min over T_0, then over periods each T_mult times as long.

    Loshchilov and Hutter 2017, SGDR, equation 5.
    """

    def rate(m: int, base: float) -> float:
        period, start = config.T_0, 0
        if config.T_mult == 1:
            start = m - m % period
        else:
            while m >= start + period:
                start += period
                period *= config.T_mult
        return _cosine((m - start) / period, base, config.min_learning_rate)

    return rate


def _cosine(share: float, base: float, minimum: float) -> float:
    return minimum + (base - minimum) * (1 + math.cos(math.pi * share)) / 2


def _warmed_up(config: _WarmedUp, after: Rate) -> Rate:
    size, first = config.warmup_size, config.warmup_learning_rate

    def rate(n: int, base: float) -> float:
        if n < size:
            return first + (base - first) * n / size
        return after(n - size, base)

    return rate
