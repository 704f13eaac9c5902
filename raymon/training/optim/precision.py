"""Number formats of training: mixed precision, loss scaling, TF32."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch

from raymon.protos.train_pb2 import TrainConfig

_DTYPES = {"BF16": torch.bfloat16, "FP16": torch.float16}


class SkippedSteps:
    """Counts the steps of the optimizer that FP16 leaves out, where a gradient is not finite.

    A few are how the scale of the loss is found; where they are many, a run learns little.
    """

    _FEW, _SHARE = 5, 0.1

    def __init__(self) -> None:
        self._steps = self._skipped = 0

    def count(self, made: bool) -> None:
        """Adds a step that was made, or left out."""
        self._steps += 1
        self._skipped += not made

    def notice(self, scaler: torch.amp.GradScaler) -> str | None:
        """What to say of the steps since it was asked last; None where all is well.

        It waits for the device where there is something to say.
        """
        steps, skipped = self._steps, self._skipped
        self._steps = self._skipped = 0
        many = skipped > self._FEW and skipped > self._SHARE * steps
        if not many and not 0 < skipped == steps:
            return None
        return (
            f"FP16: {skipped} of {steps} steps of the optimizer changed no weight, as gradients "
            f"were not finite; the loss scale is {scaler.get_scale():g} now. A smaller "
            "grad_scaler.init_scale gets there sooner, and BF16 needs none"
        )


def set_tf32(config: TrainConfig) -> None:
    """Lets convolutions and matrix products on CUDA use TF32, or not."""
    torch.backends.cudnn.allow_tf32 = config.cudnn_allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = config.cuda_matmul_allow_tf32


def autocast(config: TrainConfig, device: torch.device) -> AbstractContextManager[object]:
    """The context of a forward pass: BF16, FP16, or as the parameters are."""
    dtype = _DTYPES.get(config.mixed_precision)
    return nullcontext() if dtype is None else torch.autocast(device.type, dtype=dtype)


def grad_scaler(config: TrainConfig, device: torch.device) -> torch.amp.GradScaler:
    """Scales losses for FP16; passes everything through otherwise."""
    scaler = config.grad_scaler
    return torch.amp.GradScaler(
        device.type,
        init_scale=scaler.init_scale,
        growth_factor=scaler.growth_factor,
        backoff_factor=scaler.backoff_factor,
        growth_interval=scaler.growth_interval,
        enabled=config.mixed_precision == "FP16",
    )
