"""The names of activations in a config, with their arguments."""

from __future__ import annotations

import ast
import re
from typing import Any, NamedTuple

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
