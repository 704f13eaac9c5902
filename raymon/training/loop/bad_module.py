"""The first module of a model whose output is not finite."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from typing import Any

import torch
from torch import nn

from raymon.data import Batch
from raymon.models import Model


@torch.no_grad()
def first_bad_module(model: Model, batch: Batch) -> str | None:
    """Returns the name of the module that is the first to give NaN or infinity for a batch.

    The model is run as in an evaluation, so that it stays as it is. Waits for the device.

    Args:
        model: The model.
        batch: The batch, on the device of the model.
    """
    found: list[str] = []

    def look(name: str, output: Any) -> None:
        if not found and not _is_finite(output):
            found.append(name)

    was_training = model.training
    with ExitStack() as hooks:
        hooks.callback(model.train, was_training)
        model.eval()
        for name, module in model.named_modules():
            if name:
                hooks.callback(_hook(module, name, look).remove)
        # A model may well raise for such numbers.
        with suppress(ValueError, RuntimeError):
            predictions = model.predict(batch)
            for name, prediction in predictions.items():
                look(f'the prediction "{name}"', prediction)
            for name, loss in model.loss(predictions, batch).items():
                look(f'the loss "{name}"', loss)
    return found[0] if found else None


def _hook(module: nn.Module, name: str, look: Any) -> Any:
    return module.register_forward_hook(lambda module, given, output: look(name, output))


def _is_finite(output: Any) -> bool:
    if isinstance(output, torch.Tensor):
        return not output.is_floating_point() or bool(output.isfinite().all())
    if isinstance(output, dict):
        return all(map(_is_finite, output.values()))
    if isinstance(output, list | tuple):
        return all(map(_is_finite, output))
    return True
