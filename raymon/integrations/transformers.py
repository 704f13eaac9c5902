"""The callback for the `Trainer` of Hugging Face Transformers."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from torch import nn
from torch.utils.hooks import RemovableHandle
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from raymon.integrations.arguments import MonitorArguments, check_arguments
from raymon.integrations.batches import learning_rates_of
from raymon.integrations.micro_batches import MicroBatches, Predictions
from raymon.integrations.watch import Watch, counted
from raymon.monitor import Monitor, TrainMetrics
from raymon.results import BACKWARD, DATA, EVALUATION, FORWARD, OPTIMIZER

_OWN = ("epoch", "learning_rate")
"""What the trainer logs that each step has anyway."""

_SPEEDS = ("runtime", "samples_per_second", "steps_per_second")
"""Ends of the names of what is no score of an evaluation."""


class MonitorCallback(TrainerCallback):
    """Watches a `Trainer`, and shows the numbers of all its processes.

    A step is a step of the optimizer, as everywhere in Transformers, with all batches that are
    accumulated in it. Measured are the loss that the model returns, what the trainer logs as
    scalars, learning rates, phases, and the scores of evaluations. A run that is resumed from a
    checkpoint goes on behind its step.

    Callbacks are given neither predictions nor targets. Name them, and they are taken as the model
    takes and returns them, by a forward hook:

        MonitorCallback(["auc"], predictions=lambda outputs: outputs.logits.softmax(1)[:, 1])

    Args:
        train_metrics: Metrics of predictions and targets, as `raymon.Monitor` takes them.
        predictions: The name of the predictions in what the model returns, or a function that
            makes them of it, `[B]` or `[B, C]`, without waiting for a device; None for none.
        targets: The name of the argument of the model that has the targets.
        arguments: The other arguments of `raymon.Monitor`.

    Raises:
        UserError: An argument is wrong.
    """

    def __init__(
        self,
        train_metrics: TrainMetrics = (),
        *,
        predictions: Predictions = None,
        targets: str = "labels",
        **arguments: Unpack[MonitorArguments],
    ) -> None:
        check_arguments("MonitorCallback", arguments)
        self._watch = Watch(train_metrics, arguments)
        self._names = predictions, targets
        self._batches: MicroBatches | None = None
        self._hook: RemovableHandle | None = None
        self._learning_rates: Sequence[float] = ()
        self._loss_is_known = False
        # A step whose numbers the trainer is about to log, and what was logged for the next step.
        self._held: dict[str, Any] | None = None
        self._logged: dict[str, float] = {}

    @property
    def monitor(self) -> Monitor | None:
        """The monitor while training goes on; None before."""
        return self._watch.monitor

    @property
    def failures(self) -> int:
        """Number of failures on this rank that were counted instead of raised."""
        return self._watch.failures + (self.monitor.failures if self.monitor else 0)

    def on_train_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        model: nn.Module | None = None,
        **others: Any,
    ) -> None:
        """Makes the monitor, after a checkpoint has been restored."""
        total = state.max_steps if state.max_steps > 0 else None
        self._watch.begin(state, state.global_step, total)
        self._unhook()
        self._held, self._logged = None, {}
        scale = args.world_size if args.average_tokens_across_devices else 1
        self._batches = MicroBatches(*self._names, scale, self._watch.count, self._pass_ends)
        if model is not None and self._watch.is_on:
            self._hook = model.register_forward_hook(self._batches, with_kwargs=True)
        self._enter(DATA)

    @counted
    def on_step_begin(self, *arguments: Any, optimizer: Any = None, **others: Any) -> None:
        """Takes the learning rates of the step, before a scheduler changes them."""
        self._add_step()
        self._enter(FORWARD)
        # What accelerate wraps it in has the same groups.
        self._learning_rates = learning_rates_of([] if optimizer is None else [optimizer])

    @counted
    def on_substep_end(self, *arguments: Any, **others: Any) -> None:
        """Begins a phase."""
        self._enter(FORWARD)

    @counted
    def on_pre_optimizer_step(self, *arguments: Any, **others: Any) -> None:
        """Begins a phase."""
        self._enter(OPTIMIZER)

    @counted
    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **others: Any
    ) -> None:
        """Adds the step."""
        assert self._batches is not None
        try:
            arguments = self._batches.step_arguments()
        except Exception as error:  # still a step: all ranks have to count the same steps
            self._watch.count(error)
            arguments = {"losses": {}}
        self._loss_is_known = bool(arguments["losses"])
        # At the end of an epoch the trainer is at the beginning of the next one.
        epoch = max(0, -int(-(state.epoch or 0) // 1) - 1)
        self._held = {**arguments, "epoch": epoch, "learning_rates": self._learning_rates}
        if not control.should_log:
            self._add_step()
        self._enter(DATA)

    @counted
    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: Mapping[str, Any] | None = None,
        **others: Any,
    ) -> None:
        """Takes what the trainer logs, for the step that it follows, or else for the next one."""
        left_out = {*_OWN, "loss"} if self._loss_is_known else {*_OWN}
        values = {
            name: float(value)
            for name, value in (logs or {}).items()
            if isinstance(value, int | float)
            and name not in left_out
            and not name.startswith(("eval_", "train_", "total_flos"))
        }
        self._logged.update(values)
        if self._held is not None:
            self._add_step()
            self._enter(DATA)

    @counted
    def on_prediction_step(self, *arguments: Any, **others: Any) -> None:
        """Keeps the time of an evaluation out of that of training."""
        self._add_step()
        self._enter(EVALUATION)

    @counted
    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: Mapping[str, Any],
        **others: Any,
    ) -> None:
        """Publishes the scores of an evaluation, without `eval_` before their names."""
        assert self.monitor is not None
        self._add_step()
        scores = {
            name.removeprefix("eval_"): float(score)
            for name, score in metrics.items()
            if isinstance(score, int | float) and name != "epoch" and not name.endswith(_SPEEDS)
        }
        if scores:
            self.monitor.evaluation(scores)
        self._enter(DATA)

    @counted
    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **others: Any
    ) -> None:
        """Marks the step of a checkpoint, and leaves out the time that it took."""
        assert self.monitor is not None
        self._add_step()
        self.monitor.skip_time()
        self.monitor.checkpoint(os.path.join(args.output_dir, f"checkpoint-{state.global_step}"))

    def on_train_end(self, *arguments: Any, **others: Any) -> None:
        """Closes the monitor."""
        self._unhook()
        self._add_step()
        self._watch.end()

    def _add_step(self) -> None:
        held, self._held = self._held, None
        if held is None or self.monitor is None:
            return
        logged, self._logged = self._logged, {}
        self._watch.log(logged)
        self.monitor.step(**held)

    def _pass_ends(self) -> None:
        self._enter(BACKWARD)

    def _enter(self, phase: str) -> None:
        if self.monitor is not None:
            self.monitor.enter_phase(phase)

    def _unhook(self) -> None:
        if self._hook is not None:
            self._hook.remove()
            self._hook = None
