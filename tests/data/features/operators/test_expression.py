"""Values that TorchEasyRec's documents and tests state for expr_feature."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raymon.data.features.normalizer import parse_normalizer
from raymon.data.features.row_error import RowError
from raymon.errors import ConfigError, DataError
from tests.data.features.made import built, made


def expression(text: str, names: str = "ab", more: str = "") -> Any:
    variables = ", ".join(f'"user:{name}"' for name in names)
    block = f'feature_name: "f" expression: "{text}" variables: [{variables}] {more}'
    return built(f"expr_feature {{ {block} }}")[0]


def value(text: str, **variables: Any) -> float:
    columns = {name: [v] for name, v in variables.items()}
    return float(made(expression(text, "".join(variables)), **columns)[0])


@pytest.mark.parametrize(
    ("a", "values"),
    [
        (["0.2", "", "0.3", None], [0.4, 0.1, 0.5, 0.1]),
        ([0.2, 0.1, 0.3, None], [0.4, 0.3, 0.5, 0.1]),
    ],
)
def test_numbers_are_computed_and_have_a_default(a: Any, values: list[float]) -> None:
    feature = expression("a+b", more='default_value: "0.1"')
    assert made(feature, a=a, b=[0.2] * 4) == pytest.approx(values)


def test_boundaries_divide_numbers_into_buckets() -> None:
    bounds = "boundaries: [0.15, 0.25, 0.35] embedding_dim: 4"
    feature = expression("a+b", more=f'{bounds} default_value: "0.1"')
    assert made(feature, a=[0.2, 0.1, 0.3, None], b=[0.2] * 4) == [[3], [2], [3], [0]]
    feature = expression("a+b", more=f'{bounds} default_value: ""')
    assert made(feature, a=["0.2", "", "0.3"], b=[0.2] * 3) == [[3], [], [3]]


def test_functions_of_vectors_make_one_number_of_a_row() -> None:
    bounds = "boundaries: [0.05, 0.10, 0.15] embedding_dim: 4"
    feature = expression("dot(a,b)", more=f'{bounds} default_value: ""')
    a, b = ["0.2\x1d0.3", "", "0.3\x1d0.4"], ["0.2\x1d0.2"] * 3
    assert made(feature, a=a, b=b) == [[2], [], [2]]
    feature = expression("dot(a,b)", more=f'{bounds} default_value: "0.09"')
    a, b = [[0.2, 0.3], [0.1, 0.2], [0.3, 0.4], []], [[0.2, 0.2]] * 4
    assert made(feature, a=a, b=b) == [[2], [1], [2], [1]]


VECTORS = {
    "len(a)": lambda a, b: 3,
    "l2_norm(a)": lambda a, b: np.linalg.norm(a),
    "squared_norm(a)": lambda a, b: np.sum(a**2),
    "euclid_dist(a, b)": lambda a, b: np.linalg.norm(a - b),
    "std_dev(a)": lambda a, b: np.std(a),
    "pop_std_dev(a)": lambda a, b: np.std(a, ddof=1),
    "variance(a)": lambda a, b: np.var(a),
    "pop_variance(a)": lambda a, b: np.var(a, ddof=1),
    "reduce_min(a)": lambda a, b: np.min(a),
    "reduce_max(a)": lambda a, b: np.max(a),
    "reduce_sum(a)": lambda a, b: np.sum(a),
    "reduce_mean(a)": lambda a, b: np.mean(a),
    "reduce_prod(a)": lambda a, b: np.prod(a),
    "dot(a, b) / len(a) + 1": lambda a, b: np.dot(a, b) / 3 + 1,
    "reduce_sum(a * b - 1)": lambda a, b: np.sum(a * b - 1),
}


@pytest.mark.parametrize("text", VECTORS)
def test_vectors_are_reduced_by_their_definitions(text: str) -> None:
    a, b = np.array([1.0, 4.0, 2.5]), np.array([2.0, -1.0, 0.5])
    names = (
        "ab" if ("b" in text.replace("variables", "") and ", b" in text) or "* b" in text else "a"
    )
    rows = {"a": [a.tolist()] * 2, "b": [b.tolist()] * 2}
    found = made(expression(text, names), **{name: rows[name] for name in names})
    assert found == pytest.approx([VECTORS[text](a, b)] * 2)


SCALARS = {
    "a == b ? 1 : 0": 0, "a > 2 && b < 2 || 0": 1, "a != b": 1, "a >= 3": 1, "b <= 0": 0,
    "6 & 3 | 8": 10, "2 ^ 3 ^ 2": 512, "-2 ^ 2": -4, "2 ^ -1": 0.5, "a - b - 1": 1,
    "a / b / 2": 1.5,
    "1 + 2 * 3": 7, "(1 + 2) * 3": 9, "min(a, b, 2)": 1, "max(a, b, 2)": 3, "sum(a, b, 2)": 6,
    "avg(a, b, 2)": 2, "round(2.5) + round(-2.5)": 0, "rint(2.5)": 2, "roundp(3.14159, 2)": 3.14,
    "floor(-1.5)": -2, "ceil(-1.5)": -1, "trunc(-1.5)": -1, "sign(-7)": -1, "abs(-7)": 7,
    "log2(8)": 3, "log10(100)": 2, "ln(_e)": 1, "log(_e)": 1, "exp(0)": 1, "sqrt(9)": 3,
    "sin(_pi / 2)": 1, "cos(0)": 1, "tan(0)": 0, "asin(1)": math.pi / 2, "acos(1)": 0,
    "atan(1)": math.pi / 4, "sinh(0)": 0, "cosh(0)": 1, "tanh(0)": 0, "asinh(0)": 0,
    "acosh(1)": 0, "atanh(0)": 0, "sigmoid(0)": 0.5, "a > 1 ? b > 1 ? 5 : 6 : 7": 6,
    "1e2 + .5": 100.5,
}  # fmt: skip


@pytest.mark.parametrize("text", SCALARS)
def test_operators_and_functions_have_their_values(text: str) -> None:
    # Both variables are named, so that neither is in vain.
    assert value(f"({text}) + 0 * a * b", a=3, b=1) == pytest.approx(SCALARS[text], abs=1e-6)


def test_distances_on_the_earth_are_in_kilometres() -> None:
    # Shanghai and Beijing.
    text = "haversine(a, b, 116.4074, 39.9042)"
    assert value(text, a=121.4737, b=31.2304) == pytest.approx(1067, abs=2)
    assert value(text.replace("haversine", "sphere_dist"), a=116.4074, b=39.9042) == 0


def test_several_numbers_go_with_one_and_shorter_lists_are_filled() -> None:
    more = 'boundaries: [2, 4, 6] embedding_dim: 4 default_value: ""'
    feature = expression("a * b", more=more)
    assert made(feature, a=[[1, 2, 3], [1, 2]], b=[2, 0]) == [[1, 2, 3], [0, 0]]
    assert made(feature, a=[[1, 2, 3], [1, 2]], b=[[2, 2], [3, 3]]) == [[], [1, 3]]
    filled = expression("a * b", more=f"{more} fill_missing: 1")
    assert made(filled, a=[[1, 2, 3]], b=[[2, 2]]) == [[1, 2, 1]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a + c", 'names "c", which is no variable; there are a, b, _pi, _e'),
        ("a +", "ends too early"),
        ("a b", 'does not parse at "b", character 2'),
        ("(a + b", 'ends too early; there should be ")"'),
        ("a ? b", 'ends too early; there should be ":"'),
        ("a $ b", 'does not parse at "$ b"'),
        ("median(a, b)", 'there is no function "median"; there are sin, cos'),
        ("__import__(a, b)", 'there is no function "__import__"'),
        ("sqrt(a, b)", "sqrt takes 1 arguments, not 2"),
        ("rnd() + a + b", "raymon does not have rnd"),
        ("", "is empty; write an expression"),
        ("(" * 300 + "a", "is nested too deep"),
        ("a + " * 300 + "b", "has more than 400 parts"),
        ("-" * 3 + "a + b" + "^2" * 100, "is nested too deep"),
        ("a", '.variables: "b" is not in the expression'),
    ],
)
def test_what_is_no_expression_is_told(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        expression(text)
    assert str(error.value).startswith("feature_configs[0].expr_feature.")
    assert message in str(error.value)


def test_values_that_are_no_numbers_are_told() -> None:
    with pytest.raises(RowError, match="its value is -inf; it must be a finite number") as error:
        made(expression("log(a)", "a"), a=[1.0, 0.0])
    assert error.value.row == 1
    with pytest.raises(DataError, match="'many' is no number"):
        made(expression("a", "a"), a=["1", "many"])


def test_normalizers_take_these_expressions_too() -> None:
    normalizer = parse_normalizer("method=expression,expr=x > 2 ? sign(x) : x ^ 2")
    np.testing.assert_array_equal(normalizer(np.array([[1.5, 7.0]])), [[2.25, 1.0]])


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=1))
def test_all_rows_together_are_computed_as_one_after_the_other(rows: list[tuple[int, int]]) -> None:
    a, b = zip(*rows, strict=True)
    expected = [float(x * y - x if x > y else -y / 4) for x, y in rows]
    assert made(expression("a > b ? a*b - a : -b/4"), a=list(a), b=list(b)) == expected
