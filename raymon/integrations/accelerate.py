"""A tracker for Accelerate, through which `accelerator.log` feeds a `raymon.Monitor`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from accelerate.tracking import GeneralTracker
from torch import Tensor

from raymon.integrations.arguments import MonitorArguments, check_arguments
from raymon.integrations.watch import Watch
from raymon.monitor import Monitor, TrainMetrics


class MonitorTracker(GeneralTracker):
    """A tracker for `Accelerator(log_with=...)` that has the numbers of all processes.

    Each call of `accelerator.log` whose values have a loss is a step: a batch of this process.
    Call it on all of them, after each batch. Its other values, and those of a call without a loss,
    are scalars, merged over all processes. Values may be tensors, whose `item()` need not be
    called. What else belongs to a step goes through `log_kwargs`:

        accelerator.log(
            {"loss": loss.detach()},
            log_kwargs={"raymon": {"predictions": scores, "targets": labels}},
        )

    Args:
        train_metrics: Metrics of predictions and targets, as `raymon.Monitor` takes them.
        losses: Names of the values that are losses, whose sum is the total loss.
        arguments: The other arguments of `raymon.Monitor`.

    Raises:
        UserError: An argument is wrong.
    """

    name = "raymon"
    requires_logging_directory = False
    # Each process has numbers of its own, which the monitor merges.
    main_process_only = False

    def __init__(
        self,
        train_metrics: TrainMetrics = (),
        *,
        losses: str | Sequence[str] = "loss",
        **arguments: Unpack[MonitorArguments],
    ) -> None:
        super().__init__()
        check_arguments("MonitorTracker", arguments)
        self._losses = [losses] if isinstance(losses, str) else list(losses)
        self._watch = Watch(train_metrics, arguments)
        # Two that write to one directory are never of two trainings: `end_training` closes them.
        self._training = self if arguments.get("model_dir") is None else MonitorTracker

    @property
    def tracker(self) -> Monitor | None:
        """The monitor, as `accelerator.get_tracker("raymon", unwrap=True)` returns it."""
        return self._watch.monitor

    @property
    def monitor(self) -> Monitor | None:
        """The monitor, from `accelerator.init_trackers` on."""
        return self._watch.monitor

    @property
    def failures(self) -> int:
        """Number of failures on this rank that were counted instead of raised."""
        return self._watch.failures + (self.monitor.failures if self.monitor else 0)

    def start(self) -> None:
        """Makes the monitor; `accelerator.init_trackers` calls it."""
        self._watch.begin(self._training, 0, None)

    def store_init_configuration(self, values: Mapping[str, Any]) -> None:
        """Does nothing: a monitor has no settings of the model."""

    def log(
        self,
        values: Mapping[str, Any],
        step: int | None = None,
        *,
        evaluation: bool = False,
        **arguments: Any,
    ) -> None:
        """Adds a step, scalars, or the scores of an evaluation.

        Args:
            values: Losses and scalars by name; texts are left out.
            step: Ignored: a monitor counts its steps itself.
            evaluation: Whether the values are scores of an evaluation.
            arguments: The other arguments of `Monitor.step`.
        """
        monitor = self.monitor
        if monitor is None or not self._watch.is_on:
            return
        numbers = {n: v for n, v in values.items() if isinstance(v, Tensor | float | int)}
        if evaluation:
            self._publish(monitor, numbers)
            return
        losses = {name: numbers.pop(name) for name in self._losses if name in numbers}
        self._watch.log(numbers)
        if losses:
            try:
                monitor.step(losses, **arguments)
            except TypeError as error:  # an argument that `step` does not have
                self._watch.count(error)
                monitor.step(losses)

    def finish(self) -> None:
        """Closes the monitor; `accelerator.end_training` calls it."""
        self._watch.end()

    def _publish(self, monitor: Monitor, scores: Mapping[str, Any]) -> None:
        try:
            monitor.evaluation({name: float(score) for name, score in scores.items()})
        except Exception as error:
            self._watch.count(error)
