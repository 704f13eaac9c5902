"""`raymon board` in a real browser: runs that go on, are killed, resumed and over, and a large one.

It needs Debian's package `chromium`.
"""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from pyarrow import fs

from benchmarks.harness.browser import Browser
from benchmarks.harness.driven_page import DrivenPage
from benchmarks.harness.free_port import free_port
from benchmarks.inputs.made_curves import MadeCurves
from benchmarks.inputs.made_run import write_run
from raymon.data.synthetic import generate
from raymon.sinks import WindowLines
from raymon.storage import storage_path, write_whole
from tests.benchmarks.quick import WITH_BROWSER, check_quick_form, run_benchmarks
from tests.soak.path_proxy import PathProxy

pytestmark = pytest.mark.soak

EXAMPLE = Path(__file__).parents[2] / "raymon" / "examples" / "demo.config"
TABS = ("curves", "ranks", "evaluation", "checkpoints", "tables", "config", "log", "alerts")

CURVES = """JSON.stringify([...document.querySelectorAll('.js-plotly-plot')].map((plot) => ({
  title: plot.closest('section')?.getAttribute('aria-label') ?? '',
  curves: (plot.data ?? []).filter((curve) => curve.x?.length).map((curve) => ({
    name: String(curve.name ?? ''), x: Array.from(curve.x), y: Array.from(curve.y)}))})))"""
"""What the plots of a page show, as Plotly has it."""


@pytest.fixture
def page() -> Iterator[DrivenPage]:
    with Browser() as browser:
        page = DrivenPage(browser)
        page.resize(1400, 1500)
        yield page
        page.close()


class Board:
    """A board over directories, in a process of its own."""

    def __init__(self, *roots: object) -> None:
        self.port = free_port()
        command = [sys.executable, "-m", "raymon", "board", *map(str, roots)]
        command += ["--port", str(self.port)]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        assert f":{self.port}/" in self.process.stdout.readline()
        self.token = self.process.stdout.readline().strip().rpartition("token=")[2]

    def __enter__(self) -> Board:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/{path}") as answer:
            return json.load(answer)

    def address(self, run: Path, tab: str = "") -> str:
        found = {each["path"]: each["id"] for each in self.get("runs")["runs"]}
        return f"http://127.0.0.1:{self.port}/run/{found[str(run)]}" + (f"/{tab}" if tab else "")


def curves(page: DrivenPage, title: str) -> dict[str, list[tuple[float, float | None]]]:
    """Returns the points of the curves of a plot, by name; None is a gap."""
    plots = [each for each in json.loads(page.find(CURVES)) if each["title"] == title]
    assert len(plots) == 1, (title, [each["title"] for each in plots])
    return {
        each["name"]: list(zip(each["x"], each["y"], strict=True)) for each in plots[0]["curves"]
    }


def losses(run: Path) -> dict[int, float | None]:
    """Returns the total loss by step, as the lines of windows have it."""
    text = (run / "monitor" / "windows.jsonl").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    return {line["global_step"]: line["losses"]["total_loss"] for line in lines}


def shown_up_to(page: DrivenPage, step: int) -> None:
    page.wait_for(
        "[...document.querySelectorAll('.js-plotly-plot')].flatMap((plot) => plot.data ?? [])"
        f".some((curve) => curve.x?.length && Number(curve.x.at(-1)) >= {step})"
    )


def training_curve(page: DrivenPage) -> list[tuple[float, float | None]]:
    found = curves(page, "total_loss")
    name = next(each for each in found if "eval" not in each)
    return found[name]


