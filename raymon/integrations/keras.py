"""The callback for Keras on the backend of torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Unpack

import keras
from torch import Tensor

from raymon.errors import UserError
from raymon.integrations.arguments import MonitorArguments, check_arguments
from raymon.integrations.watch import Watch, counted
from raymon.monitor import Monitor, TrainMetrics
from raymon.results import BACKWARD, DATA, EVALUATION, FORWARD


class MonitorCallback(keras.callbacks.Callback):
    """Watches `model.fit` of Keras on torch, and shows the numbers of all processes.

    A step is a batch. The loss, predictions, targets and weights of samples are those that
    `model.compute_loss` is called with, so that they are of this batch: what Keras gives to its
    callbacks as logs are means over the epoch until now, which raymon leaves alone. Scores of a
    validation are published when it ends. A model whose optimizer has made steps, as one that was
    restored, goes on behind them.

        model.fit(x, y, callbacks=[MonitorCallback(["auc"], model_dir="runs/1")])

    Args:
        train_metrics: Metrics of predictions and targets, as `raymon.Monitor` takes them.
        predictions: A function that makes the predictions, `[B]` or `[B, C]`, of what the model
            returns, without waiting for a device; None if they are what it returns, `[B, 1]`
            becoming `[B]`.
        arguments: The other arguments of `raymon.Monitor`.

    Raises:
        UserError: An argument is wrong, or Keras runs on another backend.
    """

    def __init__(
        self,
        train_metrics: TrainMetrics = (),
        *,
        predictions: Callable[[Any], Tensor] | None = None,
        **arguments: Unpack[MonitorArguments],
    ) -> None:
        super().__init__()
        check_arguments("MonitorCallback", arguments)
        if keras.backend.backend() != "torch":
            raise UserError(
                f"MonitorCallback: Keras runs on {keras.backend.backend()}; set "
                "KERAS_BACKEND=torch before it is imported"
            )
        self._watch = Watch(train_metrics, arguments)
        self._predictions_of = predictions or _as_column
        self._has_metrics = bool(train_metrics)
        self._epoch = 0
        self._step: dict[str, Any] = {}
        self._watched: Any = None

    @property
    def monitor(self) -> Monitor | None:
        """The monitor while training goes on; None before."""
        return self._watch.monitor

    @property
    def failures(self) -> int:
        """Number of failures on this rank that were counted instead of raised."""
        return self._watch.failures + (self.monitor.failures if self.monitor else 0)

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Ends what an earlier training left open, if an exception ended it."""
        self._release()
        self._watch.end()

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Makes the monitor in the first epoch, when other callbacks have restored the model."""
        if not self._watch.is_on and self._watched is None:
            made = int(self.model.optimizer.iterations)
            self._watch.begin(self.params, made, self._total_steps(epoch, made))
            self._take_losses()
        self._epoch = epoch
        self._enter(DATA)

    @counted
    def on_train_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Begins a step."""
        self._step = {}
        self._enter(FORWARD)

    @counted
    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Adds the step."""
        assert self.monitor is not None
        rate = self._learning_rate()
        self.monitor.step(
            **(self._step or {"losses": {}}),
            epoch=self._epoch,
            learning_rates=() if rate is None else (rate,),
        )
        self._enter(DATA)

    @counted
    def on_test_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Keeps the time of a validation out of that of training."""
        self._enter(EVALUATION)

    @counted
    def on_test_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Publishes the scores of a validation."""
        assert self.monitor is not None
        if logs:
            self.monitor.evaluation({name: float(score) for name, score in logs.items()})
        self._enter(DATA)

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Closes the monitor."""
        self._release()
        self._watch.end()

    def _take_losses(self) -> None:
        """Has each call of `model.compute_loss` tell what it is about."""
        model = self.model
        compute_loss = model.compute_loss

        def telling(*given: Any, **named: Any) -> Any:
            loss = compute_loss(*given, **named)
            if named.get("training", True) and model.training and self._watch.is_on:
                try:
                    self._keep(loss, *given, **named)
                except Exception as error:
                    self._watch.count(error)
                self._enter(BACKWARD)
            return loss

        object.__setattr__(model, "compute_loss", telling)
        self._watched = model

    def _keep(
        self,
        loss: Tensor,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> None:
        self._step = {"losses": {"loss": loss.detach()}, "samples": _rows(y)}
        if sample_weight is not None:
            self._step["weights"] = sample_weight
        if self._has_metrics:
            self._step["predictions"] = self._predictions_of(y_pred).detach()
            self._step["targets"] = _as_column(y)

    def _release(self) -> None:
        if self._watched is not None:
            object.__delattr__(self._watched, "compute_loss")
            self._watched = None

    def _learning_rate(self) -> float | None:
        rate = self.model.optimizer._learning_rate
        if isinstance(rate, float | int):
            return float(rate)
        value = getattr(rate, "value", None)
        # A number on a device is not waited for.
        return float(value) if isinstance(value, Tensor) and value.device.type == "cpu" else None

    def _total_steps(self, epoch: int, made: int) -> int | None:
        steps, epochs = self.params.get("steps"), self.params.get("epochs")
        return None if not steps or not epochs else made + steps * (epochs - epoch)

    def _enter(self, phase: str) -> None:
        if self.monitor is not None:
            self.monitor.enter_phase(phase)


def _as_column(value: Tensor) -> Tensor:
    """Returns a tensor `[B]` of one that may be `[B, 1]`."""
    return value.squeeze(-1) if value.ndim == 2 and value.shape[1] == 1 else value


def _rows(targets: Any) -> int | None:
    return len(targets) if isinstance(targets, Tensor) and targets.ndim else None
