"""The callback for a `Trainer` of Lightning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Unpack

from torch import Tensor

from raymon.integrations.arguments import MonitorArguments, check_arguments
from raymon.integrations.batches import learning_rates_of, rows_of
from raymon.integrations.lightning.base import callback_class
from raymon.integrations.lightning.logged_values import LoggedValues
from raymon.integrations.lightning.module_metrics import ModuleMetrics
from raymon.integrations.lightning.progress import batches_before, batches_of_run
from raymon.integrations.lightning.step_outputs import OutputNames
from raymon.integrations.watch import Watch, counted
from raymon.monitor import Monitor, TrainMetrics
from raymon.results import BACKWARD, CHECKPOINT, DATA, EVALUATION, FORWARD, OPTIMIZER

if TYPE_CHECKING:
    from lightning.pytorch import Callback, LightningModule, Trainer
else:
    Callback = callback_class()


class MonitorCallback(Callback):
    """Watches the training of a `LightningModule`, and shows the numbers of all its processes.

    A step is a batch of each process, whether or not the optimizer steps after it. Measured are
    `loss` and what else `training_step` returns under the names below, its other single numbers
    and what `self.log` logs in steps as scalars, the learning rates of all optimizers, and the
    phases of a step. Scores that the validation logs are published when it ends. A run that is
    resumed by `ckpt_path` goes on behind the step of its checkpoint. `fast_dev_run` writes no file.

        Trainer(callbacks=[MonitorCallback(["auc"], model_dir="runs/1")])

    Args:
        train_metrics: Metrics of predictions and targets, as `raymon.Monitor` takes them.
        losses: Name of the loss, or of all losses whose sum is the total loss, in what
            `training_step` returns.
        predictions: Name of the predictions in it.
        targets: Name of the targets in it.
        weights: Name of the weights of samples in it.
        module_metrics: Names of attributes of the module that are metrics of torchmetrics. raymon
            counts what they are updated with in training steps, under the same names; they stay as
            they are. Of a `BinaryAUROC` it counts its own AUC, of others a copy, whose states have
            to be sums.
        arguments: The other arguments of `raymon.Monitor`.

    Attributes:
        monitor: The monitor while training goes on; None before.

    Raises:
        UserError: An argument is wrong.
    """

    def __init__(
        self,
        train_metrics: TrainMetrics = (),
        *,
        losses: str | Sequence[str] = "loss",
        predictions: str = "predictions",
        targets: str = "targets",
        weights: str = "weights",
        module_metrics: Sequence[str] = (),
        **arguments: Unpack[MonitorArguments],
    ) -> None:
        super().__init__()
        check_arguments("MonitorCallback", arguments)
        self._names = OutputNames.of(losses, predictions, targets, weights)
        self._watch = Watch(train_metrics, arguments)
        self._train_metrics = train_metrics
        self._module_metrics = module_metrics
        self._metrics: ModuleMetrics | None = None
        self._learning_rates: Sequence[float] = ()
        self._logged: LoggedValues | None = None

    @property
    def monitor(self) -> Monitor | None:
        """The monitor while training goes on; None before."""
        return self._watch.monitor

    @property
    def failures(self) -> int:
        """Number of failures on this rank that were counted instead of raised."""
        return self._watch.failures + (self.monitor.failures if self.monitor else 0)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Makes the monitor, after a checkpoint has been restored."""
        self._leave_metrics()
        self._metrics = ModuleMetrics(pl_module, self._module_metrics)
        self._watch.begin(
            trainer,
            batches_before(trainer),
            batches_of_run(trainer),
            writes=not getattr(trainer, "fast_dev_run", False),
            train_metrics=self._metrics.and_given(self._train_metrics),
        )
        self._metrics.attach()
        self._logged = LoggedValues(trainer)
        self._enter(DATA)

    @counted
    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Leaves out what was logged for the epoch before."""
        assert self._logged is not None
        self._logged.skip()

    @counted
    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Takes the learning rates of the step, before a scheduler changes them."""
        assert self._metrics is not None
        self._metrics.is_on = True
        self._enter(FORWARD)
        self._learning_rates = learning_rates_of(trainer.optimizers)

    @counted
    def on_before_backward(
        self, trainer: Trainer, pl_module: LightningModule, loss: Tensor
    ) -> None:
        """Begins a phase."""
        self._enter(BACKWARD)

    @counted
    def on_after_backward(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begins a phase."""
        self._enter(OPTIMIZER)

    @counted
    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Tensor | Mapping[str, Any] | None,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Adds the step."""
        monitor, logged, metrics = self.monitor, self._logged, self._metrics
        assert monitor is not None
        assert logged is not None
        assert metrics is not None
        metrics.is_on = False
        try:
            scalars: dict[str, Any] = dict(logged.new_of_step())
            found = outputs if isinstance(outputs, Mapping) else {"loss": outputs}
            # Lightning divides the loss that it returns, to accumulate gradients.
            scale = trainer.accumulate_grad_batches if pl_module.automatic_optimization else 1
            arguments = self._names.step_arguments(found, scale)
            metrics.add_to(arguments)
            if "predictions" not in arguments and "targets" not in arguments:
                arguments["samples"] = rows_of(batch)
            scalars.update(self._names.scalars(found))
        except Exception as error:  # still a step: all ranks have to count the same steps
            self._watch.count(error)
            scalars, arguments = {}, {"losses": {}}
        self._watch.log(scalars)
        monitor.step(**arguments, epoch=trainer.current_epoch, learning_rates=self._learning_rates)
        self._enter(DATA)

    @counted
    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Keeps the time of the validation out of that of training."""
        assert self._logged is not None
        self._enter(EVALUATION)
        self._logged.skip()

    @counted
    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Publishes the scores that were logged."""
        monitor, logged = self.monitor, self._logged
        assert monitor is not None
        assert logged is not None
        scores = logged.new()
        # Others than rank 0 would wait for their device for nothing.
        if scores and trainer.is_global_zero:
            monitor.evaluation({name: float(score) for name, score in scores.items()})
        self._enter(DATA)

    @counted
    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Marks the step of a checkpoint, which every rank saves."""
        assert self.monitor is not None
        self._enter(CHECKPOINT)
        self.monitor.checkpoint()

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Closes the monitor of a training that an exception or Ctrl-C ended."""
        self._leave_metrics()
        self._watch.end(exception)

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Closes the monitor, after the last checkpoint."""
        self._leave_metrics()
        self._watch.end()

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Closes a monitor that is still open."""
        self._leave_metrics()
        self._watch.end()

    def _leave_metrics(self) -> None:
        if self._metrics is not None:
            self._metrics.detach()

    def _enter(self, phase: str) -> None:
        if self.monitor is not None:
            self.monitor.enter_phase(phase)
