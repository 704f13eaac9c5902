"""The attempts of a run: its start, and each restart of its workers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Attempt:
    """An attempt, as `run.json` has it.

    Attributes:
        attempt: Its number, from 1.
        time: Seconds since 1970, UTC, at its start; NaN if that is not known.
        world_size: Number of its ranks.
        step: Step that it began at: what was reported past it was rolled back.
        end_step: Step that it reached; None while it goes on.
        failure: What ended it, in one line; None if it goes on, or ended well.
    """

    attempt: int
    time: float
    world_size: int
    step: int
    end_step: int | None = None
    failure: str | None = None


def attempts_of(records: Any) -> list[Attempt]:
    """Returns the attempts of the list in `run.json`, by number; what is none is left out."""
    found = []
    for record in records if isinstance(records, Iterable) else ():
        with suppress(KeyError, TypeError, ValueError):
            if isinstance(record, Mapping):
                found.append(_attempt(record))
    return sorted(found, key=lambda each: each.attempt)


def _attempt(record: Mapping[str, Any]) -> Attempt:
    time, end, failure = record.get("time"), record.get("end_step"), record.get("failure")
    return Attempt(
        int(record["attempt"]),
        float("nan") if time is None else float(time),
        int(record.get("world_size") or 0),
        int(record["step"]),
        None if end is None else int(end),
        None if failure is None else str(failure),
    )
