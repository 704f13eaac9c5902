"""Values of trials are in their ranges, and the same whenever they are drawn."""

from hypothesis import given, settings
from hypothesis import strategies as st

from raymon.tuning.parameters import Parameter, draw_trials, text_of

PARAMETERS = [
    Parameter("lr", "", "loguniform", 1e-5, 1e-1),
    Parameter("rate", "", "uniform", -1.0, 1.0),
    Parameter("size", "", "randint", 2, 4),
    Parameter("kind", "", "choice", values=("a", "b")),
    Parameter("batch", "", "grid", values=("64", "128", "256")),
]


@settings(max_examples=20)
@given(st.integers(0, 2**32), st.integers(1, 8))
def test_trials_are_drawn_alike_and_in_their_ranges(seed: int, groups: int) -> None:
    trials = draw_trials(PARAMETERS, 3 * groups, seed)
    assert trials == draw_trials(PARAMETERS, 3 * groups, seed)
    assert trials == draw_trials(PARAMETERS, 3 * groups + 3, seed)[:-3]
    for trial in trials:
        assert list(trial) == ["lr", "rate", "size", "kind", "batch"]
        assert 1e-5 <= float(trial["lr"]) <= 1e-1
        assert -1 <= float(trial["rate"]) <= 1
        assert trial["size"] in (2, 3, 4)
        assert trial["kind"] in ("a", "b")
    assert sorted(str(trial["batch"]) for trial in trials) == sorted(["64", "128", "256"] * groups)


def test_a_drawn_number_is_written_whole() -> None:
    for trial in draw_trials(PARAMETERS, 99, 3):
        assert float(text_of(trial["lr"])) == trial["lr"]
        assert len(text_of(trial["lr"])) <= 9