def test_a_large_run_is_shown_with_its_peaks_and_its_gap(page, tmp_path):
    run = tmp_path / "large"
    made = MadeCurves(100_000, 1000, time.time() - 100_000)
    write_run(run, made)
    expected = losses(run)
    with Board(tmp_path) as board:
        page.go(board.address(run))
        page.wait_for_text("total_loss")
        run_id = board.address(run).rpartition("/")[2]
        while not board.get(f"runs/{run_id}/series?names=losses.total_loss")["is_whole"]:
            time.sleep(0.2)
        peak = max(value for value in expected.values() if value is not None)
        page.wait_for(
            "[...document.querySelectorAll('.js-plotly-plot')].flatMap((plot) => plot.data ?? [])"
            f".some((curve) => Array.from(curve.y ?? []).includes({peak!r}))"
        )
        points = training_curve(page)
        assert len(points) < 5000
        assert all(expected[int(x)] == y for x, y in points)
        known = [y for y in expected.values() if y is not None]
        shown = [y for _, y in points if y is not None]
        assert (max(shown), min(shown)) == (max(known), min(known))
        assert points[-1][0] == max(expected)
        gap = [x for x, y in points if y is None]
        missing = [step for step, value in expected.items() if value is None]
        assert (min(gap), max(gap)) == (min(missing), max(missing))

        page.go(board.address(run, "ranks"))
        page.wait_for_text("worker-")
        assert page.errors == []


def test_every_tab_of_a_run_shows_something_and_nothing_fails(page, tmp_path):
    run = tmp_path / "small"
    write_run(run, MadeCurves(500, 8, time.time() - 1000))
    with Board(tmp_path) as board:
        for tab in TABS:
            page.go(board.address(run, tab))
            page.wait_for("document.querySelector('main').innerText.length > 100")
        page.go(f"http://127.0.0.1:{board.port}/")
        page.wait_for_text("small")
    assert page.errors == []


