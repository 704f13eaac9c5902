"""The page of `raymon board` in a real browser: its tables, keys, themes, widths and links.

It needs Debian's package `chromium`. Pictures are left in `demo/screens`, to be looked at.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.harness.browser import SCREENS, Browser
from benchmarks.harness.driven_page import DrivenPage
from benchmarks.inputs.made_curves import MadeCurves
from benchmarks.inputs.made_run import write_run

pytestmark = pytest.mark.soak

EVIL = '<img src=x onerror="window.wasRun=1"> & <b>bold'
RATES = {"a": 0.001, "b": 0.003, "c": 0.01, EVIL: 0.003}
NAMES = "[...document.querySelectorAll('.grid tbody .name')].map((e) => e.innerText)"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of four runs that are over, one of them with markup in its name and its files."""
    root = tmp_path_factory.mktemp("runs")
    for seed, (name, rate) in enumerate(RATES.items()):
        write_run(root / name, MadeCurves(200, 4, time.time() - 1000 * (seed + 1), seed, rate))
    (root / EVIL / "logs" / "driver.log").open("a").write(
        json.dumps({"time": "2026-11-29T02:24:58.720Z", "level": "ERROR", "message": EVIL}) + "\n"
    )
    summary = json.loads((root / "b" / "run.json").read_text())
    summary |= {"status": "failed", "error": EVIL}
    (root / "b" / "run.json").write_text(json.dumps(summary))
    return root


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[DrivenPage]:
    page = DrivenPage(browser)
    page.resize(1400)
    page.prefer("light")
    yield page
    page.go("about:blank")
    page.do("Storage.clearDataForOrigin", origin="*", storageTypes="local_storage")
    page.close()
    assert page.errors == []


@pytest.fixture(scope="module")
def board(runs: Path) -> Iterator[str]:
    """Address of the page over the runs."""
    yield from serve(runs)


def serve(root: Path, port: str = "0") -> Iterator[str]:
    process = start(root, port)
    try:
        yield address(process)
    finally:
        process.kill()
        process.wait()


def start(root: Path, port: str = "0") -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "raymon", "board", str(root), "--port", port]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    found = re.search(r"http://\S+", process.stdout.readline())
    assert found
    return found[0]


NONE = "\N{EN DASH}"

FORMATS = {
    "number": [(None, NONE), (0, "0"), (0.80701434, "0.80701"), (58465.4, "58,465"), (1e-7, "1e-7"),
               (0.02, "0.02000"), (1250, "1,250")],
    "duration": [(0, "0 s"), (0.042, "42 ms"), (9.3, "9.3 s"), (65, "1 min 05 s"),
                 (3599.6, "1 h 00 min"), (90061, "1 d 01 h"), (None, NONE)],
    "bytes": [(512, "512 B"), (999.6, "1.0 kB"), (24.5e9, "24.5 GB"), (None, NONE)],
    "percent": [(0, "0 %"), (0.1234, "12.3 %"), (0.99999, "99.9 %"), (1, "100 %"),
                (0.0001, "0.01 %")],
    "rate": [(58465.4, "58,465"), (0.123, "0.12"), (0, "0")],
}  # fmt: skip

DIFFERENCES = [
    (0.00211, 0.0008, "+0.00211 ± 0.00080"),
    (-0.00011, 0.0008, "\N{MINUS SIGN}0.00011 ± 0.00080"),
    (0, 0, "the same"),
    (0, 0.01, "0.000 ± 0.010"),
    (0.0123, None, "+0.0123"),
    (16757, 3348, "+16,757 ± 3,348"),
    (None, 1, ""),
]


def see_runs(page: DrivenPage, url: str) -> None:
    page.go(url)
    page.wait_for(f"{NAMES}.length > 0")


def open_run(page: DrivenPage, board: str, name: str, tab: str) -> None:
    see_runs(page, board)
    link = (
        f"[...document.querySelectorAll('.name a')].find((a) => a.innerText === {json.dumps(name)})"
    )
    page.go(str(page.find(f"{link}.href")) + f"/{tab}")
    page.wait_for("document.querySelector('.run-header h1')")


@pytest.mark.parametrize("name", FORMATS)
def test_numbers_are_shown_with_the_digits_that_count(
    page: DrivenPage, board: str, name: str
) -> None:
    page.go(board)
    values = json.dumps([value for value, _ in FORMATS[name]])
    module = "import(new URL('static/format.js', document.baseURI))"
    found = page.find(f"{module}.then((format) => {values}.map((each) => format.{name}(each)))")
    assert found == [text for _, text in FORMATS[name]]


