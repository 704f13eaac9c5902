"""What the model of a trainer takes and returns in the batches of a step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from raymon.integrations.batches import rows_of

Predictions = str | Callable[[Any], Tensor] | None
"""How predictions are found in what a model returns: by name, by a function, or not at all."""


class MicroBatches:
    """A forward hook that keeps, until a step is over, what is measured of its batches.

    Args:
        predictions: How predictions `[B]` or `[B, C]` are found in what the model returns.
        targets: Name of the argument of the model that has the targets `[B]`.
        loss_scale: Number that losses are multiplied by that are parts of one mean.
        count: Takes what was raised.
        after: Called after each pass.
    """

    def __init__(
        self,
        predictions: Predictions,
        targets: str,
        loss_scale: float,
        count: Callable[[Exception], None],
        after: Callable[[], None],
    ) -> None:
        self._predictions_of = predictions
        self._targets_name = targets
        self._loss_scale = loss_scale
        self._count = count
        self._after = after
        self._losses: list[Tensor] = []
        self._predictions: list[Tensor] = []
        self._targets: list[Tensor] = []
        self._rows: int | None = None
        self._are_parts = False

    def __call__(
        self, model: nn.Module, given: tuple[Any, ...], named: dict[str, Any], outputs: Any
    ) -> None:
        """Keeps what is measured of a batch; called after `model` is, in training alone."""
        if not model.training:
            return
        try:
            self._keep(named, outputs)
        except Exception as error:
            self._count(error)
        self._after()

    def step_arguments(self) -> dict[str, Any]:
        """Returns the arguments of `Monitor.step` for the batches until now, and forgets them."""
        arguments: dict[str, Any] = {"losses": {}, "samples": self._rows}
        if self._losses:
            total = torch.stack(self._losses).sum()
            scale = self._loss_scale if self._are_parts else 1 / len(self._losses)
            arguments["losses"]["loss"] = total * scale
        if self._predictions:
            arguments["predictions"] = _joined(self._predictions)
        if self._targets:
            arguments["targets"] = _joined(self._targets)
        self._clear()
        return arguments

    def _keep(self, named: Mapping[str, Any], outputs: Any) -> None:
        self._rows = (self._rows or 0) + (rows_of(named) or 0) or None
        # Losses that are divided by the number of items of the whole step are parts of one mean.
        self._are_parts = named.get("num_items_in_batch") is not None
        loss = _item(outputs, "loss")
        if isinstance(loss, Tensor):
            # Trainers scale it in place.
            self._losses.append(loss.detach().clone().reshape(()))
        if self._predictions_of is None:
            return
        found = (
            _item(outputs, self._predictions_of)
            if isinstance(self._predictions_of, str)
            else self._predictions_of(outputs)
        )
        if found is None:
            raise KeyError(f"the model returns no {self._predictions_of}")
        self._predictions.append(found.detach())
        if self._targets_name not in named:
            raise KeyError(f"the model is given no {self._targets_name}")
        self._targets.append(named[self._targets_name])

    def _clear(self) -> None:
        self._losses, self._predictions, self._targets = [], [], []
        self._rows = None


def _item(outputs: Any, name: str) -> Any:
    return outputs.get(name) if isinstance(outputs, Mapping) else getattr(outputs, name, None)


def _joined(parts: list[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(parts)
