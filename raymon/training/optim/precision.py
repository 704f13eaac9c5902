"""Number formats of training: mixed precision, loss scaling, TF32."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from raymon.protos.train_pb2 import OnNonfinite, TrainConfig

_DTYPES = {"BF16": torch.bfloat16, "FP16": torch.float16}


class SkippedSteps:
    """Counts the steps of the optimizer that are skipped because a gradient is not finite.

    In FP16 a few are needed to find the scale of the loss; with many, a run learns little.
    """

    _FEW, _SHARE = 5, 0.1

    def __init__(self) -> None:
        self._steps = self._skipped = 0

    def count(self, made: bool) -> None:
        """Counts a step that was made or skipped."""
        self._steps += 1
        self._skipped += not made

    def notice(self, scaler: torch.amp.GradScaler) -> Callable[[], str] | None:
        """Returns a notice about the steps since the last call; None if few were skipped.

        Returns:
            A function that returns the text. It asks the device for the loss scale, so it is for a
            thread other than the training thread.
        """
        steps, skipped = self._steps, self._skipped
        self._steps = self._skipped = 0
        many = skipped > self._FEW and skipped > self._SHARE * steps
        if not many and not 0 < skipped == steps:
            return None

        if isinstance(scaler, FiniteGuard):
            what = "losses or gradients were NaN or infinite"
            return lambda: f"{skipped} of {steps} steps of the optimizer were skipped, as {what}"

        def text() -> str:
            return (
                f"FP16: {skipped} of {steps} steps of the optimizer changed no weight, as "
                f"gradients were not finite; the loss scale is {scaler.get_scale():g} now. A "
                "smaller grad_scaler.init_scale gets there sooner, and BF16 needs none"
            )

        return text


def set_tf32(config: TrainConfig) -> None:
    """Sets whether convolutions and matrix products on CUDA may use TF32."""
    with warnings.catch_warnings():
        # torch 2.9 and later have other switches, and some of them warn of these. But these set
        # both kinds, while the others leave these as they were: whoever then reads them, as
        # `torch.compile` does, gets an error that says that they do not agree.
        warnings.simplefilter("ignore", UserWarning)
        torch.backends.cudnn.allow_tf32 = config.cudnn_allow_tf32
        torch.backends.cuda.matmul.allow_tf32 = config.cuda_matmul_allow_tf32


def autocast(config: TrainConfig, device: torch.device) -> AbstractContextManager[object]:
    """Returns the context of a forward pass: BF16, FP16, or the type of the parameters."""
    dtype = _DTYPES.get(config.mixed_precision)
    return nullcontext() if dtype is None else torch.autocast(device.type, dtype=dtype)


class FiniteGuard(torch.amp.GradScaler):
    """A loss scaler that leaves losses as they are, and makes no step that is not finite.

    Like that of FP16, it waits for the device once in each step of the optimizer: whether a step is
    made decides what optimizers of tables and averages do, on the host.
    """

    def __init__(self, device: str) -> None:
        super().__init__(device, init_scale=1.0)

    def update(self, new_scale: float | torch.Tensor | None = None) -> None:
        """Ends a step of the optimizer; the scale stays 1."""
        super().update(1.0)

    def state_dict(self) -> dict[str, Any]:
        """Returns nothing: there is no state."""
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Does nothing: there is no state."""


def grad_scaler(config: TrainConfig, device: torch.device) -> torch.amp.GradScaler:
    """Makes the loss scaler: for FP16, or one that only guards steps, or one that is disabled."""
    scaler = config.grad_scaler
    if config.mixed_precision != "FP16" and config.on_nonfinite != OnNonfinite.WARN:
        return FiniteGuard(device.type)
    return torch.amp.GradScaler(
        device.type,
        init_scale=scaler.init_scale,
        growth_factor=scaler.growth_factor,
        backoff_factor=scaler.backoff_factor,
        growth_interval=scaler.growth_interval,
        enabled=config.mixed_precision == "FP16",
    )


def scaler_state(scaler: torch.amp.GradScaler) -> dict[str, Any]:
    """Returns what the `state_dict` of a loss scaler has, without waiting for the device.

    Its scale and its steps since the last growth are tensors on the device, which training changes.
    """
    if not scaler.is_enabled() or isinstance(scaler, FiniteGuard) or scaler._scale is None:
        return scaler.state_dict()
    return {
        "scale": scaler._scale,
        "growth_factor": scaler.get_growth_factor(),
        "backoff_factor": scaler.get_backoff_factor(),
        "growth_interval": scaler.get_growth_interval(),
        "_growth_tracker": scaler._growth_tracker,
    }


def plain_scaler_state(state: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the state of a loss scaler, or a copy of it on the CPU, with plain numbers."""
    return {
        name: value.item() if isinstance(value, torch.Tensor) else value
        for name, value in state.items()
    }
