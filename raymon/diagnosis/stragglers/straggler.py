"""A rank that is slower than the others."""

from __future__ import annotations

from dataclasses import dataclass

from raymon.number_text import count_text
from raymon.results import Finding

STRAGGLER, SLOW_ONCE = "straggler", "slow_once"


@dataclass(frozen=True)
class Straggler:
    """A rank that is slower than the others, for some windows or in one alone.

    Attributes:
        rank: Number of the rank.
        phase: Phase in which it is slower the most.
        first_step: Step from which on it is slower.
        end_step: Step that follows the last one in which it is.
        excess_s: Seconds by which its own work in a step takes longer than that of the others.
        step_s: Seconds of a step.
        lost_s: Seconds that the cluster would have saved if it were as the others are.
        cost: Samples per second that it costs the cluster.
        share: Share of the time of the steps that it costs.
        is_over: Whether it is slower no more.
        is_once: Whether it was slower once alone.
    """

    rank: int
    phase: str
    first_step: int
    end_step: int
    excess_s: float
    step_s: float
    lost_s: float
    cost: float
    share: float
    is_over: bool = False
    is_once: bool = False

    def finding(self, host: str | None = None) -> Finding:
        """Returns what is said of it.

        Args:
            host: Host of the rank, if it is known.
        """
        who = f"rank {self.rank}" + (f" on {host}" if host else "")
        how = f"by {_time(self.excess_s)} of a step of {_time(self.step_s)}, in {self.phase}"
        steps = f"from step {self.first_step:,} to {self.end_step:,}"
        cost = (
            f"{count_text(self.cost)} samples/s ({self.share * 100:.0f} % of the time of those "
            "steps)"
        )
        if self.is_once:
            text = f"{who} was slower once, {how}, {steps}; that cost {self.lost_s:.1f} s"
        elif self.is_over:
            text = f"{who} was slower than the others {how}, {steps}; that cost the cluster {cost}"
        else:
            text = (
                f"{who} is slower than the others {how}, since step {self.first_step:,}; that "
                f"costs the cluster {cost}"
            )
        return Finding(
            SLOW_ONCE if self.is_once else STRAGGLER,
            text,
            rank=self.rank,
            host=host,
            phase=self.phase,
            first_step=self.first_step,
            last_step=self.end_step - 1,
            cost=self.cost,
        )


def _time(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.3g} ms"
