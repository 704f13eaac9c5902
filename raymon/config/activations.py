"""Which activations a config can name: those of torch.nn, and Dice."""

from __future__ import annotations

import ast
import re
import warnings
from typing import Any, NamedTuple

import torch
from torch import nn

DICE = "Dice"
"""The adaptive activation of DIN, which is a layer of raymon."""

_CALL = re.compile(r"(?:torch\.)?(?:nn\.)?(\w+)\s*(?:\((.*)\))?", re.S)


class Activation(NamedTuple):
    """An activation as a config names it, as "nn.LeakyReLU(negative_slope=0.1)".

    Attributes:
        name: Name of the class, without `nn.`.
        arguments: Arguments by name, each a number or a truth value.
    """

    name: str
    arguments: dict[str, Any]


def parse_activation(text: str) -> Activation | None:
    """Returns the activation that a text names; None if the text is not of this form.

    Nothing of it is evaluated: arguments are literals.

    Args:
        text: Name of a class, with or without `nn.`, and arguments if it is given any.
    """
    found = _CALL.fullmatch(text.strip())
    if found is None:
        return None
    arguments: dict[str, Any] = {}
    for part in filter(None, (found[2] or "").split(",")):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        try:
            literal = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            return None
        if not equals or not name.isidentifier() or not isinstance(literal, int | float):
            return None
        arguments[name] = literal
    return Activation(found[1], arguments)


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
