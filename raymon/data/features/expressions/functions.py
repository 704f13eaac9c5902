"""The functions and operators of expressions, for all rows at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_EARTH_KM = 6371.0
"""Mean radius of the earth."""


def _rounded(x: Floats) -> Floats:
    """Rounds to the nearest integer, halves away from zero."""
    result: Floats = np.sign(x) * np.floor(np.abs(x) + 0.5)
    return result


def _rounded_to(x: Floats, digits: Floats) -> Floats:
    scale = np.power(10.0, digits)
    return _rounded(x * scale) / scale


def _sigmoid(x: Floats) -> Floats:
    result: Floats = 1 / (1 + np.exp(-x))
    return result


def _haversine(lng1: Floats, lat1: Floats, lng2: Floats, lat2: Floats) -> Floats:
    """Returns the distance on a sphere in km, of longitudes and latitudes in degrees."""
    lng1, lat1, lng2, lat2 = map(np.radians, (lng1, lat1, lng2, lat2))
    half = np.sin((lat2 - lat1) / 2) ** 2
    half = half + np.cos(lat1) * np.cos(lat2) * np.sin((lng2 - lng1) / 2) ** 2
    result: Floats = 2 * _EARTH_KM * np.arcsin(np.sqrt(np.clip(half, 0, 1)))
    return result


def _on_integers(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda a, b: function(a.astype(np.int64), b.astype(np.int64)).astype(np.float64)


def _truth(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *x: function(*x).astype(np.float64)


ELEMENTWISE: Mapping[str, tuple[int, Callable[..., Any]]] = {
    "sin": (1, np.sin),
    "cos": (1, np.cos),
    "tan": (1, np.tan),
    "asin": (1, np.arcsin),
    "acos": (1, np.arccos),
    "atan": (1, np.arctan),
    "sinh": (1, np.sinh),
    "cosh": (1, np.cosh),
    "tanh": (1, np.tanh),
    "asinh": (1, np.arcsinh),
    "acosh": (1, np.arccosh),
    "atanh": (1, np.arctanh),
    "log2": (1, np.log2),
    "log10": (1, np.log10),
    "log": (1, np.log),
    "ln": (1, np.log),
    "exp": (1, np.exp),
    "sqrt": (1, np.sqrt),
    "sign": (1, np.sign),
    "abs": (1, np.abs),
    "rint": (1, np.rint),
    "floor": (1, np.floor),
    "ceil": (1, np.ceil),
    "trunc": (1, np.trunc),
    "round": (1, _rounded),
    "roundp": (2, _rounded_to),
    "sigmoid": (1, _sigmoid),
    "sphere_dist": (4, _haversine),
    "haversine": (4, _haversine),
    "min": (0, lambda *x: reduce(np.minimum, x)),
    "max": (0, lambda *x: reduce(np.maximum, x)),
    "sum": (0, lambda *x: sum(x)),
    "avg": (0, lambda *x: sum(x) / len(x)),
    "||": (2, _truth(lambda a, b: (a != 0) | (b != 0))),
    "&&": (2, _truth(lambda a, b: (a != 0) & (b != 0))),
    "|": (2, _on_integers(np.bitwise_or)),
    "&": (2, _on_integers(np.bitwise_and)),
    "<=": (2, _truth(np.less_equal)),
    ">=": (2, _truth(np.greater_equal)),
    "!=": (2, _truth(np.not_equal)),
    "==": (2, _truth(np.equal)),
    ">": (2, _truth(np.greater)),
    "<": (2, _truth(np.less)),
    "+": (2, np.add),
    "-": (2, np.subtract),
    "*": (2, np.multiply),
    "/": (2, np.true_divide),
    "^": (2, np.power),
    "negative": (1, np.negative),
    "?:": (3, lambda test, yes, no: np.where(test != 0, yes, no)),
}
"""Functions of numbers, with how many they take; 0 for any number of them."""


def _sums(x: Floats, starts: Ints) -> Floats:
    result: Floats = np.add.reduceat(x, starts)
    return result


def _variance(x: Floats, starts: Ints, lengths: Ints, less: int) -> Floats:
    means = np.repeat(_sums(x, starts) / lengths, lengths)
    return _sums((x - means) ** 2, starts) / (lengths - less)


OF_VECTORS: Mapping[str, tuple[int, Callable[..., Floats]]] = {
    "len": (1, lambda s, n, x: n.astype(np.float64)),
    "l2_norm": (1, lambda s, n, x: np.sqrt(_sums(x * x, s))),
    "squared_norm": (1, lambda s, n, x: _sums(x * x, s)),
    "dot": (2, lambda s, n, x, y: _sums(x * y, s)),
    "euclid_dist": (2, lambda s, n, x, y: np.sqrt(_sums((x - y) ** 2, s))),
    "std_dev": (1, lambda s, n, x: np.sqrt(_variance(x, s, n, 0))),
    "pop_std_dev": (1, lambda s, n, x: np.sqrt(_variance(x, s, n, 1))),
    "variance": (1, lambda s, n, x: _variance(x, s, n, 0)),
    "pop_variance": (1, lambda s, n, x: _variance(x, s, n, 1)),
    "reduce_min": (1, lambda s, n, x: np.minimum.reduceat(x, s)),
    "reduce_max": (1, lambda s, n, x: np.maximum.reduceat(x, s)),
    "reduce_sum": (1, lambda s, n, x: _sums(x, s)),
    "reduce_mean": (1, lambda s, n, x: _sums(x, s) / n),
    "reduce_prod": (1, lambda s, n, x: np.multiply.reduceat(x, s)),
}
"""Functions of the numbers of each row, which begin at `s` and are `n`: with how many they take."""

CONSTANTS: Mapping[str, float] = {"_pi": math.pi, "_e": math.e}
