from __future__ import annotations

import math
import re

import numpy as np
import pytest

from raymon.data.features.normalizer import parse_normalizer


@pytest.mark.parametrize(
    ("text", "x", "expected"),
    [
        ("method=log10,threshold=1e-10,default=-10", 1000.0, 3.0),
        ("method=log10,threshold=1e-10,default=-10", 0.0, -10.0),
        ("method=log10", -5.0, -10.0),
        ("method=zscore,mean=1,standard_deviation=10.0", 21.0, 2.0),
        ("method=minmax,min=2,max=4", 3.0, 0.5),
        ("method=expression,expr=log(x+3)", 1.0, math.log(4)),
        ("method=expression,expr=-min(x, 2)**2 / 4 + max(abs(x), 1)", 5.0, 4.0),
        (
            "method=expression,expr=sqrt(exp(x)) - log1p(x) * log10(100)",
            2.0,
            math.e - 2 * math.log(3),
        ),
        ("method=expression,expr=7", 2.0, 7.0),
    ],
)
def test_a_normalizer_is_its_formula(text: str, x: float, expected: float) -> None:
    result = parse_normalizer(text)(np.array([[x]]))
    assert result.shape == (1, 1)
    assert result[0, 0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("log", "is not a normalizer"),
        ("method=log2", "is not a normalizer"),
        ("method=log10,base=2", '"base" is not a parameter of log10; it has threshold, default'),
        ("method=zscore,mean=0", "needs standard_deviation"),
        ("method=zscore,mean=0,standard_deviation=0", "must be above 0"),
        ("method=minmax,min=2,max=2", "max must be above min"),
        ("method=minmax,min=a,max=2", '"a" is not a finite number'),
        ("method=expression", "needs expr"),
        ("method=expression,expr=log(x", "not an arithmetic expression"),
        ("method=expression,expr=y+1", '"y" is not allowed'),
        ("method=expression,expr=__import__('os')", "is not allowed"),
        ("method=expression,expr=x.real", "is not allowed"),
        ("method=expression,expr=median(x)", "is not allowed"),
        ("method=expression,expr=x if x else 1", "is not allowed"),
    ],
)
def test_a_text_that_is_no_normalizer_is_an_error(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        parse_normalizer(text)
