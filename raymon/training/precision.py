"""Number formats of training: mixed precision, loss scaling, TF32."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch

from raymon.protos.train_pb2 import TrainConfig

_DTYPES = {"BF16": torch.bfloat16, "FP16": torch.float16}


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
