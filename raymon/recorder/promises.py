"""How long a rank promises to stay in a phase at most, by how long it did before."""

from __future__ import annotations

from raymon.recorder.phase_clock import Moment
from raymon.results import CHECKPOINT, DATA, EVALUATION, OWN_PHASES, START, STEP_PHASES

_GENEROUS = 30.0
_BY_PHASE = {START: _GENEROUS, CHECKPOINT: _GENEROUS, EVALUATION: 15.0, DATA: 3.0}
"""Least promise of a phase, as a multiple of `hang_after_s`; 1 of those that are not here."""

_TIMES_RECENT, _TIMES_LONGEST = 10.0, 2.0

_RECENT_S = 300.0
"""Seconds for which the longest of a phase is remembered as recent, and at most twice that."""

_PAUSED_S = 3.0
"""Seconds without a look after which the process itself was stopped, or short of CPU."""


class Promises:
    """The promises of one rank, which learn from its own phases.

    A rank promises for a phase the largest of: a multiple of `hang_after_s`; ten times the longest
    that kept its promise lately; twice the longest ever. The first step, in which models are
    compiled and memory is taken, has thirty times `hang_after_s`. The
    time in which the whole process stood still counts for nothing.

    It learns from looks twice a second, and so costs a step nothing: of a phase it knows how long
    that had lasted at the last look.

    Args:
        hang_after_s: Least promise for a phase of a step, in seconds.

    Attributes:
        lasted_s: Seconds that the phase of the last look had lasted, without those in which the
            whole process stood still.
    """

    def __init__(self, hang_after_s: float) -> None:
        self._hang_after_s = hang_after_s
        self._first_step: int | None = None
        self._seen: Moment | None = None
        self.lasted_s = self._seen_at = self._paused_s = 0.0
        self._promised_s = float("inf")
        self._longest: dict[str, float] = {}
        # The longest of the time since `_recent_since`, and of that before.
        self._recent: dict[str, float] = {}
        self._before: dict[str, float] = {}
        self._recent_since = 0.0

    def look(self, moment: Moment, now: float, first_step: int | None = None) -> float:
        """Learns from where the training thread is, and returns its promise for that phase.

        Args:
            moment: Where it is.
            now: The time, in seconds of the clock of `moment`.
            first_step: Steps before the first one of this process; None for those at the first
                look at a step.

        Returns:
            Seconds in the phase within which the rank promises to be in another one.
        """
        last = self._seen
        if last is not None and (last.phase, last.since) != (moment.phase, moment.since):
            self._learn(last.phase)
            self._paused_s = 0.0
        if last is not None and now - self._seen_at > _PAUSED_S:
            self._paused_s += now - max(self._seen_at, moment.since)
        self._seen, self._seen_at = moment, now
        self.lasted_s = now - moment.since - self._paused_s
        if now - self._recent_since > _RECENT_S:
            self._before, self._recent, self._recent_since = self._recent, {}, now
        if self._first_step is None and moment.phase in OWN_PHASES:
            # Many steps may have been made before the first look.
            self._first_step = moment.step if first_step is None else first_step
        self._promised_s = self._promise(moment)
        return self._promised_s

    def _learn(self, phase: str) -> None:
        lasted_s = self.lasted_s
        self._longest[phase] = max(self._longest.get(phase, 0.0), lasted_s)
        # What broke its promise, and the first step, are no measure of what is usual.
        if lasted_s <= self._promised_s and not self._is_first(self._seen):
            self._recent[phase] = max(self._recent.get(phase, 0.0), lasted_s)

    def _promise(self, moment: Moment) -> float:
        phase = moment.phase
        times = _GENEROUS if self._is_first(moment) else _BY_PHASE.get(phase, 1.0)
        recent = max(self._recent.get(phase, 0.0), self._before.get(phase, 0.0))
        longest = self._longest.get(phase, 0.0)
        return max(times * self._hang_after_s, _TIMES_RECENT * recent, _TIMES_LONGEST * longest)

    def _is_first(self, moment: Moment | None) -> bool:
        """Returns whether a phase is in the first step, or waits for other ranks before it."""
        if moment is None or moment.phase not in STEP_PHASES:
            return False
        return self._first_step is None or moment.step == self._first_step
