"""Which activations a config can name: those of torch.nn, and Dice."""

from __future__ import annotations

import warnings

import torch
from torch import nn

from raymon.config.activation_names import DICE, parse_activation


def is_activation(text: str, dtype: torch.dtype = torch.float32) -> bool:
    """Returns whether a text names an activation that works element by element.

    Args:
        text: Name of a class of torch.nn, with or without `nn.`, and arguments if it is given any;
            "Dice"; or nothing, for no activation.
        dtype: Type of the numbers, on the CPU.
    """
    if not text.strip():
        return True
    activation = parse_activation(text)
    if activation is None:
        return False
    if activation.name == DICE:
        return not activation.arguments
    cls = getattr(nn, activation.name, None)
    if not isinstance(cls, type) or cls.__module__ != "torch.nn.modules.activation":
        return False
    numbers = torch.zeros(2, 3, dtype=dtype)
    try:
        half = None if dtype == torch.float32 else dtype
        with warnings.catch_warnings(), torch.autocast("cpu", half, enabled=half is not None):
            # Softmax guesses its dimension, with a warning.
            warnings.simplefilter("error")
            return bool(cls(**activation.arguments)(numbers).shape == numbers.shape)
    except Exception:  # whatever a class refuses, it is none that a config can name
        return False


def takes_halves(activation: str) -> bool:
    """Returns whether an activation takes FP16 on the CPU."""
    return is_activation(activation, torch.float16)
