import pytest

from raymon.diagnosis.stragglers.student import upper_tail


@pytest.mark.parametrize(
    ("degrees", "t"),
    [(1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (5, 2.571), (20, 2.086), (60, 2.000)],
)
def test_the_tail_is_that_of_the_printed_tables(degrees: int, t: float) -> None:
    assert upper_tail(t, degrees) == pytest.approx(0.025, rel=2e-3)


@pytest.mark.parametrize("degrees", [1, 2, 7, 60])
def test_the_tail_falls_from_one_half(degrees: int) -> None:
    tails = [upper_tail(t, degrees) for t in (0.0, 0.5, 1.0, 3.0, 9.0)]
    assert tails[0] == pytest.approx(0.5)
    assert tails == sorted(tails, reverse=True)
