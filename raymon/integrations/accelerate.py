"""A tracker for Accelerate, through which `accelerator.log` feeds a `raymon.Monitor`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self, Unpack

from accelerate.tracking import GeneralTracker
from torch import Tensor

from raymon.errors import UserError
from raymon.integrations.arguments import MonitorArguments, check_arguments
from raymon.integrations.watch import Watch
from raymon.monitor import Monitor, TrainMetrics


class MonitorTracker(GeneralTracker):
    """A tracker for Accelerate that has the numbers of all processes.

    Accelerate calls the trackers of `log_with` on its main process alone. So this one is attached,
    on every process; from then on each call of `accelerator.log` whose values have a loss is a
    step: a batch of this process. Call it on all of them, after each batch. Other values, and those
    of a call without a loss, are scalars, merged over all processes. Values may be tensors, whose
    `item()` need not be called. What else belongs to a step goes through `log_kwargs`:

        tracker = MonitorTracker(["auc"], model_dir="runs/1").attach(accelerator)
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

    @property
    def tracker(self) -> Monitor | None:
        """The monitor, as `accelerator.get_tracker("raymon", unwrap=True)` returns it."""
        return self._watch.monitor

    @property
    def monitor(self) -> Monitor | None:
        """The monitor, from `attach` on."""
        return self._watch.monitor

    @property
    def failures(self) -> int:
        """Number of failures on this rank that were counted instead of raised."""
        return self._watch.failures + (self.monitor.failures if self.monitor else 0)

    def attach(self, accelerator: Any) -> Self:
        """Has an accelerator tell this tracker what is logged and saved; called on every process.

        Checkpoints of `accelerator.save_state` are marked, and `accelerator.end_training` closes
        the monitor.

        Args:
            accelerator: The `Accelerator`.

        Returns:
            Itself.

        Raises:
            UserError: The monitor cannot be made.
        """
        self._watch.begin(accelerator, 0, None)
        accelerator.trackers.append(self)
        log = accelerator.log

        def log_everywhere(
            values: Mapping[str, Any],
            step: int | None = None,
            log_kwargs: Mapping[str, Any] | None = None,
        ) -> None:
            log(values, step=step, log_kwargs=log_kwargs)
            if not accelerator.is_main_process:
                self.log(values, step=step, **(log_kwargs or {}).get(self.name, {}))

        accelerator.log = log_everywhere
        accelerator.register_save_state_pre_hook(self._checkpoint)
        return self

    def start(self) -> None:
        """Refuses to be a tracker of `log_with`, whose other processes would be left out."""
        if not self._watch.is_on:
            raise UserError(
                "MonitorTracker: Accelerate calls trackers of log_with on its main process alone; "
                "call MonitorTracker(...).attach(accelerator) on every process instead"
            )

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

    def _checkpoint(self, models: Any, weights: Any, directory: str) -> None:
        if self.monitor is not None:
            self.monitor.checkpoint(directory)

    def _publish(self, monitor: Monitor, scores: Mapping[str, Any]) -> None:
        try:
            monitor.evaluation({name: float(score) for name, score in scores.items()})
        except Exception as error:
            self._watch.count(error)
