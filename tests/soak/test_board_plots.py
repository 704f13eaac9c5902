"""The plots of `raymon board` in a real browser, held against the files of the runs.

It needs Debian's package `chromium`. Pictures are left in `demo/screens`, to be looked at.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from benchmarks.harness.browser import SCREENS, Browser
from benchmarks.harness.driven_page import DrivenPage
from benchmarks.inputs.made_curves import MadeCurves
from benchmarks.inputs.made_run import write_run
from tests.soak.drawn_plots import (
    TIP,
    box,
    card,
    chart,
    focus,
    kept,
    open_run,
    shown,
    traces,
    use,
)

pytestmark = pytest.mark.soak

ODD = ("<b>x</b>", "<img src=x onerror=window.wasRun=1>", "a<br>b", "$x$", "%{y}", 'q"uote')
LOSS = "losses.total_loss"
RANKS = 30


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def write_lines(path: Path, content: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(line) + "\n" for line in content))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs that nobody trained: a short one, a long one, odd ones, empty ones."""
    root = tmp_path_factory.mktemp("runs")
    begin = time.time() - 20_000
    write_run(root / "short", MadeCurves(150, 4, begin))
    write_run(root / "long", MadeCurves(12_000, RANKS, begin))
    write_run(root / "odd", MadeCurves(60, 2, begin))
    windows = root / "odd" / "monitor" / "windows.jsonl"
    content = lines(windows)
    for index, line in enumerate(content):
        line["losses"] |= {name: index + place for place, name in enumerate(ODD)}
        if index > 40:
            line["losses"]["late"] = 2.0
    write_lines(windows, content)
    write_run(root / "one", MadeCurves(60, 2, begin))
    one = root / "one" / "monitor"
    write_lines(one / "windows.jsonl", lines(one / "windows.jsonl")[:1])
    for name in ("ranks.jsonl", "evaluations.jsonl"):
        (one / name).unlink()
    (root / "one" / "train_eval_result_v2.txt").unlink()
    (root / "empty").mkdir()
    (root / "empty" / "run.json").write_text('{"status": "done"}')
    return root


