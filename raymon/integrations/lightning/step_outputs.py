"""What `training_step` returns, as the arguments of `Monitor.step`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from raymon.errors import UserError


@dataclass(frozen=True)
class OutputNames:
    """The names under which `training_step` returns what is measured.

    Attributes:
        losses: Losses, whose sum is the total loss.
        predictions: Predictions of the batch.
        targets: Targets of the batch.
        weights: Weights of its samples.
    """

    losses: Sequence[str]
    predictions: str
    targets: str
    weights: str

    @classmethod
    def of(cls, loss: str | Sequence[str], *others: str) -> OutputNames:
        """Checks the names that a callback was given.

        Raises:
            UserError: A name is no text.
        """
        losses = [loss] if isinstance(loss, str) else list(loss)
        for name in (*losses, *others):
            if not isinstance(name, str):
                raise UserError(
                    f"MonitorCallback: {name!r} is no name of what training_step returns"
                )
        return cls(losses, *others)

    def step_arguments(self, outputs: Mapping[str, Any], loss_scale: float) -> dict[str, Any]:
        """Returns the arguments of `Monitor.step` that are in the outputs.

        Args:
            outputs: Outputs by name.
            loss_scale: Number that `loss` is multiplied by, to undo what was divided off.
        """
        losses = {name: outputs[name] for name in self.losses if outputs.get(name) is not None}
        if loss_scale != 1 and "loss" in losses:
            losses["loss"] = losses["loss"] * loss_scale
        arguments: dict[str, Any] = {"losses": losses}
        for argument in ("predictions", "targets", "weights"):
            given = outputs.get(getattr(self, argument))
            if given is not None:
                arguments[argument] = given
        return arguments

    def scalars(self, outputs: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the other outputs that are single numbers."""
        taken = {*self.losses, "loss", self.predictions, self.targets, self.weights}
        return {n: value for n, value in outputs.items() if n not in taken and _is_scalar(value)}


def _is_scalar(value: Any) -> bool:
    if isinstance(value, Tensor):
        return value.ndim == 0 and value.is_floating_point()
    return isinstance(value, float)