def test_a_run_that_goes_on_is_killed_and_resumed_is_shown_as_it_is(page, tmp_path):
    data, run = tmp_path / "data", tmp_path / "runs" / "run"
    generate(data, train_rows=60_000, eval_rows=10_000)
    command = [
        sys.executable, "-m", "raymon", "train", str(EXAMPLE), "--num-workers", "0",
        "--set", f"train_input_path={data}/train", "--set", f"eval_input_path={data}/eval",
        "--set", f"model_dir={run}", "--set", "train_config.num_epochs=12",
        "--set", "train_config.save_checkpoints_steps=100",
    ]  # fmt: skip
    training = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not (run / "monitor" / "windows.jsonl").exists():
            assert training.poll() is None
            time.sleep(0.1)
        with Board(tmp_path / "runs") as board:
            page.go(board.address(run))
            shown_up_to(page, 150)
            page.wait_for_text("running")
            before = max(losses(run))
            shown_up_to(page, before + 20)
            training.send_signal(signal.SIGKILL)
            training.wait()
            page.wait_for_text("killed")
            shown_up_to(page, max(losses(run)))
            assert dict(training_curve(page)) == losses(run)

            training = subprocess.Popen(
                [*command, "--resume"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            page.wait_for_text("running")
            assert training.wait(timeout=300) == 0
            page.wait_for_text("done")
            expected = losses(run)
            shown_up_to(page, max(expected))
            page.wait_for(
                "[...document.querySelectorAll('.js-plotly-plot')].some((plot) => (plot.data ?? [])"
                f".some((curve) => curve.x?.length === {len(expected)}))"
            )
            assert dict(training_curve(page)) == expected
            shutil.rmtree(run)
            page.wait_for("/gone|no more|no such/.test(document.body.innerText)")
    finally:
        training.kill()
        training.wait()


def test_the_page_works_under_the_path_of_a_proxy_with_the_token(page, tmp_path):
    run = tmp_path / "small"
    curves = MadeCurves(200, 2, time.time() - 1000)
    write_run(run, curves)
    with Board(tmp_path) as board:
        proxy = PathProxy(board.port, "hub.example")
        try:
            page.go(f"{proxy.url}?token={board.token}")
            page.wait_for_text("small")
            assert "token" not in page.find("location.href")
            page.find("document.querySelector('main a[href*=\"run/\"]').click()")
            shown_up_to(page, curves.windows * 10)
            assert page.find("location.href").startswith(f"{proxy.url}run/")
            page.go(page.find("location.href"))
            shown_up_to(page, curves.windows * 10)
            for snapshot in curves.snapshots(curves.windows, curves.windows + 1):
                WindowLines(run).write(snapshot)
            shown_up_to(page, curves.windows * 10 + 10)
        finally:
            page.go("about:blank")
            proxy.close()
    assert page.errors == []


def test_a_page_that_is_closed_is_told_nothing_more(tmp_path):
    run = tmp_path / "small"
    write_run(run, MadeCurves(200, 2, time.time() - 1000))
    with Board(tmp_path) as board:
        with Browser() as browser:
            page = DrivenPage(browser)
            page.go(board.address(run))
            page.wait_for_text("total_loss")
            page.close()
        process = psutil.Process(board.process.pid)
        deadline = time.monotonic() + 30
        # Ticks of the CPU clock: without a listener there is none for seconds.
        while sum(process.cpu_times()[:2]) != _after(process, 3.0):
            assert time.monotonic() < deadline, "the board goes on without a page"


def _after(process: psutil.Process, seconds: float) -> float:
    time.sleep(seconds)
    return sum(process.cpu_times()[:2])


def test_ctrl_c_ends_the_board_at_once_while_a_page_listens(page, tmp_path):
    run = tmp_path / "small"
    write_run(run, MadeCurves(200, 2, time.time() - 1000))
    with Board(tmp_path) as board:
        page.go(board.address(run))
        page.wait_for_text("total_loss")
        board.process.send_signal(signal.SIGINT)
        assert board.process.wait(timeout=10) == 130
        assert board.process.stderr is not None
        assert board.process.stderr.read() == ""


def test_a_browser_that_goes_away_and_what_is_no_request_leave_no_word(tmp_path):
    write_run(tmp_path / "small", MadeCurves(200, 2, time.time() - 1000))
    with Board(tmp_path) as board:
        with Browser() as browser:
            page = DrivenPage(browser)
            page.go(board.address(tmp_path / "small"))
            page.wait_for_text("total_loss")
            page.close()
        for sent in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\xff", b"GET /" + b"a" * 99_999):
            with socket.create_connection(("127.0.0.1", board.port)) as connection:
                connection.sendall(sent + b"\r\n\r\n")
                assert b" 400 " in connection.recv(1000)
        with socket.create_connection(("127.0.0.1", board.port)) as connection:
            connection.sendall(b"GET /static/plotly.min.js HTTP/1.1\r\nHost: localhost\r\n\r\n")
            connection.recv(100)
        assert len(board.get("runs")["runs"]) == 1
        board.process.send_signal(signal.SIGTERM)
        board.process.wait(timeout=10)
        assert board.process.stderr is not None
        assert board.process.stderr.read() == ""


@pytest.mark.parametrize("name", WITH_BROWSER)
def test_the_benchmark_measures_what_its_stored_result_has(name: str) -> None:
    check_quick_form(name, run_benchmarks(name, "--quick", "--json"))


def test_runs_on_s3_are_shown_beside_those_on_a_disk(endpoint, tmp_path):
    storage = fs.S3FileSystem(endpoint_override=endpoint, scheme="http", allow_bucket_creation=True)
    storage.create_dir("runs")
    curves = MadeCurves(200, 2, time.time() - 1000)
    write_run(tmp_path / "here", curves)
    there = storage_path("s3://runs/deep/there")
    lines = WindowLines(there)
    for snapshot in curves.snapshots():
        lines.write(snapshot)
    lines.close()
    for name in ("run.json", "pipeline.config"):
        write_whole(there / name, (tmp_path / "here" / name).read_bytes())
    with Board(tmp_path, "s3://runs") as board:
        runs = {each["name"]: each for each in board.get("runs")["runs"]}
        assert set(runs) == {"here", "there"}
        assert runs["there"]["error"] is None
        assert runs["there"]["eval"] == runs["here"]["eval"]
        found = [
            board.get(f"runs/{runs[name]['id']}/series?names=losses.total_loss&points=1000")
            for name in ("here", "there")
        ]
        assert found[0]["series"] == found[1]["series"]
        assert board.get(f"runs/{runs['there']['id']}/config")["text"] is not None
