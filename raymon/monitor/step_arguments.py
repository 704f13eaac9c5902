"""The arguments of a step, checked and as tensors. Nothing here waits for a device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral

import torch
from torch import Tensor

from raymon.errors import UserError
from raymon.monitor.columns import Columns, Rows, column, is_named, row_count
from raymon.monitor.named_rows import MetricsOf, names_needed, rows_by_name

Losses = Mapping[str, Tensor | float]


@dataclass(slots=True)
class StepArguments:
    """The arguments of a step; the defaults stand for a step of which nothing is known.

    Attributes:
        losses: Loss scalars by name.
        rows: What metrics are updated with, by the name of their prediction, which is empty if they
            have none.
        samples: Number of rows B; 0 if it is not known.
        loss_weights: Weight of the losses: by name the sum of the sample weights, or the number of
            rows.
        epoch: Number of the epoch, from 0.
        errors: What is wrong with columns, and costs nothing else.
    """

    losses: Mapping[str, Tensor] = field(default_factory=dict)
    rows: Mapping[str, Rows] = field(default_factory=dict)
    samples: int = 0
    loss_weights: Mapping[str, Tensor | float] | float = 0.0
    epoch: int = 0
    errors: Sequence[Exception] = ()

    @classmethod
    def of(
        cls,
        losses: Losses,
        predictions: Columns | None,
        targets: Columns | None,
        weights: Columns | None,
        samples: int | None,
        epoch: int,
        metrics: Mapping[str, MetricsOf],
    ) -> StepArguments:
        """Checks and converts the arguments of the public `Monitor.step`, which come first.

        Args:
            losses: Loss scalars by name.
            predictions: Predictions.
            targets: Targets.
            weights: Sample weights.
            samples: Number of rows.
            epoch: Number of the epoch.
            metrics: The metrics of each prediction; the name is empty if they have none.

        Raises:
            Exception: An argument is wrong; the exception can be of any type.
        """
        by_name = _by_name(losses)
        if (
            isinstance(predictions, Tensor)
            and isinstance(targets, Tensor)
            and (weights is None and samples is None)
            and ("" in metrics or not metrics)
        ):
            # Most steps: what follows would come to the same, and take twice as long.
            both = column("predictions", predictions), column("targets", targets)
            count = row_count(targets)
            taken = {"": Rows(both, None, count)} if count else {}
            return cls(by_name, taken, count, float(count or 1), int(epoch))
        given = None if samples is None else _whole(samples)
        if is_named(predictions) or is_named(targets) or is_named(weights):
            rows, errors = rows_by_name(predictions, targets, weights, metrics)
            first = next((of.size for of in rows.values()), 0)
            count = first if given is None else given
            taken = {name: of for name, of in rows.items() if of.columns and of.size}
            # A mean over no rows is no number, and none that is missing.
            known = {n: loss for n, loss in by_name.items() if n not in rows or rows[n].size}
            weighed = _weights_by_name(known, rows, weights, count)
            return cls(known, taken, count, weighed, int(epoch), errors)
        errors = []
        columns = _columns(predictions, targets)
        # The rows of the targets, or of the predictions if they are alone.
        count = given if given is not None else row_count(columns[-1]) if columns else 0
        # If the number of rows is unknown, every step weighs the same.
        loss_weights: Mapping[str, Tensor | float] | float = float(count or 1)
        of_rows = None
        if weights is not None:
            of_rows = column("weights", weights)
            loss_weights = dict.fromkeys(by_name, of_rows.sum())
        own = metrics.get("")
        if columns and metrics and own is None:
            errors, columns = [names_needed(metrics)], ()
        elif len(columns) == 1 and own is not None and own.take_both:
            missing = "targets" if targets is None else "predictions"
            errors, columns = [UserError(f"a step without {missing} is in no metric")], ()
        taken = {"": Rows(columns, of_rows, count)} if columns and count else {}
        return cls(by_name, taken, count, loss_weights, int(epoch), errors)


def learning_rates_of(optimizer: torch.optim.Optimizer | None) -> Sequence[float]:
    """Returns the learning rates by parameter group; none if one of them is on a device."""
    if optimizer is None:
        return ()
    rates = [group["lr"] for group in optimizer.param_groups]
    if any(isinstance(rate, Tensor) and rate.device.type != "cpu" for rate in rates):
        return ()
    return [float(rate) for rate in rates]


def _columns(predictions: Columns | None, targets: Columns | None) -> tuple[Tensor, ...]:
    if predictions is None:
        return () if targets is None else (column("targets", targets),)
    if targets is None:
        return (column("predictions", predictions),)
    return column("predictions", predictions), column("targets", targets)


def _weights_by_name(
    losses: Mapping[str, Tensor], rows: Mapping[str, Rows], weights: Columns | None, count: int
) -> Mapping[str, Tensor | float]:
    """Returns the weight of each loss: of one with the name of a prediction, that of its rows."""
    of_others: Tensor | float = float(count or 1)
    if weights is not None and not isinstance(weights, Mapping):
        of_others = column("weights", weights).sum()
    weighed: dict[str, Tensor | float] = {}
    for name in losses:
        of = rows.get(name)
        if of is None:
            weighed[name] = of_others
        else:
            weighed[name] = float(of.size) if of.weights is None else of.weights.sum()
    return weighed


def _whole(samples: int) -> int:
    if not isinstance(samples, Integral) or samples < 0:
        raise ValueError(f"samples is {samples!r}; it must be a whole number of at least 0")
    return int(samples)


def _by_name(losses: Losses) -> dict[str, Tensor]:
    # Most are a plain one; to ask whether something is a mapping takes long.
    if type(losses) is not dict and not isinstance(losses, Mapping):
        raise TypeError(f'losses is a {type(losses).__name__}; give them by name: {{"bce": loss}}')
    return {
        name: loss if isinstance(loss, Tensor) and loss.ndim == 0 else _scalar(name, loss)
        for name, loss in losses.items()
    }


def _scalar(name: str, loss: Tensor | float) -> Tensor:
    if not isinstance(loss, Tensor):
        try:
            return torch.tensor(float(loss), device="cpu")
        except (TypeError, ValueError):
            what = f"loss {name} is {loss!r:.60}; give a number, or a tensor of one"
            raise TypeError(what) from None
    if loss.numel() != 1:
        raise ValueError(f"loss {name} has shape {list(loss.shape)}; give its mean over the batch")
    # The recorder takes its number, or detaches it.
    return loss.reshape(())
