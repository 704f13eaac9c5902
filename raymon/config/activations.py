"""Which classes of torch.nn are activations that a config can name."""

from __future__ import annotations

import warnings

import torch
from torch import nn


def is_activation(activation: str, dtype: torch.dtype = torch.float32) -> bool:
    """Returns whether a class of torch.nn needs no arguments and works element by element.

    Args:
        activation: Name of the class, with or without `nn.`.
        dtype: Type of the numbers, on the CPU.
    """
    cls = getattr(nn, activation.removeprefix("nn."), None)
    if not isinstance(cls, type) or cls.__module__ != "torch.nn.modules.activation":
        return False
    numbers = torch.zeros(2, 3, dtype=dtype)
    try:
        half = None if dtype == torch.float32 else dtype
        with warnings.catch_warnings(), torch.autocast("cpu", half, enabled=half is not None):
            # Softmax guesses its dimension, with a warning.
            warnings.simplefilter("error")
            return bool(cls()(numbers).shape == numbers.shape)
    except Exception:  # whatever a class refuses, it is none that a config can name
        return False


def takes_halves(activation: str) -> bool:
    """Returns whether an activation takes FP16 on the CPU."""
    return is_activation(activation, torch.float16)
