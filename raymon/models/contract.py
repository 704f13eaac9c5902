"""Checks that what a model returns is what its losses and metrics expect."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from torch import Tensor, nn

from raymon.errors import ModelError


class Expected(NamedTuple):
    """A prediction that losses or metrics take.

    Attributes:
        taken_by: Name of the loss or the metric that takes the prediction, for messages.
        dims: Number of dimensions: 1 for a number a row, `[B]`; 2 for a score of each class or
            candidate, `[B, C]`.
        classes: Number of classes, C; None if any number is right.
    """

    taken_by: str
    dims: int
    classes: int | None = None

    def __str__(self) -> str:
        return "[B]" if self.dims == 1 else f"[B, {self.classes or 'C'}]"


def check_predictions(
    model: nn.Module,
    predictions: object,
    rows: int,
    expected: Mapping[str, Expected],
    method: str = "predict",
) -> None:
    """Checks what a model predicts for a batch, by what the host knows, so that nothing waits.

    Args:
        model: Model that made the predictions.
        predictions: Value that it returned.
        rows: Number of rows of the batch, B.
        expected: Predictions that are taken, by name.
        method: Method that returned them, for messages.

    Raises:
        ModelError: They are no dictionary of tensors, or one that is expected is missing or has
            another shape or type.
    """
    if not isinstance(predictions, Mapping):
        raise error_of(
            model, method, f"returned {_what(predictions)}; it must return a dictionary of tensors"
        )
    for name, value in predictions.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise error_of(
                model,
                method,
                f"returned {name!r}: {_what(value)}; it must return tensors by name",
            )
    for name, wanted in expected.items():
        value = predictions.get(name)
        if value is None:
            given = ", ".join(f'"{name}"' for name in predictions) or "nothing"
            raise error_of(
                model, method, f'returned {given}; {wanted.taken_by} takes "{name}", float {wanted}'
            )
        shape = value.shape
        fits = len(shape) == wanted.dims and shape[0] == rows
        if fits and wanted.dims == 2:
            # A batch of one row has one candidate, if the candidates are its rows.
            fits = shape[1] == wanted.classes if wanted.classes else shape[1] > 1 or rows < 2
        if not fits or not value.is_floating_point():
            hint = "; squeeze(1) makes it so" if tuple(shape) == (rows, 1) else ""
            raise error_of(
                model,
                method,
                f'returned "{name}" as {_what(value)} for a batch of {rows} rows; '
                f"{wanted.taken_by} takes float {wanted}{hint}",
            )


def check_losses(model: nn.Module, losses: object, before: Sequence[str] = ()) -> None:
    """Checks what a model returned as the losses of a batch that it is trained on.

    Args:
        model: Model that made the losses.
        losses: Value that it returned.
        before: Names of the losses in the step before; empty in the first step.

    Raises:
        ModelError: They are no dictionary of scalars by name, have other names than before, or no
            parameter can learn from them.
    """
    if not isinstance(losses, Mapping) or not losses:
        raise error_of(
            model,
            "loss",
            f"returned {_what(losses)}; it must return a dictionary of scalars",
        )
    for name, value in losses.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise error_of(
                model, "loss", f"returned {name!r}: {_what(value)}; it must return tensors by name"
            )
        if value.dim() or not value.is_floating_point():
            raise error_of(
                model,
                "loss",
                f'returned "{name}" as {_what(value)}; it must be a float scalar, the mean over '
                "the rows of the batch",
            )
    if before and list(losses) != list(before):
        raise error_of(
            model,
            "loss",
            f"returned {', '.join(losses)}, and {', '.join(before)} in the step before; losses "
            "have the same names in every step: one that a batch does not have is 0",
        )
    if not any(value.requires_grad for value in losses.values()):
        raise error_of(
            model,
            "loss",
            f"returned {', '.join(losses)} without a gradient; compute it of predictions that are "
            "not detached, of parameters that are trained",
        )


def without_gradient(model: nn.Module, parameters: Iterable[nn.Parameter]) -> ModelError | None:
    """Returns the error of parameters without a gradient after a step; None if all have one."""
    wanted = {id(parameter) for parameter in parameters}
    left_out = [n for n, p in model.named_parameters() if id(p) in wanted and p.grad is None]
    if not left_out:
        return None
    names = ", ".join(left_out[:3]) + (f" and {len(left_out) - 3} more" if left_out[3:] else "")
    return error_of(
        model,
        "predict",
        f"has no use for {names}; every parameter must take part in every step: leave it out of "
        "the model, or set its requires_grad to False",
    )


def error_of(model: nn.Module, method: str, what: str) -> ModelError:
    """Returns the error of a method of a model, with the file and line where it is defined."""
    cls = type(model)
    function = inspect.unwrap(getattr(cls, method))
    code = getattr(function, "__code__", None)
    place = f"{code.co_filename}:{code.co_firstlineno}: " if code else ""
    return ModelError(f"{place}{cls.__name__}.{method} {what}")


def _what(value: object) -> str:
    if isinstance(value, Tensor):
        return f"{str(value.dtype).removeprefix('torch.')} {list(value.shape)}"
    if value is None:
        return "None"
    if isinstance(value, Mapping):
        return "an empty dictionary"
    return f"a {type(value).__name__}"
