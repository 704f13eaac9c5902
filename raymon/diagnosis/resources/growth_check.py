"""The check for resources that grow until they are full before a run ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from raymon.diagnosis.resources.history import History
from raymon.diagnosis.resources.resource import RESOURCES, Resource, amount
from raymon.diagnosis.resources.trend import lasting
from raymon.results import Finding, Key, RankNumbers, RankState, Snapshot

Reals = NDArray[np.float64]

_LEAST_POINTS = 16
_LEAST_S, _MOST_S = 75.0, 600.0
_OF_TIME_LEFT = 1.0
"""Seconds that have to be seen: as many as are left until it is full, within these limits."""

_HORIZON_S = 24 * 3600.0
"""Seconds that are looked ahead where it is not known when the run ends."""

_LOOKS_AGAIN = 3
"""Looks in a row without a trend after which one is over."""


class GrowthCheck:
    """Finds what each rank uses more and more of, so that it is full before the run ends.

    Args:
        total_steps: Steps of the run; None if they are not known.
    """

    settle_s = _MOST_S + 300.0
    """Seconds that it takes to find after a restart what it had found before."""

    kinds = tuple(resource.kind for resource in RESOURCES)
    """Kinds of its findings."""

    def __init__(self, total_steps: int | None = None) -> None:
        self._total_steps = total_steps
        self._ranks: tuple[int, ...] = ()
        self._history = History()
        self._found: dict[Key, Finding] = {}
        self._missed: dict[Key, int] = {}

    def begin_attempt(self, step: int) -> None:
        """Forgets everything: the processes are other ones."""
        self._ranks, self._history = (), History()
        self._found, self._missed = {}, {}

    def see(self, snapshot: Snapshot) -> None:
        """Looks at what each rank uses."""
        numbers = snapshot.rank_numbers
        if numbers is None or snapshot.time <= 0:
            return
        if numbers.ranks != self._ranks:
            self.begin_attempt(snapshot.end_step)
            self._ranks = numbers.ranks
        names = [name for r in RESOURCES for name in (r.used, r.free) if name is not None]
        values = np.stack([numbers.column(name).astype(np.float64) for name in names])
        if self._history.add(snapshot.time, snapshot.end_step, values.ravel()):
            self._judge(snapshot, numbers)

    def findings(self, ranks: Sequence[RankState], now: float) -> list[Finding]:
        """Returns what will be full before the run ends."""
        hosts = {state.rank: state.host for state in ranks if state.host}
        return [self._at_host(finding, hosts) for finding in self._found.values()]

    def _judge(self, snapshot: Snapshot, numbers: RankNumbers) -> None:
        if len(self._history) < _LEAST_POINTS:
            return
        times, count = self._history.times, len(numbers.ranks)
        whole = self._history.values
        found: dict[Key, Finding] = {}
        begin = 0
        for resource in RESOURCES:
            used, begin = self._take(resource.used, whole, begin, count)
            free, begin = self._take(resource.free, whole, begin, count)
            if free is None:
                continue
            grows = -free if used is None else used
            known = np.flatnonzero(np.isfinite(grows).all(axis=0) & np.isfinite(free[-1]))
            known = known[:1] if resource.is_shared else known
            # All ranks at once: one after the other they would take a second if they are many.
            slopes = lasting(times, grows[:, known])
            rises = grows[-1, known] - grows[len(times) // 3, known]
            for i, slope, rise in zip(known, slopes, rises, strict=True):
                if slope <= 0 or rise < resource.least:
                    continue
                finding = self._finding(resource, int(i), times, slope, free[-1, i], snapshot)
                if finding is not None:
                    found[finding.key] = finding
        self._keep(found)

    def _take(
        self, name: str | None, whole: Reals, begin: int, count: int
    ) -> tuple[Reals | None, int]:
        if name is None:
            return None, begin
        return whole[:, begin : begin + count], begin + count

    def _keep(self, found: dict[Key, Finding]) -> None:
        # A trend is not seen at every look: it is over once it was not seen several times.
        for key, before in self._found.items():
            if key in found:
                self._missed[key] = 0
            else:
                self._missed[key] = self._missed.get(key, 0) + 1
                if self._missed[key] < _LOOKS_AGAIN:
                    found[key] = before
        self._found = found

    def _finding(
        self,
        resource: Resource,
        i: int,
        times: Reals,
        slope: float,
        free: float,
        snapshot: Snapshot,
    ) -> Finding | None:
        seen_s = times[-1] - times[0]
        left_s = max(0.0, free) / slope
        if seen_s < max(_LEAST_S, min(_MOST_S, _OF_TIME_LEFT * left_s)):
            return None
        ends_s = self._seconds_to_end(snapshot.end_step)
        if left_s >= (_HORIZON_S if ends_s is None else ends_s):
            return None
        rank = None if resource.is_shared else self._ranks[i]
        of = "" if rank is None else f" of rank {rank}"
        ends = "" if ends_s is None else f", before the run ends at {_date(times[-1] + ends_s)}"
        rate = amount(slope * 3600, resource.unit)
        before = self._found.get((resource.kind, rank, ""))
        verb = "fills" if resource.used is None else "grows"
        return Finding(
            resource.kind,
            f"{resource.words}{of} {verb} by {rate}/h; it is full at {_date(times[-1] + left_s)}"
            f"{ends}",
            rank=rank,
            first_step=snapshot.first_step if before is None else before.first_step,
            last_step=snapshot.end_step - 1,
        )

    def _seconds_to_end(self, step: int) -> float | None:
        each = self._history.seconds_per_step
        if self._total_steps is None or each is None:
            return None
        return max(0, self._total_steps - step) * each

    def _at_host(self, finding: Finding, hosts: dict[int, str]) -> Finding:
        host = None if finding.rank is None else hosts.get(finding.rank)
        return finding if host is None else replace(finding, host=host)


def _date(time: float) -> str:
    return f"{datetime.fromtimestamp(time, UTC):%Y-%m-%d %H:%M} UTC"
