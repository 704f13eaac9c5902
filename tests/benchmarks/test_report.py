"""The page that `make bench` writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.harness import headlines, report, store
from benchmarks.harness.result import Case, Ratio, Result, Target


def _results() -> dict[str, Result]:
    cases = [
        Case("raymon", "ms", [1.0, 2.0, 3.0], "update", size, "rows", 1e-5) for size in (10, 1000)
    ]
    peers = [Case("peer", "ms", [30.0, 50.0, 40.0], "update", size, "rows") for size in (10, 1000)]
    bars = [Case("raymon", "s", [2.0], "sum"), Case("peer", "s", [1.0], "sum")]
    ratios = [
        Ratio.faster("update, 10 rows", cases[0], peers[0], 10),
        Ratio.faster("sum", *bars),
    ]
    limits = [Target("largest error", 1e-5, 1e-6, False)]
    result = Result("metrics", [*cases, *peers, *bars], ratios, limits, ["A sentence."])
    return {"metrics": result}


def test_the_table_says_what_is_met_what_is_missed_and_what_others_do_better(
    tmp_path: Path,
) -> None:
    report.write(_results(), tmp_path)
    text = (tmp_path / report.TABLE).read_text()
    promises, rest = text.split("## What raymon is not better at")
    assert (
        "| `metrics` | update, 10 rows | **25** (13.3 to 30) | at least 10 | met | 2 ms "
        "| peer: 40 ms |" in promises
    )
    assert "| `metrics` | largest error | 1e-05 | 1e-06 | **missed** |" in promises
    behind = rest.split("\n## ")[0]
    assert "| `metrics` | sum | 0.5 | 2 s | peer: 1 s |" in behind
    assert "update" not in behind
    assert "- A sentence." in rest


def test_a_picture_has_a_curve_or_a_bar_for_every_contender(tmp_path: Path) -> None:
    report.write(_results(), tmp_path)
    drawn = (tmp_path / "metrics.svg").read_text()
    for word in ("raymon", "peer", "update", "sum", "rows", "ms"):
        assert word in drawn
    again = tmp_path / "again"
    again.mkdir()
    report.write(_results(), again)
    assert (again / "metrics.svg").read_text() == drawn


def test_the_page_in_the_repository_is_that_of_the_results_in_it(tmp_path: Path) -> None:
    results = store.read(quick=False)
    report.write(results, tmp_path)
    assert (tmp_path / report.TABLE).read_text() == (store.RESULTS / report.TABLE).read_text()


def test_the_figures_of_the_readme_are_those_of_the_results(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(headlines.README.read_text())
    headlines.write(store.read(quick=False), readme)
    assert readme.read_text() == headlines.README.read_text()


def test_every_headline_has_its_figure() -> None:
    results = store.read(quick=False)
    for _, benchmark, name in headlines.HEADLINES:
        assert name in [ratio.name for ratio in results[benchmark].ratios]


def test_a_readme_without_a_place_for_figures_is_left_as_it_is(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("# raymon\n")
    with pytest.raises(ValueError, match="has no lines"):
        headlines.write({}, readme)
    assert readme.read_text() == "# raymon\n"