@pytest.fixture(scope="module")
def board(runs: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "raymon", "board", str(runs), "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        said = process.stdout.readline()
        yield next(word for word in said.split() if word.startswith("http"))
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[DrivenPage]:
    page = DrivenPage(browser)
    page.resize(1400, 1000)
    page.prefer("light")
    yield page
    page.go("about:blank")
    page.close()
    assert page.errors == []


def test_a_short_curve_has_the_number_of_every_window(
    page: DrivenPage, board: str, runs: Path
) -> None:
    open_run(page, board, "short")
    windows = lines(runs / "short" / "monitor" / "windows.jsonl")
    (curve,) = traces(page, chart(LOSS), curve=LOSS, part="numbers")
    assert curve["x"] == [line["global_step"] for line in windows]
    assert curve["y"] == [line["losses"]["total_loss"] for line in windows]
    assert None in curve["y"]
    page.picture(SCREENS / "plots-short.png")


def test_training_and_evaluation_are_on_one_axis_with_the_bound_as_a_band(
    page: DrivenPage, board: str, runs: Path
) -> None:
    open_run(page, board, "short")
    windows = lines(runs / "short" / "monitor" / "windows.jsonl")
    evaluations = lines(runs / "short" / "monitor" / "evaluations.jsonl")
    graph = chart("metrics.auc")
    (scores,) = traces(page, graph, curve="eval:metrics.auc", part="numbers")
    assert scores["x"] == [line["global_step"] for line in evaluations]
    assert scores["y"] == [line["metrics"]["auc"] for line in evaluations]
    for curve, of in (("metrics.auc", windows), ("eval:metrics.auc", evaluations)):
        (lower,) = traces(page, graph, curve=curve, part="lower")
        (upper,) = traces(page, graph, curve=curve, part="upper")
        assert upper["y"] == [x["metrics"]["auc"] + x["metric_bounds"]["auc"] for x in of]
        assert lower["y"] == [x["metrics"]["auc"] - x["metric_bounds"]["auc"] for x in of]


def test_a_long_curve_keeps_its_peaks_and_its_gap(page: DrivenPage, board: str, runs: Path) -> None:
    open_run(page, board, "long")
    windows = lines(runs / "long" / "monitor" / "windows.jsonl")
    values = {line["global_step"]: line["losses"]["total_loss"] for line in windows}
    peaks = [step for step, value in values.items() if value is not None and value > 1]
    assert len(peaks) == 3
    # A part of the windows is there at first.
    numbers = f"({chart(LOSS)})?.data?.find((t) => t.meta?.part === 'numbers')?.x"
    page.wait_for(f"{peaks}.every((step) => {numbers}?.includes(step))")
    (curve,) = traces(page, chart(LOSS), curve=LOSS, part="numbers")
    assert len(curve["x"]) < len(windows) / 5
    drawn = dict(zip(curve["x"], curve["y"], strict=True))
    assert {step: values[step] for step in drawn} == drawn
    known = [value for value in values.values() if value is not None]
    assert min(known) in drawn.values()
    assert None in drawn.values()


def test_a_dragged_box_zooms_all_charts_and_brings_every_window(
    page: DrivenPage, board: str, runs: Path
) -> None:
    open_run(page, board, "long")
    windows = lines(runs / "long" / "monitor" / "windows.jsonl")
    graph = chart(LOSS)
    whole = shown(page, graph) if traces(page, graph) else []
    for _ in range(4):
        place = box(page, graph)
        y = place["y"] + place["height"] / 2
        before = shown(page, graph)
        page.drag((place["x"] + place["width"] * 0.4, y), (place["x"] + place["width"] * 0.6, y))
        page.wait_for(f"({graph}).layout.xaxis.range[0] !== {before[0]}")
    first, last = shown(page, graph)
    inside = [line for line in windows if first <= line["global_step"] <= last]
    assert 5 < len(inside) < 100
    page.wait_for(f"({graph}).data[0].x.length < 200")
    (curve,) = traces(page, graph, curve=LOSS, part="numbers")
    drawn = dict(zip(curve["x"], curve["y"], strict=True))
    assert all(drawn[x["global_step"]] == x["losses"]["total_loss"] for x in inside)
    other = chart("losses.binary_cross_entropy")
    page.wait_for(f"({other}).layout.xaxis.range[0] === {first}")
    assert "from=" in page.wait_for("location.search.includes('from=') && location.search")
    page.picture(SCREENS / "plots-zoomed.png")
    use(page, graph, "Whole")
    page.wait_for(f"Math.abs(({graph}).layout.xaxis.range[1] - {whole[1]}) < 1e-6")


def test_what_is_under_the_pointer_is_the_number_of_a_window(
    page: DrivenPage, board: str, runs: Path
) -> None:
    open_run(page, board, "long")
    windows = lines(runs / "long" / "monitor" / "windows.jsonl")
    losses = {line["global_step"]: line["losses"]["binary_cross_entropy"] for line in windows}
    graph = chart("losses.binary_cross_entropy")
    place = box(page, graph)
    traces(page, graph)
    page.point(place["x"] + place["width"] * 0.7, place["y"] + place["height"] / 2)
    page.wait_for("document.querySelector('.plot-tip:not([hidden])')")
    step = int(page.find(f"{TIP}.replace(/[^0-9]/g, '')"))
    cells = page.texts(".plot-tip:not([hidden]) tr:first-child td")
    assert cells[0] == "training"
    assert float(cells[1].split()[0]) == losses[step]
    lines_seen = page.find(
        "[...document.querySelectorAll('.plot-crosshair')].filter((e) => !e.hidden).length"
    )
    assert lines_seen > 1, "the crosshair is in all charts"


def test_keys_move_the_crosshair_zoom_and_tell_numbers(page: DrivenPage, board: str) -> None:
    open_run(page, board, "short")
    graph = chart(LOSS)
    (curve,) = traces(page, graph, curve=LOSS, part="numbers")
    focus(page, graph)
    page.press("ArrowRight")
    page.wait_for(f"{TIP} === 'step {curve['x'][0]}'")
    page.press("ArrowRight")
    page.wait_for(f"{TIP} === 'step {curve['x'][1]}'")
    page.do("Input.dispatchKeyEvent", type="keyDown", key="ArrowRight", modifiers=8)
    page.wait_for(f"{TIP} === 'step {curve['x'][11]}'")
    assert str(curve["y"][11]) in page.find("document.querySelector('.plot-spoken').textContent")
    whole = shown(page, graph)
    page.press("+")
    page.wait_for(f"({graph}).layout.xaxis.range[1] < {whole[1]}")
    page.press("0")
    page.wait_for(f"Math.abs(({graph}).layout.xaxis.range[1] - {whole[1]}) < 1e-6")
    said = str(page.find(f"({graph}).closest('.plot-area').getAttribute('aria-label')"))
    known = [y for y in curve["y"] if y is not None]
    assert f"last {known[-1]}, minimum {min(known)}, maximum {max(known)}" in said


def test_what_happened_is_on_the_axis_and_can_be_switched_off(
    page: DrivenPage, board: str, runs: Path
) -> None:
    open_run(page, board, "long")
    graph = chart(LOSS)
    page.wait_for(f"({graph})?.data?.some((t) => t.meta?.mark === 'best')")
    alerts = lines(runs / "long" / "monitor" / "alerts.jsonl")
    marked = {
        each["meta"]["mark"]: each["x"] for each in traces(page, graph) if "mark" in each["meta"]
    }
    assert {"alert", "alert_over", "best", "checkpoint", "evaluation"} <= set(marked)
    begun = {alert["global_step"] for alert in alerts if not alert["is_over"]}
    assert set(marked["alert"]) <= begun
    shapes = page.find(f"({graph}).layout.shapes.map((s) => [s.type, s.x0, s.x1])")
    assert {kind for kind, *_ in shapes} >= {"line"}
    page.find("document.querySelector('.menu').open = true")
    page.find("[...document.querySelectorAll('.menu input')].forEach((box) => box.click())")
    page.wait_for(
        f"!({graph}).data.some((t) => t.meta?.mark) && ({graph}).layout.shapes.length === 0"
    )
    assert "marks=none" in page.wait_for(
        "location.search.includes('marks=none') && location.search"
    )


def test_numbers_and_pictures_can_be_kept(
    page: DrivenPage, board: str, runs: Path, tmp_path: Path
) -> None:
    page.do("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    open_run(page, board, "short")
    graph = chart("metrics.auc")
    traces(page, graph)
    for tool in ("CSV", "SVG", "PNG"):
        use(page, graph, tool)
    numbers = list(csv.DictReader(kept(tmp_path, "short_auc.csv").decode().splitlines()))
    windows = lines(runs / "short" / "monitor" / "windows.jsonl")
    assert [float(row["metrics.auc"]) for row in numbers if row["metrics.auc"]] == [
        line["metrics"]["auc"] for line in windows
    ]
    drawn = kept(tmp_path, "short_auc.svg").decode()
    assert drawn.startswith("<svg")
    assert "short" in drawn
    assert "training" in drawn
    assert kept(tmp_path, "short_auc.png").startswith(b"\x89PNG")


def test_names_are_text_whatever_they_say(page: DrivenPage, board: str, tmp_path: Path) -> None:
    page.do("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    open_run(page, board, "odd", query="?size=small")
    page.wait_for(f"({chart('losses.' + ODD[0])})?.data")
    titles = page.texts(".plot-title")
    assert set(ODD) <= set(titles)
    for name in ODD:
        page.wait_for(f"({chart('losses.' + name)})?.data")
    graph = chart(f"losses.{ODD[1]}")
    use(page, graph, "SVG")
    drawn = kept(tmp_path, "odd_img_src_x_onerror_window.wasRun_1.svg").decode()
    picture = ElementTree.fromstring(drawn)
    texts = ["".join(each.itertext()) for each in picture.iter() if each.tag.endswith("text")]
    assert any(ODD[1] in text.replace("\N{NO-BREAK SPACE}", " ") for text in texts), texts
    assert not [each for each in picture.iter() if each.tag.endswith("img")]
    assert page.find("window.wasRun === undefined")
    assert page.find("document.querySelectorAll('main img').length") == 0


def test_a_curve_that_begins_late_has_the_axis_of_all(page: DrivenPage, board: str) -> None:
    open_run(page, board, "odd")
    (late,) = traces(page, chart("losses.late"), curve="losses.late", part="numbers")
    assert [y for y in late["y"] if y is not None] == [2.0] * (60 - 41)
    assert shown(page, chart("losses.late")) == shown(page, chart(LOSS))


def test_runs_without_numbers_say_so(page: DrivenPage, board: str) -> None:
    open_run(page, board, "empty")
    page.wait_for_text("no window yet")
    open_run(page, board, "empty", "ranks")
    page.wait_for_text("There are no numbers of ranks yet.")
    open_run(page, board, "empty", "evaluation")
    page.wait_for_text("has been evaluated yet")
    open_run(page, board, "one")
    (curve,) = traces(page, chart(LOSS), curve=LOSS, part="numbers")
    assert len(curve["x"]) == 1
    assert "markers" in curve["mode"]
    open_run(page, board, "one", "evaluation")
    page.wait_for_text("has been evaluated yet")


def test_a_run_that_grows_is_followed_only_from_the_whole(
    page: DrivenPage, board: str, runs: Path
) -> None:
    path = runs / "growing"
    write_run(path, MadeCurves(200, 2, time.time() - 2000))
    windows = path / "monitor" / "windows.jsonl"
    content = lines(windows)
    write_lines(windows, content[:100])
    open_run(page, board, "growing")
    graph = chart(LOSS)
    (curve,) = traces(page, graph, curve=LOSS, part="numbers")
    assert len(curve["x"]) == 100
    grow(windows, content[100:150])
    page.wait_for(f"({graph}).data.find((t) => t.meta?.part === 'numbers').x.length === 150")
    page.wait_for(f"({graph}).layout.xaxis.range[1] > {content[149]['global_step']}")
    focus(page, graph)
    page.press("+", "+")
    page.wait_for("location.search.includes('from=')")
    before = shown(page, graph)
    grow(windows, content[150:])
    page.wait_for(
        "performance.getEntriesByType('resource')"
        ".filter((e) => e.name.includes('/series?')).length > 3"
    )
    assert shown(page, graph) == before


def grow(windows: Path, content: list[dict[str, Any]]) -> None:
    with windows.open("a") as file:
        file.writelines(json.dumps(line) + "\n" for line in content)


def test_smoothing_lies_over_the_numbers(page: DrivenPage, board: str, runs: Path) -> None:
    """The debiased exponential mean of Adam (Kingma and Ba, 2015, algorithm 1)."""
    open_run(page, board, "short", query="?smooth=0.9")
    key = "metrics.auc"
    windows = lines(runs / "short" / "monitor" / "windows.jsonl")
    (faint,) = traces(page, chart(key), curve=key, part="numbers")
    (smooth,) = traces(page, chart(key), curve=key, part="smoothed")
    assert faint["y"] == [line["metrics"]["auc"] for line in windows]
    mean, expected = 0.0, []
    for count, line in enumerate(windows, 1):
        mean = 0.9 * mean + 0.1 * line["metrics"]["auc"]
        expected.append(mean / (1 - 0.9**count))
    assert smooth["y"] == pytest.approx(expected, rel=1e-9)


def test_colours_follow_the_theme_and_a_narrow_screen_has_one_column(
    page: DrivenPage, board: str
) -> None:
    open_run(page, board, "short")
    graph = chart(LOSS)
    light = traces(page, graph, curve=LOSS, part="numbers")[0]["line"]["color"]
    page.prefer("dark")
    page.wait_for(
        f"({graph}).data.find((t) => t.meta?.part === 'numbers').line.color !== '{light}'"
    )
    page.picture(SCREENS / "plots-dark.png")
    page.resize(360, 800)
    page.wait_for(
        "getComputedStyle(document.querySelector('.chart-board'))"
        ".getPropertyValue('--columns') === '1'"
    )
    page.wait_for(f"({graph}).layout.width < 360")
    assert page.find("document.documentElement.scrollWidth <= 360")
    page.picture(SCREENS / "plots-narrow.png")


def test_the_heat_map_has_the_lag_of_every_rank(page: DrivenPage, board: str) -> None:
    open_run(page, board, "long", "ranks")
    address = "location.pathname.replace('/run/', '/api/runs/')"
    deadline = time.monotonic() + 30
    while True:
        (heat,) = traces(page, card("Ranks"))
        served = page.find(f"fetch({address}).then((a) => a.json())")
        means = [mean([v for v in row if v is not None]) for row in served["values"]]
        order = sorted(range(RANKS), key=lambda row, means=means: -means[row])
        if heat["z"] == [served["values"][row] for row in order]:
            break
        assert time.monotonic() < deadline, "what was read since is not drawn"
    assert heat["x"][:-1] == served["x"]
    first = page.text(".rank-table tbody tr:first-child td:first-child")
    assert "straggler" in first
    assert str(served["ranks"][order[0]]) in first
    page.picture(SCREENS / "plots-ranks.png")


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def test_the_plots_of_an_evaluation_have_its_bins(page: DrivenPage, board: str, runs: Path) -> None:
    line = lines(runs / "long" / "monitor" / "evaluations.jsonl")[-1]
    found = line["curves"]["auc"]
    open_run(page, board, "long", "evaluation")
    (roc,) = traces(page, card("ROC"), curve="roc")
    assert (roc["x"], roc["y"]) == tuple(found["roc"].values())
    (points,) = traces(page, card("Calibration"), curve="calibration")
    assert (points["x"], points["y"]) == (
        found["calibration"]["predicted"],
        found["calibration"]["observed"],
    )
    (positive,) = traces(page, card("Scores by class"), curve="positive")
    edges, weights = found["scores"]["edges"], found["scores"]["positive"]
    share = [w / sum(weights) / (b - a) for w, a, b in zip(weights, edges, edges[1:], strict=False)]
    assert positive["x"] == edges
    assert positive["y"][:-1] == pytest.approx(share)
    (spread,) = traces(page, card("grouped_auc by group"), curve="groups")
    assert spread["y"][:-1] == line["groups"]["grouped_auc"]["groups"]
    assert f"{line['metrics']['auc']:.5g}" in page.text("section[aria-label=ROC]")
    page.picture(SCREENS / "plots-evaluation.png")
