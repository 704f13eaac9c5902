"""A `raymon.Monitor` that the hooks of a trainer drive, and whose failures never reach training."""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

from torch import Tensor

from raymon.errors import UserError
from raymon.integrations.arguments import MonitorArguments
from raymon.monitor import Monitor, TrainMetrics

_log = logging.getLogger("raymon")

Hook = TypeVar("Hook", bound=Callable[..., None])


_open: list[Watch] = []
"""The watches of this process whose monitors are open."""


class Watch:
    """The monitor of a callback: made when training begins, closed when it ends.

    Args:
        train_metrics: Metrics of the monitor.
        arguments: The other arguments of the monitor.

    Attributes:
        monitor: The monitor; None before training begins, and if it could not be made.
        failures: Number of failures of the callback itself, which were counted instead of raised.
    """

    def __init__(self, train_metrics: TrainMetrics, arguments: MonitorArguments) -> None:
        self._train_metrics = train_metrics
        self._arguments = arguments
        self._place = (arguments.get("model_dir"), arguments.get("name"))
        self._training: object = None
        self._thread = 0
        self.monitor: Monitor | None = None
        self.failures = 0
        self.is_on = False

    def begin(
        self,
        training: object,
        first_step: int,
        total_steps: int | None,
        writes: bool = True,
        train_metrics: TrainMetrics | None = None,
    ) -> None:
        """Makes the monitor.

        Args:
            training: The object that all callbacks of this training share, and no other training.
            first_step: Steps that the trainer made before; 0 if the run is new.
            total_steps: Steps of the whole run as the trainer has it; None if it does not know.
            writes: Whether files are written.
            train_metrics: The metrics, if not those that the callback was given.

        Raises:
            UserError: An argument is wrong, the directory cannot be written to, or another callback
                of the training has the same.
        """
        # A second training of this callback continues the numbers of the first one, or takes them
        # back.
        continues = first_step > 0 or self.monitor is not None
        self.end()
        self.monitor = None
        self._claim(training)
        arguments = MonitorArguments(**self._arguments)
        if arguments.get("first_step") is None and continues:
            arguments["first_step"] = first_step
        if arguments.get("total_steps") is None:
            arguments["total_steps"] = total_steps
        if not writes:
            arguments["model_dir"] = None
        try:
            metrics = self._train_metrics if train_metrics is None else train_metrics
            self.monitor = Monitor(metrics, **arguments)
        except UserError:
            raise
        except Exception as error:
            self.count(error)
            return
        self.is_on = True
        _open.append(self)

    def end(self, error: BaseException | None = None) -> None:
        """Closes the monitor, if it is open.

        Args:
            error: What ended training; None if it came to its end.
        """
        if not self.is_on:
            return
        assert self.monitor is not None
        self.is_on = False
        _open.remove(self)
        try:
            if error is None:
                self.monitor.close()
            else:
                self.monitor.__exit__(type(error), error, error.__traceback__)
        except Exception as failure:
            self.count(failure)

    def log(self, values: Mapping[str, Tensor | float]) -> None:
        """Adds scalars to the step that comes next; without a monitor it does nothing."""
        if values and self.monitor is not None:
            self.monitor.log(values)

    def count(self, error: Exception) -> None:
        """Counts a failure of the callback; the first one is logged."""
        self.failures += 1
        if self.failures == 1:
            _log.warning("monitoring: %s: %s", type(error).__name__, error)

    def _claim(self, training: object) -> None:
        self._training, self._thread = training, threading.get_ident()
        for other in [watch for watch in _open if watch._place == self._place]:
            if other._training is training:
                raise UserError(
                    "two MonitorCallbacks watch the same training; remove one, or give one a name"
                )
            if self._place[0] is not None and other._thread == self._thread:
                # A trainer that does not tell its callbacks of an exception left it open.
                other.end()


def counted(hook: Hook) -> Hook:
    """Makes a hook of a callback that counts what it raises, and does nothing without a monitor."""

    @functools.wraps(hook)
    def counting(callback: Any, /, *given: Any, **named: Any) -> None:
        watch: Watch = callback._watch
        if not watch.is_on:
            return
        try:
            hook(callback, *given, **named)
        except Exception as error:
            watch.count(error)

    return cast(Hook, counting)
