"""A hang in one line."""

from __future__ import annotations

from collections.abc import Sequence

from raymon.diagnosis.hangs.culprits import Hang, is_collective
from raymon.diagnosis.hangs.progress import waits
from raymon.results import CHECKPOINT, DATA, EVALUATION, START, RankState

_DOING = {
    START: "starting",
    DATA: "waiting for data",
    CHECKPOINT: "in a checkpoint",
    EVALUATION: "in an evaluation",
}

_MOST = 3
"""Ranks that are named at most."""


def hang_text(hang: Hang, world_size: int) -> str:
    """Returns a line that says who hangs, for how long and where, and who waits.

    Such as `rank 1 (host, pid 12) has been silent for 34 s in backward; rank 0 waits at step 812`.

    Args:
        hang: The hang.
        world_size: Number of ranks that have not ended.
    """
    culprits = hang.culprits
    if len(culprits) == world_size > 1 and len(hang.silent) == world_size:
        seconds = min(rank.beat_s for rank in culprits)
        return (
            f"none of {world_size} ranks has been heard for {seconds:.0f} s: their processes are "
            "stopped or gone, or the network is"
        )
    if len(culprits) == world_size > 1 and not hang.silent:
        first = culprits[0]
        seconds = min(rank.phase_s for rank in culprits)
        text = f"all {world_size} ranks have been {_doing(first)} for {seconds:.0f} s{_at(first)}"
        if is_collective(hang, world_size):
            text += ": they wait for each other in a collective that does not end"
        return text
    named = [_culprit(rank, rank in hang.silent) for rank in culprits[:_MOST]]
    if len(culprits) > _MOST:
        named.append(f"so have {len(culprits) - _MOST} more ranks")
    return "; ".join([*named, *_waiting(hang.waiting)])


def _culprit(rank: RankState, silent: bool) -> str:
    who = f"rank {rank.rank} ({rank.host}, pid {rank.pid})" if rank.pid else f"rank {rank.rank}"
    if not rank.pid:
        return f"{who} has not been heard for {rank.heard_s:.0f} s, since the workers began"
    if silent:
        comma = "" if _doing(rank).startswith("in ") else ","
        return f"{who} has been silent for {rank.beat_s:.0f} s{comma} {_doing(rank)}"
    other = ", where it waits for other ranks" if waits(rank) else ""
    return f"{who} has been {_doing(rank)} for {rank.phase_s:.0f} s{_at(rank)}{other}"


def _doing(rank: RankState) -> str:
    return _DOING.get(rank.phase, f"in {rank.phase}")


def _at(rank: RankState) -> str:
    return "" if rank.phase == START else f", at step {rank.step}"


def _waiting(ranks: Sequence[RankState]) -> list[str]:
    if not ranks:
        return []
    step = max(rank.step for rank in ranks)
    if len(ranks) == 1:
        return [f"rank {ranks[0].rank} waits at step {step}"]
    if len(ranks) > _MOST:
        return [f"{len(ranks)} ranks wait at step {step}"]
    *most, last = (str(rank.rank) for rank in ranks)
    return [f"ranks {', '.join(most)} and {last} wait at step {step}"]
