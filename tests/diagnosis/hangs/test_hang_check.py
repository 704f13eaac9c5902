"""Who hangs: in a world of invented ranks that wait for each other as those of a run do."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hypothesis import given
from hypothesis import strategies as st

from raymon.diagnosis.hangs.hang_check import HangCheck
from raymon.results import (
    BACKWARD,
    CHECKPOINT,
    DATA,
    EVALUATION,
    FORWARD,
    HANG,
    MONITOR,
    OPTIMIZER,
    START,
    Finding,
    RankState,
)

HANG_AFTER_S = 20.0

ORDER = (DATA, FORWARD, BACKWARD, OPTIMIZER, MONITOR)
MEETING = ORDER.index(BACKWARD)
"""In backward no rank goes on before all of them are there."""


@dataclass(frozen=True)
class World:
    """Ranks in a step; one of them stands still, and the others until they meet it.

    Attributes:
        size: Number of ranks.
        culprit: Rank that stands still.
        at: Index of the phase in which it does.
        for_s: Seconds for which it has.
        is_silent: Whether its whole process does.
        promises: Seconds that each rank promises for its phase.
        silence_s: Age of its last heartbeat when it stood still.
    """

    size: int
    culprit: int
    at: int
    for_s: float
    is_silent: bool
    promises: tuple[float, ...]
    silence_s: float

    def states(self) -> list[RankState]:
        return [self._state(rank) for rank in range(self.size)]

    def _state(self, rank: int) -> RankState:
        step, phase = 812, ORDER[self.at]
        if rank != self.culprit:
            # They met in this step's backward if the culprit was there, and then in the next's.
            step, phase = step + (self.at > MEETING), BACKWARD
        silent = self.is_silent and rank == self.culprit
        return RankState(
            rank=rank,
            heard_s=self.for_s + 10,
            step=step,
            windows=3,
            lost=0,
            host=f"host-{rank}",
            pid=100 + rank,
            phase=phase,
            phase_s=self.for_s + (self.silence_s if silent else 0),
            deadline_s=self.promises[rank],
            beat_s=self.for_s + self.silence_s if silent else 1.0,
        )


@st.composite
def worlds(draw: st.DrawFn) -> World:
    size = draw(st.integers(2, 6))
    return World(
        size=size,
        culprit=draw(st.integers(0, size - 1)),
        at=draw(st.sampled_from([i for i in range(len(ORDER)) if i != MEETING])),
        for_s=draw(st.floats(0, 200)),
        is_silent=draw(st.booleans()),
        promises=tuple(draw(st.lists(st.floats(20, 150), min_size=size, max_size=size))),
        silence_s=draw(st.floats(0, 2)),
    )


def findings(states: list[RankState]) -> list[Finding]:
    return HangCheck(HANG_AFTER_S).findings(states, 0.0)


@given(worlds())
def test_the_rank_that_stands_still_is_named_and_no_other_once_it_is_late(world: World) -> None:
    states = world.states()
    culprit = states[world.culprit]
    promised_s = world.promises[world.culprit]
    is_late = culprit.phase_s > promised_s
    if world.is_silent:
        # At the latest after three times the seconds that are allowed in a step.
        is_late = culprit.beat_s > min(promised_s, 3 * HANG_AFTER_S)
    found = findings(states)
    if not is_late:
        assert found == []
        return
    (finding,) = found
    assert (finding.kind, finding.rank) == (HANG, world.culprit)
    assert finding.host == f"host-{world.culprit}"
    assert finding.phase == ORDER[world.at]
    assert f"rank {world.culprit} (host-{world.culprit}, pid {100 + world.culprit})" in finding.text
    if world.is_silent:
        assert f"silent for {culprit.beat_s:.0f} s" in finding.text
    else:
        assert f"for {culprit.phase_s:.0f} s, at step 812" in finding.text
    assert f"at step {812 + (world.at > MEETING)}" in finding.text.split(";")[1]


@given(worlds())
def test_ranks_that_all_wait_for_each_other_are_in_a_collective_and_none_is_blamed(
    world: World,
) -> None:
    states = [replace(state, phase=BACKWARD, step=812, beat_s=1.0) for state in world.states()]
    late = all(state.phase_s > state.deadline_s for state in states)
    found = findings(states)
    assert bool(found) == late
    for finding in found:
        assert finding.rank is None
        assert f"all {world.size} ranks" in finding.text
        assert "collective" in finding.text


@given(worlds(), st.sampled_from([DATA, CHECKPOINT, EVALUATION, START]))
def test_where_ranks_are_equally_far_the_one_that_does_not_wait_is_named(
    world: World, phase: str
) -> None:
    states = [
        replace(state, phase=phase, step=812, beat_s=1.0, waits=state.rank != world.culprit)
        for state in world.states()
    ]
    culprit = states[world.culprit]
    found = findings(states)
    assert [finding.rank for finding in found] == (
        [world.culprit] if culprit.phase_s > culprit.deadline_s else []
    )


@given(worlds())
def test_ranks_that_have_ended_neither_hang_nor_wait(world: World) -> None:
    states = [replace(state, ended=True) for state in world.states()]
    assert findings(states) == []
    alone = [replace(state, ended=state.rank != world.culprit) for state in world.states()]
    for finding in findings(alone):
        assert finding.rank == world.culprit
        assert "wait" not in finding.text.replace("waiting for data", "")


@given(worlds())
def test_if_nobody_is_heard_nobody_is_blamed(world: World) -> None:
    states = [replace(state, beat_s=world.for_s, phase=FORWARD) for state in world.states()]
    silent = [state.beat_s > min(state.deadline_s, 3 * HANG_AFTER_S) for state in states]
    if all(silent):
        (finding,) = findings(states)
        assert finding.rank is None
        assert f"none of {world.size} ranks has been heard for {world.for_s:.0f} s" in finding.text


@given(st.lists(st.booleans(), min_size=1, max_size=4))
def test_ranks_without_any_heartbeat_are_not_judged(ended: list[bool]) -> None:
    states = [RankState(rank, 1e6, 0, 0, 0, ended=end) for rank, end in enumerate(ended)]
    assert findings(states) == []


def test_the_line_says_who_hangs_where_and_who_waits() -> None:
    rank_0 = RankState(
        0, 40, 812, 8, 0, host="a", pid=12, phase=BACKWARD, phase_s=34, deadline_s=20
    )
    rank_1 = replace(rank_0, rank=1, host="b", pid=123, beat_s=34.4, phase_s=34.4)
    (finding,) = findings([rank_0, rank_1])
    assert finding.text == (
        "rank 1 (b, pid 123) has been silent for 34 s in backward; rank 0 waits at step 812"
    )
    rank_1 = replace(rank_1, beat_s=1.0, phase=DATA, phase_s=61, deadline_s=60)
    (finding,) = findings([rank_0, rank_1])
    assert finding.text == (
        "rank 1 (b, pid 123) has been waiting for data for 61 s, at step 812; "
        "rank 0 waits at step 812"
    )


def test_a_worker_that_has_not_come_yet_is_waited_for() -> None:
    here = RankState(0, 0, 0, 0, 0, host="a", pid=12, phase=START, phase_s=500, deadline_s=600)
    missing = RankState(1, 500, 0, 0, 0)
    assert findings([replace(here, waits=True), missing]) == []
    late = replace(missing, heard_s=601)
    (finding,) = findings([replace(here, waits=True), late])
    assert finding.text.startswith("rank 1 has not been heard for 601 s, since the workers began")


def test_a_reporter_that_stood_still_itself_judges_nobody_at_once() -> None:
    check = HangCheck(HANG_AFTER_S)
    well = RankState(0, 1, 5, 1, 0, host="a", pid=12, phase=FORWARD, phase_s=1, deadline_s=20)
    unheard = replace(well, beat_s=100, phase_s=101)
    assert check.findings([well], 0.0) == []
    assert check.findings([unheard], 100.0) == []
    assert check.findings([unheard], 101.0) == []
    assert [f.rank for t in (102, 103, 104) for f in check.findings([unheard], t)] == [0, 0]