def test_a_difference_is_shown_to_the_digits_of_its_uncertainty(
    page: DrivenPage, board: str
) -> None:
    page.go(board)
    values = json.dumps([each[:2] for each in DIFFERENCES])
    module = "import(new URL('static/parts/difference.js', document.baseURI))"
    text = f"{module}.then((m) => {values}.map((each) => m.differenceText(...each)))"
    assert page.find(text) == [each[2] for each in DIFFERENCES]


def test_runs_are_sorted_and_searched_by_keyboard(page: DrivenPage, board: str) -> None:
    see_runs(page, board)
    page.find("document.querySelector('th[data-key=name] .sort').focus()")
    page.press("Enter")
    page.wait_for(f"String({NAMES}) === {json.dumps(','.join(sorted(RATES)))}")
    assert page.find("document.querySelector('th[data-key=name]').ariaSort") == "ascending"
    page.press("Enter")
    page.wait_for(f"String({NAMES}) === {json.dumps(','.join(sorted(RATES, reverse=True)))}")
    page.press("ArrowRight")
    assert page.find("document.activeElement.closest('th').dataset.key") == "status"
    page.press("/", *"failed")
    page.wait_for(f"String({NAMES}) === 'b'")
    assert "q=failed" in page.find("location.search")
    page.press("Escape")
    assert page.find("document.activeElement === document.body")


def test_a_run_is_opened_by_keyboard_and_its_tabs_by_arrows(page: DrivenPage, board: str) -> None:
    see_runs(page, f"{board}?sort=name")
    page.find("document.querySelector('.grid tbody tr').focus()")
    page.press("ArrowDown", "Enter")
    page.wait_for_text("Evaluation")
    assert page.text(".run-header h1") == sorted(RATES)[1]
    page.find("document.querySelector('[role=tab][aria-selected=true]').focus()")
    page.press("ArrowRight", "ArrowRight", "ArrowRight")
    page.wait_for("document.querySelector('.tab-checkpoints table')")
    assert page.find("location.pathname").endswith("/checkpoints")
    assert page.find("document.activeElement.id") == "tab-checkpoints"
    page.find("history.back()")
    page.wait_for("location.pathname.endsWith('/evaluation')")
    page.wait_for("document.querySelector('#tab-evaluation').ariaSelected === 'true'")


def test_the_focus_goes_to_everything_that_can_be_used(page: DrivenPage, board: str) -> None:
    see_runs(page, board)
    reached = set[str]()
    for _ in range(20):
        page.press("Tab")
        reached.add(
            page.find("document.activeElement.innerText || document.activeElement.type || ''")
        )
    for word in ("raymon", "?", "search", "done", "failed", "Columns"):
        assert any(word in each for each in reached), (word, reached)
    assert any("auc" in each or "Run" in each for each in reached)


def test_runs_are_filtered_by_their_state(page: DrivenPage, board: str) -> None:
    see_runs(page, board)
    page.find(
        "[...document.querySelectorAll('.chip')].find((e) => e.innerText === 'failed').click()"
    )
    page.wait_for(f"String({NAMES}) === 'b'")
    assert page.find("document.querySelector('.chip[aria-pressed=true]').innerText") == "failed"
    see_runs(page, str(page.find("location.href")))
    page.wait_for(f"String({NAMES}) === 'b'")


def test_columns_are_hidden_and_shown(page: DrivenPage, board: str) -> None:
    see_runs(page, board)
    page.click(".menu summary")
    page.click("[data-column='samples_per_second']")
    page.wait_for("!document.querySelector('th[data-key=samples_per_second]')")
    page.click("[data-column='path']")
    page.wait_for("document.querySelector('th[data-key=path]')")
    see_runs(page, str(page.find("location.href")))
    assert page.find("!document.querySelector('th[data-key=samples_per_second]')")
    assert page.find("!!document.querySelector('th[data-key=path]')")
    page.click(".menu summary")
    page.press("Escape")
    assert not page.find("document.querySelector('.menu').open")


def test_runs_are_chosen_by_keyboard_and_compared(page: DrivenPage, board: str) -> None:
    see_runs(page, f"{board}?sort=name")
    assert page.find("document.querySelector('button.primary').disabled")
    page.find("document.querySelectorAll('.grid tbody tr')[1].focus()")
    page.press(" ", "ArrowDown", " ")
    assert page.text("button.primary") == "Compare 2 runs"
    page.click("button.primary")
    page.wait_for("document.querySelectorAll('.compared').length === 2")
    page.wait_for("document.querySelector('.difference')?.innerText")
    rows = page.texts("section.part tbody tr")
    assert any("lr" in row and "0.001" in row and "0.003" in row for row in rows), rows
    page.picture(SCREENS / "board-compare.png")


