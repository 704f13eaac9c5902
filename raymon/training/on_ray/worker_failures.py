"""What the failures of several workers come down to."""

from __future__ import annotations

from collections.abc import Mapping

from raymon.errors import RaymonError, UserError, first_line
from raymon.results import Failure
from raymon.training.on_ray.worker_deaths import Find, death_of, find_on_node, unknown_failure
from raymon.training.rank.failure import RankFailedError, first_cause
from raymon.training.rank.not_finite import NotFiniteError


class WorkerDiedError(RankFailedError):
    """The process of a rank has ended, and raised nothing."""


def failures_of_workers(
    failures: Mapping[int, BaseException], find: Find = find_on_node
) -> list[RaymonError]:
    """Returns the failures of workers as errors of raymon, by rank.

    Args:
        failures: What Ray Train says, by rank.
        find: Asks the node of a worker that died.
    """
    return [_of_worker(rank, failure, find) for rank, failure in sorted(failures.items())]


def as_failure(own: list[RaymonError]) -> Failure | None:
    """Returns what the failures of workers come to; None for none, and for wrong input.

    Args:
        own: The failures, by rank.
    """
    first = first_cause(own)
    if first is None or isinstance(first, UserError):
        return None
    details = [f"{first_line(each)}\n{getattr(each, 'details', '') or each}" for each in own]
    killed = [first.rank] if isinstance(first, WorkerDiedError) else []
    if killed:
        killed += [e.rank for e in own if isinstance(e, WorkerDiedError) and e is not first]
    return Failure(first_line(first), "\n\n".join(details), killed)


def wanted_end(own: list[RaymonError]) -> NotFiniteError | None:
    """Returns the failure for which the config wants the run to end; None if there is none.

    Args:
        own: The failures, by rank.
    """
    return next((error for error in own if isinstance(error, NotFiniteError)), None)


def _of_worker(rank: int, failure: BaseException, find: Find) -> RaymonError:
    cause: BaseException | None = failure
    while cause is not None:
        if isinstance(cause, RaymonError):
            return cause
        cause = getattr(cause, "_base_exc", None) or cause.__cause__
    death = death_of(failure, find)
    if death is not None:
        return WorkerDiedError(f"rank {rank} {death.text}", death.details, rank)
    return RankFailedError(f"rank {rank}: {unknown_failure(failure)}", str(failure), rank)
