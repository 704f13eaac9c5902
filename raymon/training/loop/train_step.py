"""Forward, backward and update of one batch."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from raymon.config import TOTAL_LOSS
from raymon.data import Batch
from raymon.models import Model, check_losses, without_gradient
from raymon.protos.train_pb2 import TrainConfig
from raymon.recorder import PhaseClock
from raymon.results import BACKWARD, OPTIMIZER, PEERS
from raymon.training.loop.compiled import forward_of, named_failures
from raymon.training.loop.finite_steps import FiniteSteps
from raymon.training.optim.gradients import GradientClipper
from raymon.training.optim.optimizers import Optimizers
from raymon.training.optim.pareto import ParetoWeights
from raymon.training.optim.precision import FiniteGuard, autocast, grad_scaler
from raymon.training.optim.table_growth import TableGrowth
from raymon.training.rank.worker_context import WorkerContext

_log = logging.getLogger("raymon")

Weights = Mapping[str, torch.Tensor] | float


@dataclass
class StepOutput:
    """What the recorder needs of a step.

    Attributes:
        losses: Weighted means over the rows of this rank, by name.
        predictions: Predictions of the model, without gradients.
        weights: Weight of each loss in the mean over ranks, by name, or one for all.
    """

    losses: dict[str, torch.Tensor]
    predictions: dict[str, torch.Tensor]
    weights: Weights


class _LossModule(nn.Module):
    """Predictions and losses in one forward, which `DistributedDataParallel` wraps."""

    def __init__(self, model: Model, compiles: bool) -> None:
        super().__init__()
        self.model = model
        self._forward = forward_of(model, compiles)
        self._names: list[str] = []

    def forward(self, batch: Batch) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
        predictions = self._forward.predict(batch)
        self.model.check_predictions(predictions, batch)
        losses = self._forward.loss(predictions, batch)
        check_losses(self.model, losses, self._names)
        self._names = list(losses)
        return {name: _at_least_float32(loss) for name, loss in losses.items()}, predictions


def _at_least_float32(loss: torch.Tensor) -> torch.Tensor:
    # A half-precision loss would overflow when the gradients are scaled.
    return loss.to(torch.promote_types(loss.dtype, torch.float32))


class TrainStep:
    """Trains a model on one batch after another.

    The loss of a step of the optimizer is the mean over the rows of all ranks and of all steps of
    its group, however unequal their numbers of rows. With sample weights it is the weighted mean
    over all ranks, averaged over the steps of the group.

    Args:
        config: Settings for precision, accumulation and clipping.
        model: Model on its device.
        optimizers: Optimizers of the model.
        context: The world of this rank.
        rows_may_be_missing: Whether a batch may have fewer rows than planned, for example if files
            are skipped; then the ranks exchange their numbers of rows.
    """

    def __init__(
        self,
        config: TrainConfig,
        model: Model,
        optimizers: Optimizers,
        context: WorkerContext,
        *,
        rows_may_be_missing: bool = False,
    ) -> None:
        self._rows_may_be_missing = rows_may_be_missing
        self._config = config
        self._model = model
        self._optimizers = optimizers
        self._context = context
        self._clipper = GradientClipper(config.grad_clipping, model)
        self._world_size = torch.tensor(float(context.world_size), device=context.device)
        self._one = torch.ones((), device=context.device)
        self.scaler = grad_scaler(config, context.device)
        self.finite = FiniteSteps(config, model, context)
        module: nn.Module = _LossModule(model, config.compile)
        if context.world_size > 1:
            module = _distributed(module, model, context)
        self._module = module
        self._growth = TableGrowth(
            model.growing_tables(),
            optimizers.optimizers,
            context.world_size,
            context.clock.waiting_for_peers,
        )
        uses_pareto = model.config.use_pareto_loss_weight
        self._pareto = ParetoWeights(model, context) if uses_pareto else None
        self._is_first = True
        self._dense_parameters = model.dense_parameters()

    def backward(self, batch: Batch, group_rows: int, group: int, last: bool) -> StepOutput:
        """Adds the gradients of a batch.

        Args:
            batch: Rows of this rank, on the device.
            group_rows: Rows of all steps of the group, over all ranks.
            group: Number of steps whose gradients make up one step of the optimizer.
            last: Whether this is the last step of the group, after which ranks exchange gradients.
        """
        clock = self._context.clock
        self.finite.begin(batch)
        with self._exchange(last), named_failures(self._model, self._config.compile):
            with autocast(self._config, self._context.device):
                losses, predictions = self._module(batch)
            weights, scales = self._weigh(batch, losses, group_rows, group)
            # A total that the model gives includes the other losses.
            trained = [TOTAL_LOSS] if TOTAL_LOSS in losses else list(losses)
            parts = [losses[name] * scales[name] for name in trained]
            if self._pareto is not None and len(parts) > 1:
                scaled_parts = map(self.scaler.scale, parts)
                shares = self._pareto(dict(zip(trained, scaled_parts, strict=True)))
                parts = [part * share for part, share in zip(parts, shares, strict=True)]
            total = parts[0] if len(parts) == 1 else torch.stack(parts).sum()
            self._optimizers.tables.begin(self.scaler.scale(self._world_size))
            scaled = self.scaler.scale(self.finite.guarded(total, losses))
            if last and self._context.world_size > 1 and scaled.requires_grad:
                scaled.register_hook(self._wait_after_backward)
            clock.enter(BACKWARD)
            scaled.backward()
        if last and self._is_first:
            self._is_first = False
            self._check_gradients()
        clock.enter(BACKWARD)
        if last:
            self._optimizers.tables.exchange(
                self._context.world_size, self._context.group, clock.waiting_for_peers
            )
        clock.enter(OPTIMIZER)
        detached = {name: value.detach() for name, value in predictions.items()}
        return StepOutput(losses, detached, weights)

    def _wait_after_backward(self, _: torch.Tensor) -> None:
        # What is queued first runs first, once the gradients of this rank are there: before that of
        # DDP, which waits for the gradients of the others.
        torch.autograd.Variable._execution_engine.queue_callback(
            lambda: self._context.clock.enter(PEERS)
        )

    def _check_gradients(self) -> None:
        error = without_gradient(self._model, self._model.dense_parameters())
        if error is not None and self._context.world_size > 1:
            # Raised now, because the gradient exchange between ranks would hang.
            raise error
        if error is not None:
            _log.warning("%s", error)

    def unscale(self) -> None:
        """Divides the gradients of FP16 losses by their scale, so that they can be measured."""
        self.scaler.unscale_(self._optimizers.joint)

    def update(self) -> bool:
        """Clips the gradients, makes a step of the optimizers, and resets the gradients.

        Tables that grow admit and evict ids afterwards, when it is time.

        Returns:
            Whether the step was made: in FP16, or where `on_nonfinite` asks for it, it is not if a
            gradient is not finite.
        """
        joint = self._optimizers.joint
        self._clipper.clip()
        before = joint.steps
        self.scaler.step(joint)
        self.scaler.update()
        self._optimizers.zero_grad()
        self._growth.step()
        made = joint.steps > before
        self.finite.end(made)
        return made

    def loss_scale(self) -> torch.Tensor | None:
        """Returns the scale of FP16 losses, a scalar on the device; None in other precisions."""
        scales = self.scaler.is_enabled() and not isinstance(self.scaler, FiniteGuard)
        return self.scaler.scale(self._one) if scales else None

    def dense_gradient_norm(self) -> torch.Tensor | None:
        """Returns the norm of all gradients of dense parameters, a scalar on the device.

        None if there are none. Asks the device for nothing.
        """
        gradients = [p.grad for p in self._dense_parameters if p.grad is not None]
        return nn.utils.get_total_norm(gradients) if gradients else None

    def _exchange(self, last: bool) -> AbstractContextManager[object]:
        if last or not isinstance(self._module, DistributedDataParallel):
            return nullcontext()
        return self._module.no_sync()

    def _weigh(
        self, batch: Batch, losses: Mapping[str, torch.Tensor], group_rows: int, group: int
    ) -> tuple[Weights, Mapping[str, torch.Tensor | float]]:
        # Gradients are averaged over ranks, so a rank scales its mean by its share of the weight
        # times the number of ranks.
        world_size = self._context.world_size
        weights = self._model.batch_weight(batch)
        if isinstance(weights, float) and not self._rows_may_be_missing:
            share = world_size * batch.size / group_rows
            return weights, dict.fromkeys(losses, share)
        if isinstance(weights, float):
            # It is filled in on the device: a copy would wait.
            rows = torch.full((), weights, device=self._context.device)
            weights = dict.fromkeys(losses, rows)
        local = torch.stack([weights[name] for name in losses]).double()
        total = self._context.sum_on_device(local.clone())
        # The weights of later steps are not known yet, so each step of a group counts the same.
        shares = (world_size * local / (group * total.clamp_min(1e-30))).float()
        return dict(zip(losses, local, strict=True)), dict(zip(losses, shares, strict=True))


def _distributed(module: nn.Module, model: Model, context: WorkerContext) -> nn.Module:
    # For embedding tables, ranks exchange the gradients of rows instead.
    tables = {id(parameter) for parameter in model.sparse_parameters()}
    context.copy_from_rank_zero(parameter.detach() for parameter in model.sparse_parameters())
    names = [name for name, parameter in module.named_parameters() if id(parameter) in tables]
    # What is no part of a checkpoint is constant; DDP would send it again in every step.
    names += [name for name, _ in module.named_buffers() if name not in module.state_dict()]
    # Every rank finds out by itself which rows ids have.
    of_ranks = {id(buffer) for buffer in model.dense_buffers()}
    names += [name for name, buffer in module.named_buffers() if id(buffer) not in of_ranks]
    DistributedDataParallel._set_params_and_buffers_to_ignore_for_model(module, names)
    return _TimedParallel(module, context.clock)


class _TimedParallel(DistributedDataParallel):
    """`DistributedDataParallel` that counts as waiting what its copies of buffers wait for.

    Args:
        module: The module.
        clock: Clock of the training thread.
    """

    def __init__(self, module: nn.Module, clock: PhaseClock) -> None:
        super().__init__(module, gradient_as_bucket_view=True)
        self._clock = clock

    def _sync_buffers(self) -> None:
        copy: Callable[[], None] = super()._sync_buffers
        with self._clock.waiting_for_peers():
            copy()
