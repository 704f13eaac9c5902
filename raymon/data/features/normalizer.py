"""Normalizers of raw features: parses the text of the config into a function of an array."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from raymon.data.features.expressions.evaluation import Numbers, evaluate
from raymon.data.features.expressions.parser import parse_expression

Floats = npt.NDArray[np.float64]
Normalizer = Callable[[Floats], Floats]

_FUNCTIONS: Mapping[str, tuple[int, Callable[..., Any]]] = {
    "log": (1, np.log),
    "log10": (1, np.log10),
    "log1p": (1, np.log1p),
    "exp": (1, np.exp),
    "sqrt": (1, np.sqrt),
    "abs": (1, np.abs),
    "min": (2, np.minimum),
    "max": (2, np.maximum),
}
_OPERATORS: Mapping[type[ast.operator], Callable[..., Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.true_divide,
    ast.Pow: np.power,
}
# The parameters of each method, with their defaults; None if one must be given.
_PARAMETERS: Mapping[str, Mapping[str, float | None]] = {
    "log10": {"threshold": 1e-10, "default": -10.0},
    "zscore": {"mean": None, "standard_deviation": None},
    "minmax": {"min": None, "max": None},
}


def parse_normalizer(text: str) -> Normalizer:
    """Returns the function that a normalizer text stands for.

    `method=log10,threshold=t,default=d`: log10(x) where x > t, else d.
    `method=zscore,mean=m,standard_deviation=s`: (x - m) / s.
    `method=minmax,min=a,max=b`: (x - a) / (b - a).
    `method=expression,expr=e`: e, of x, numbers, + - * / **, log, log10, log1p, exp, sqrt, abs,
    min and max (of two), or an expression as in `expr_feature`.

    Returns:
        A function of a float64 array of any shape, which returns one of the same shape; where the
        formula has no value (log of a negative number) the result is not finite.

    Raises:
        ValueError: The text is none of these; the message says what is wrong and what is right.
    """
    head, _, rest = text.partition(",")
    key, _, method = (part.strip() for part in head.partition("="))
    if key == "method" and method == "expression":
        return _expression(rest)
    if key != "method" or method not in _PARAMETERS:
        raise ValueError(
            f'"{text}" is not a normalizer; it must begin with method=log10, method=zscore, '
            "method=minmax or method=expression"
        )
    given = _parameters(method, rest)
    if method == "log10":
        return _log10(given["threshold"], given["default"])
    if method == "zscore":
        if given["standard_deviation"] <= 0:
            raise ValueError("standard_deviation must be above 0")
        return _linear(given["mean"], given["standard_deviation"])
    if given["max"] <= given["min"]:
        raise ValueError("max must be above min")
    return _linear(given["min"], given["max"] - given["min"])


def _parameters(method: str, text: str) -> dict[str, float]:
    known = _PARAMETERS[method]
    given: dict[str, float] = {k: v for k, v in known.items() if v is not None}
    for item in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = (part.strip() for part in item.partition("="))
        if name not in known:
            raise ValueError(f'"{name}" is not a parameter of {method}; it has {", ".join(known)}')
        try:
            given[name] = float(value)
        except ValueError:
            given[name] = math.nan
        if not math.isfinite(given[name]):
            raise ValueError(f'{name}: "{value}" is not a finite number')
    missing = [name for name in known if name not in given]
    if missing:
        raise ValueError(f"method={method} needs {' and '.join(missing)}")
    return given


def _log10(threshold: float, default: float) -> Normalizer:
    def apply(x: Floats) -> Floats:
        above = x > threshold
        result = np.full(x.shape, default)
        with np.errstate(divide="ignore", invalid="ignore"):
            np.log10(x, out=result, where=above)
        return result

    return apply


def _linear(shift: float, scale: float) -> Normalizer:
    return lambda x: (x - shift) / scale


def _expression(rest: str) -> Normalizer:
    key, _, text = rest.partition("=")
    if key.strip() != "expr" or not text.strip():
        raise ValueError("method=expression needs expr, as in method=expression,expr=log(x+3)")
    try:
        node = ast.parse(text.strip(), mode="eval").body
        _check(node)
    except (SyntaxError, ValueError) as error:
        try:
            return _of_grammar(text)
        except ValueError:
            pass
        if isinstance(error, SyntaxError) or not str(error).startswith("expr: "):
            raise ValueError(f'expr: "{text}" is not an arithmetic expression of x') from None
        raise

    def apply(x: Floats) -> Floats:
        with np.errstate(all="ignore"):
            result: Floats = np.broadcast_to(_evaluate(node, x), x.shape).astype(
                np.float64, copy=False
            )
        return result

    return apply


def _of_grammar(text: str) -> Normalizer:
    """Returns the function of an expression as expr_feature has them, of x."""
    tree = parse_expression(text, ("x",))

    def apply(x: Floats) -> Floats:
        numbers = evaluate(tree, {"x": Numbers(x.ravel())}, x.size, math.nan)
        return numbers.values.reshape(x.shape)

    return apply


def _check(node: ast.expr) -> None:
    """Checks that an expression has only the kinds of nodes that `_evaluate` knows.

    Raises:
        ValueError: It has a node of another kind.
    """
    match node:
        case ast.Name(id="x"):
            return
        case ast.Constant(value=value) if type(value) in (int, float):
            return
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            return _check(operand)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            _check(left)
            return _check(right)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _FUNCTIONS:
            if len(args) == _FUNCTIONS[name][0]:
                for arg in args:
                    _check(arg)
                return
    raise ValueError(
        f'expr: "{ast.unparse(node)}" is not allowed; there are x, numbers, + - * / **, '
        f"{', '.join(_FUNCTIONS)} (min and max of two)"
    )


def _evaluate(node: ast.expr, x: Floats) -> Any:
    match node:
        case ast.Constant(value=int() | float() as value):
            return np.float64(value)
        case ast.UnaryOp(op=op, operand=operand):
            value = _evaluate(operand, x)
            return -value if isinstance(op, ast.USub) else value
        case ast.BinOp(left=left, op=operator, right=right):
            return _OPERATORS[type(operator)](_evaluate(left, x), _evaluate(right, x))
        case ast.Call(func=ast.Name(id=name), args=args):
            return _FUNCTIONS[name][1](*(_evaluate(arg, x) for arg in args))
    return x
