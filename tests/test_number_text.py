import math

from hypothesis import example, given
from hypothesis import strategies as st

from raymon.number_text import count_text, number_text, rate_text

FINITE = st.floats(allow_nan=False, allow_infinity=False)
TEXTS = (number_text, rate_text, count_text)


def read(text: str) -> float:
    return float(text.replace(",", ""))


@given(FINITE)
@example(1e-6)
@example(5e-324)
@example(9.99999e-4)
@example(-0.0)
@example(1e30)
def test_a_number_is_read_back_within_half_a_percent(value: float) -> None:
    assert math.isclose(read(number_text(value)), value, rel_tol=0.005, abs_tol=0)


@given(FINITE, st.sampled_from(TEXTS))
def test_nothing_but_zero_is_shown_as_zero(value: float, text: object) -> None:
    assert callable(text)
    assert (read(text(value)) == 0) == (value == 0)


@given(FINITE)
def test_rates_and_counts_are_read_back_within_a_tenth(value: float) -> None:
    for text in (rate_text, count_text):
        assert math.isclose(read(text(value)), value, rel_tol=0.1, abs_tol=0)


@given(FINITE)
def test_a_number_is_never_long(value: float) -> None:
    assert len(number_text(value)) <= len("-9999999.12345")


def test_what_has_no_value_is_a_dash() -> None:
    for text in TEXTS:
        assert [text(value) for value in (math.nan, math.inf, -math.inf)] == ["-"] * 3


def test_numbers_of_usual_size_are_as_people_know_them() -> None:
    shown = {0.001: "0.00100", 0.71234: "0.71234", 0.0: "0.00000", 12.5: "12.50000"}
    assert {value: number_text(value) for value in shown} == shown
    assert number_text(1e-6) == "1e-06"
    assert number_text(0.0007853) == "0.000785"
    assert number_text(-0.0) == "0.00000"
    assert rate_text(52.3149) == "52.31"
    assert rate_text(0.0031) == "0.0031"
    assert count_text(168474.4) == "168,474"
    assert count_text(0.42) == "0.42"