def test_nothing_in_names_logs_or_errors_becomes_markup(page: DrivenPage, board: str) -> None:
    see_runs(page, board)
    assert EVIL in page.find(NAMES)
    open_run(page, board, EVIL, "log")
    page.wait_for(f"document.querySelector('.log').innerText.includes({json.dumps(EVIL)})")
    assert page.text(".run-header h1") == EVIL
    open_run(page, board, "b", "curves")
    assert page.text(".run-header .error") == EVIL
    assert page.find("document.querySelectorAll('main img, main b').length") == 0
    assert page.find("window.wasRun === undefined")


def test_the_log_is_filtered_by_level_and_by_words(page: DrivenPage, board: str) -> None:
    open_run(page, board, EVIL, "log?level=ERROR")
    page.wait_for("document.querySelectorAll('.log-line').length === 1")
    page.find("document.querySelector('select[aria-label=Level]').value = 'all'")
    page.find(
        "document.querySelector('select[aria-label=Level]').dispatchEvent(new Event('change'))"
    )
    page.wait_for("document.querySelectorAll('.log-line').length > 1")
    page.press("/", *"onerror")
    page.wait_for("document.querySelectorAll('.log-line').length === 1")
    assert "q=onerror" in page.find("location.search")


@pytest.mark.parametrize("path", ["", "curves", "ranks", "evaluation", "checkpoints", "tables",
                                  "config", "log", "alerts"])  # fmt: skip
def test_a_narrow_screen_never_scrolls_sideways(page: DrivenPage, board: str, path: str) -> None:
    page.resize(390, 844)
    page.prefer("dark")
    if path:
        open_run(page, board, EVIL, path)
        page.wait_for("document.querySelector('.panel').innerText.length > 20")
    else:
        see_runs(page, board)
    assert page.find("document.documentElement.scrollWidth") <= 390
    page.picture(SCREENS / f"board-narrow-{path or 'runs'}.png")


def test_the_theme_is_that_of_the_system_until_it_is_chosen(page: DrivenPage, board: str) -> None:
    see_runs(page, board)
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.find(ground)
    page.prefer("dark")
    dark = page.wait_for(f"{ground} !== {json.dumps(light)} && {ground}")
    page.click("#theme")
    assert page.text("#theme") == "Theme: light"
    assert page.find(ground) == light
    see_runs(page, board)
    assert page.find(ground) == light
    page.click("#theme")
    assert page.text("#theme") == "Theme: dark"
    assert page.find(ground) == dark


def test_the_question_mark_shows_the_keys(page: DrivenPage, board: str) -> None:
    see_runs(page, board)
    page.press("?")
    assert page.find("document.querySelector('dialog').open")
    assert "search" in page.text("dialog")
    page.press("Escape")
    page.wait_for("!document.querySelector('dialog').open")


def test_a_run_that_is_deleted_while_it_is_shown_is_said_to_be(
    page: DrivenPage, runs: Path, tmp_path: Path
) -> None:
    shutil.copytree(runs / "a", tmp_path / "a")
    for board in serve(tmp_path):
        open_run(page, board, "a", "checkpoints")
        page.wait_for("document.querySelector('.tab-checkpoints table')")
        shutil.rmtree(tmp_path / "a")
        page.wait_for("document.querySelector('main .banner:not([hidden])')")
        assert "This is what was there" in page.text("main .banner")
        assert page.text(".run-header h1") == "a"
        page.go("about:blank")
    page.errors.clear()  # what is gone is answered with 404, which Chromium logs


def test_a_board_that_ends_and_comes_back_is_noticed(page: DrivenPage, runs: Path) -> None:
    process = start(runs)
    try:
        url = address(process)
        see_runs(page, url)
        process.kill()
        process.wait()
        page.wait_for("!document.querySelector('#banner').hidden")
        assert "The board has ended" in page.text("#banner")
        assert len(page.find(NAMES)) == len(RATES)
        process = start(runs, url.rstrip("/").rpartition(":")[2])
        address(process)
        page.wait_for("document.querySelector('#banner').hidden")
        page.go("about:blank")
    finally:
        process.kill()
        process.wait()
    page.errors.clear()  # those of connections that were refused


def test_a_directory_without_runs_says_what_to_do(page: DrivenPage, tmp_path: Path) -> None:
    for board in serve(tmp_path):
        page.go(board)
        page.wait_for_text("There is no run yet")
        assert "raymon train" in page.text(".empty")
        page.go("about:blank")
