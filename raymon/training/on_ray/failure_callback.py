"""Has the failures of workers told by the process that decides whether they are started again."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from ray.train import UserCallback

from raymon.errors import RaymonError

_PUBLISH_S = 10.0


class FailureCallback(UserCallback):
    """Publishes why workers failed, before they are started again or the run ends.

    Args:
        run: Name of the run, whose reporter publishes it.
        max_failures: How often workers are started again; -1 for always.
    """

    def __init__(self, run: str, max_failures: int) -> None:
        self._run = run
        self._left = max_failures

    def after_exception(self, run_context: Any, worker_exceptions: dict[int, Exception]) -> None:
        """Publishes the failures of workers; Ray's controller calls it.

        Raises:
            NotFiniteError: The run is to stop: the same steps would not be finite again.
        """
        # Imported here, as Ray's controller imports this module before it starts the workers.
        from dataclasses import replace

        from raymon.reporter.on_ray import RayReporter, reporter_of
        from raymon.training.on_ray.worker_failures import (
            as_failure,
            failures_of_workers,
            wanted_end,
        )

        own: list[RaymonError] = []
        with suppress(Exception):
            own = failures_of_workers(worker_exceptions)
        end = wanted_end(own)
        goes_on = self._left != 0 and end is None
        self._left -= self._left > 0
        # The run goes on, or fails, without it too.
        with suppress(Exception):
            failure = as_failure(own)
            if failure is not None:
                reporter = RayReporter(reporter_of(self._run))
                reporter.publish_failure(replace(failure, goes_on=goes_on), _PUBLISH_S)
        if end is not None:
            # The controller ends the run for an error of its own, whatever `max_failures` says.
            raise end
