"""The initial values of a table, as a config names them: `init_fn`, parsed and never evaluated."""

from __future__ import annotations

import difflib
import math
from dataclasses import dataclass

_PREFIXES = ("torch.nn.init.", "nn.init.", "init.")

_KAIMING: dict[str, float | str | None] = {
    "a": 0.0,
    "mode": "fan_in",
    "nonlinearity": "leaky_relu",
}

INITIALIZERS: dict[str, dict[str, float | str | None]] = {
    "uniform_": {"a": 0.0, "b": 1.0},
    "normal_": {"mean": 0.0, "std": 1.0},
    "trunc_normal_": {"mean": 0.0, "std": 1.0, "a": -2.0, "b": 2.0},
    "constant_": {"val": None},
    "zeros_": {},
    "ones_": {},
    "xavier_uniform_": {"gain": 1.0},
    "xavier_normal_": {"gain": 1.0},
    "kaiming_uniform_": _KAIMING,
    "kaiming_normal_": _KAIMING,
}
"""Initializers of `torch.nn.init` and their arguments with defaults; None if one must be given."""

_WORDS: dict[str, tuple[str, ...]] = {
    "mode": ("fan_in", "fan_out"),
    "nonlinearity": ("leaky_relu", "linear", "relu", "selu", "sigmoid", "tanh"),
}
"""Arguments that are words, and the words that they can be."""


@dataclass(frozen=True)
class Initializer:
    """An initializer of `torch.nn.init` with all of its arguments.

    Attributes:
        name: Name of the function, such as `uniform_`.
        arguments: Names and values of its arguments, in its order, defaults included.
    """

    name: str
    arguments: tuple[tuple[str, float | str], ...] = ()

    def __getitem__(self, argument: str) -> float:
        """Returns the value of an argument that is a number."""
        return float(dict(self.arguments)[argument])

    def word(self, argument: str) -> str:
        """Returns the value of an argument that is a word."""
        return str(dict(self.arguments)[argument])

    def __str__(self) -> str:
        """Returns the text that a config would have for it."""
        given = [f"{key}={_text(value)}" for key, value in self.arguments]
        return ",".join([f"nn.init.{self.name}", *given])


def parse_initializer(text: str) -> Initializer:
    """Parses "nn.init.uniform_,a=-0.01,b=0.01"; the "nn.init." may be left out.

    Raises:
        ValueError: The text is no initializer; the message says what is wrong and what would be
            right, and is to follow the name of the field and a colon.
    """
    first, *rest = [part.strip() for part in text.split(",")]
    prefix = next((p for p in _PREFIXES if first.startswith(p)), "")
    name = first.removeprefix(prefix)
    if name not in INITIALIZERS:
        raise ValueError(_unknown(name, list(INITIALIZERS), "initializer"))
    known = INITIALIZERS[name]
    values: dict[str, float | str | None] = dict(known)
    given: set[str] = set()
    for part in rest:
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals:
            raise ValueError(
                f'"{part}" in "{text}" has no name; write arguments as in {_example(name)}'
            )
        if key not in known:
            raise ValueError(_unknown(key, list(known), f"argument of {name}"))
        if key in given:
            raise ValueError(f'"{text}" gives {key} twice; give it once')
        given.add(key)
        values[key] = _value(key, value)
    missing = [key for key, value in values.items() if value is None]
    if missing:
        raise ValueError(f"{name} needs {missing[0]}; write {_example(name)}")
    arguments = tuple((key, value) for key, value in values.items() if value is not None)
    result = Initializer(name, arguments)
    _check(result)
    return result


def _value(key: str, text: str) -> float | str:
    if key in _WORDS:
        word = text.strip("'\"")
        if word not in _WORDS[key]:
            raise ValueError(f"{key} is {text}; must be one of {', '.join(_WORDS[key])}")
        return word
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{key} is {text or 'empty'}; must be a finite number")
    return number


def _check(initializer: Initializer) -> None:
    if initializer.name in ("uniform_", "trunc_normal_"):
        low, high = initializer["a"], initializer["b"]
        if not low < high:
            raise ValueError(f"a is {low:g} and b is {high:g}; a must be below b")
    if initializer.name in ("normal_", "trunc_normal_") and not initializer["std"] > 0:
        raise ValueError(f"std is {initializer['std']:g}; must be above 0")
    if initializer.name == "trunc_normal_":
        mean, std = initializer["mean"], initializer["std"]
        below = [math.erf((x - mean) / (std * math.sqrt(2))) for x in (low, high)]
        if below[1] - below[0] < 1e-6:
            raise ValueError(
                f"[a, b] is [{low:g}, {high:g}], where a normal distribution of mean {mean:g} and "
                f"std {std:g} has next to no values; give bounds around the mean"
            )


def _unknown(name: str, known: list[str], what: str) -> str:
    nearest = difflib.get_close_matches(name, known, n=1)
    if nearest:
        return f'unknown {what} "{name}"; did you mean "{nearest[0]}"?'
    return f'unknown {what} "{name}"; there are {", ".join(known) or "none"}'


def _example(name: str) -> str:
    known = INITIALIZERS[name]
    parts = [f"{key}={_text(0.01 if value is None else value)}" for key, value in known.items()]
    return '"' + ",".join([f"nn.init.{name}", *parts]) + '"'


def _text(value: float | str) -> str:
    return value if isinstance(value, str) else repr(value)
