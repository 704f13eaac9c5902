"""The live output of a notebook, with a display that only keeps what it is given."""

from __future__ import annotations

import logging
import sys
import types
from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree import ElementTree

import pytest

from raymon.results import AttemptBegan, Coverage, Evaluation, Notice
from raymon.sinks import Console, LiveOutput, open_output
from raymon.sinks.notebook import notebook_view
from raymon.sinks.notebook.kernel import kernel_display
from raymon.sinks.notebook.notebook_view import NotebookView
from tests.sinks.sinks import wait_for
from tests.sinks.snapshots import snapshot

HOSTILE = "<script>alert(1)</script>&\"'"


class FakeDisplay:
    """Keeps each form of each output."""

    def __init__(self) -> None:
        self.outputs: list[list[Mapping[str, str]]] = []

    def __call__(self, obj: Mapping[str, str], *, raw: bool, display_id: bool) -> Any:
        assert raw
        assert display_id
        drawn = [obj]
        self.outputs.append(drawn)

        def update(obj: Mapping[str, str], *, raw: bool) -> None:
            assert raw
            drawn.append(obj)

        return types.SimpleNamespace(update=update)

    @property
    def html(self) -> str:
        (drawn,) = self.outputs
        return drawn[-1]["text/html"]


class ZMQInteractiveShell:
    """What the shell of a kernel is called."""


class ShellOfColab(ZMQInteractiveShell):
    """What is derived from it."""


