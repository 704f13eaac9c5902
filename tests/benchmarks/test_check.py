"""The figures that `make bench-check` takes for worse."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.harness.check import bound, worse
from benchmarks.harness.result import Case, Ratio, Result, Target


def _result(*ratios: Ratio) -> Result:
    return Result("b", [], ratios)


@given(st.floats(0.01, 1e4), st.floats(0.51, 100))
def test_what_is_better_or_half_as_good_is_not_worse(figure: float, factor: float) -> None:
    stored = _result(Ratio("faster", [figure]), Ratio("share", [figure], at_least=False))
    now = _result(
        Ratio("faster", [figure * factor]), Ratio("share", [figure / factor], at_least=False)
    )
    assert list(worse(stored, now)) == []


@given(st.floats(0.01, 1e4), st.floats(0.0, 0.49))
def test_what_is_less_than_half_as_good_is_told(figure: float, factor: float) -> None:
    stored = _result(Ratio("faster", [figure]), Ratio("share", [figure], at_least=False))
    now = _result(
        Ratio("faster", [figure * factor]), Ratio("share", [figure * (2.1)], at_least=False)
    )
    assert len(list(worse(stored, now))) == 2


def test_slack_goes_on_top_of_the_band() -> None:
    assert bound(Ratio("a", [0.02], at_least=False, slack=0.03)) == 0.07
    # What was below nothing, by noise, does not make the bound smaller than the slack.
    assert bound(Ratio("a", [-0.01], at_least=False, slack=0.03)) == 0.03
    assert bound(Ratio("a", [100.0]), band=4.0) == 25.0


def test_a_ratio_that_is_gone_is_told() -> None:
    assert list(worse(_result(Ratio("a", [1.0])), _result())) == ["b: a: not measured any more"]


def test_a_result_is_read_as_it_was_written() -> None:
    ours = Case("raymon", "ms", [1.0, 2.0], "asked", 10, "ranks", 1e-4)
    peer = Case("peer", "ms", [4.0, 6.0], "asked", 10, "ranks")
    ratio = Ratio.faster("faster", ours, peer, 2.0)
    assert (ratio.figures, ratio.figure, ratio.met) == ([4.0, 3.0], 3.5, True)
    share = Ratio.share("share", ours, peer, 0.1, at_least=False)
    assert (share.figures, share.met) == ([0.25, 2 / 6], False)
    limit = Target("error", 1.0, 2.0, True)
    result = Result("b", [ours, peer], [ratio, share], [limit], ["sentence"])
    assert Result.from_json(result.to_json()) == result
    assert [target.name for target in result.targets] == ["faster", "share", "error"]


def test_contenders_of_unequal_rounds_are_compared_by_their_medians() -> None:
    ours, peer = Case("raymon", "s", [1.0, 2.0, 3.0]), Case("peer", "s", [8.0])
    assert Ratio.faster("faster", ours, peer).figures == [4.0]