class TerminalInteractiveShell:
    """The shell of `ipython` on a terminal."""


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    logger = logging.getLogger("raymon")
    before = logger.handlers, logger.level, logger.propagate
    logger.handlers, logger.propagate = [], False
    logger.setLevel(logging.NOTSET)
    for variable in ("RAYMON_LOG_LEVEL", "RAYMON_LOG_FORMAT"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(notebook_view, "_EVERY_S", 0.0)
    monkeypatch.setattr(notebook_view, "_SHARE", float("inf"))
    yield
    logger.handlers, logger.level, logger.propagate = before


@pytest.fixture
def display(monkeypatch: pytest.MonkeyPatch) -> FakeDisplay:
    return in_kernel(monkeypatch, ZMQInteractiveShell())


def in_kernel(monkeypatch: pytest.MonkeyPatch, shell: object) -> FakeDisplay:
    display = FakeDisplay()
    ipython = types.SimpleNamespace(get_ipython=lambda: shell)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", types.SimpleNamespace(display=display))
    return display


def test_a_kernel_is_known_by_its_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    assert in_kernel(monkeypatch, ZMQInteractiveShell()) is kernel_display()
    assert in_kernel(monkeypatch, ShellOfColab()) is kernel_display()
    in_kernel(monkeypatch, TerminalInteractiveShell())
    assert kernel_display() is None
    in_kernel(monkeypatch, None)
    assert kernel_display() is None


def test_a_program_without_ipython_imports_none_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("IPython", "IPython.display"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    assert kernel_display() is None
    assert "IPython" not in sys.modules


def test_a_run_has_one_output_from_its_begin_to_its_end(
    display: FakeDisplay, capsys: pytest.CaptureFixture[str]
) -> None:
    with Console(40, 0.0, own_output()) as console:
        console.show(AttemptBegan(1, 2, 0))
        for step in (10, 20, 30):
            console.show(snapshot(step, metrics={"auc": step / 100}))
        console.show(Evaluation(30, {"auc": 0.75}))
        assert "75 % 30/40" in display.html
        assert "1 s left" not in display.html
        assert "4,000 samples/s" in display.html
        assert "Evaluation at step 30: auc:0.75000" in display.html
    assert "done" in display.html
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("error", "status"), [(KeyboardInterrupt, "interrupted"), (RuntimeError, "failed")]
)
def test_the_output_says_how_the_run_ended(
    display: FakeDisplay, error: type[BaseException], status: str
) -> None:
    console = Console(40, 0.0, own_output())
    console.__enter__()
    console.show(snapshot(10))
    console.__exit__(error, error(), None)
    assert f">{status}</b>" in display.html


def test_the_curves_are_those_of_the_numbers(display: FakeDisplay) -> None:
    with Console(40, 0.0, own_output()) as console:
        for step, auc in ((10, 0.5), (20, float("nan")), (30, 0.7), (40, 0.6)):
            console.show(snapshot(step, metrics={"auc": auc}))
        console.show(Evaluation(20, {"auc": 0.7}))
    auc = next(chart for chart in charts(display.html) if chart.get("aria-label") == "auc")
    (curve,) = (path.get("d", "") for path in auc if path.get("stroke") == "#0b84c6")
    # One point, a gap, and a line; on an axis from 0.5, at the bottom, to 0.7.
    assert curve == "M58.0 112.0h0M227.3 20.0h0L312.0 66.0"
    (point,) = (each for each in auc if each.tag.endswith("circle"))
    assert (point.get("cx"), point.get("cy")) == ("142.7", "20.0")


def test_an_attempt_takes_back_what_is_past_its_step(display: FakeDisplay) -> None:
    with Console(40, 0.0, own_output()) as console:
        for step in (10, 20, 30):
            console.show(snapshot(step))
        console.show(Evaluation(30, {"auc": 0.9}))
        console.show(AttemptBegan(2, 2, 20))
    loss = charts(display.html)[0]
    steps = [text.text for text in loss if (text.text or "").isdigit()]
    assert steps == ["10", "20"]
    assert "Evaluation at step" not in display.html


def test_warnings_stay_below_and_other_lines_are_left_out(display: FakeDisplay) -> None:
    with Console(40, 0.0, own_output()) as console:
        console.show(Notice("a disk is full"))
        console.show(Notice("a file was read", logging.INFO))
        console.show(snapshot(10))
    assert "a disk is full" in display.html
    assert "a file was read" not in display.html


def test_a_warning_without_an_output_is_on_standard_error(
    display: FakeDisplay, capsys: pytest.CaptureFixture[str]
) -> None:
    own_output()
    logging.getLogger("raymon").warning("before it begins")
    assert "before it begins" in capsys.readouterr().err
    assert display.outputs == []


def test_many_warnings_are_counted(display: FakeDisplay) -> None:
    with Console(40, 0.0, own_output()):
        for number in range(100):
            logging.getLogger("raymon").warning("warning %d.", number)
    for number in (0, 71, 99):
        assert f"warning {number}." in display.html
    assert "warning 70." not in display.html
    assert "and 70 more lines" in display.html


def test_names_and_lines_are_text(display: FakeDisplay) -> None:
    with Console(40, 0.0, own_output()) as console:
        console.show(snapshot(10, losses={HOSTILE: 1.0, "b": 2.0}, metrics={HOSTILE: 1.0}))
        console.show(Evaluation(10, {HOSTILE: 0.5}))
        console.show(Notice(HOSTILE))
    assert "<script" not in display.html
    root = ElementTree.fromstring(display.html)
    assert "".join(root.itertext()).count(HOSTILE) >= 4


def test_json_lines_that_were_asked_for_are_lines_of_a_notebook_too(
    display: FakeDisplay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAYMON_LOG_FORMAT", "json")
    assert own_output() is None


def test_lines_of_a_program_with_handlers_of_its_own_stay_its_own(display: FakeDisplay) -> None:
    handler = logging.NullHandler()
    logging.getLogger("raymon").handlers = [handler]
    assert isinstance(open_output(), NotebookView)
    assert logging.getLogger("raymon").handlers == [handler]


def test_an_output_that_fails_fails_no_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(obj: object, **options: object) -> None:
        raise OSError("the notebook is gone")

    view = NotebookView(broken)
    view.start()
    view.show("training", "Training", 1, 2, "")
    view.stop()


def test_what_comes_too_soon_is_drawn_a_little_later(
    display: FakeDisplay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notebook_view, "_EVERY_S", 0.05)
    with Console(1000, 0.0, own_output()) as console:
        for step in range(10, 1010, 10):
            console.show(snapshot(step, coverage=Coverage(2, 2, 0.1)))
        wait_for(lambda: "100 % 1,000/1,000" in display.html)
        assert len(display.outputs[0]) < 50


def own_output() -> LiveOutput | None:
    """Opens the output of a program that has no handlers, such as those of pytest."""
    logger = logging.getLogger("raymon")
    logger.handlers, logger.propagate = [], False
    return open_output()


def charts(html: str) -> list[ElementTree.Element]:
    root = ElementTree.fromstring(html)
    return [each for each in root.iter() if each.tag.endswith("svg")]
