import itertools
from pathlib import Path
from typing import Any

import pytest

from raymon.board.terminal.chart import Scale
from raymon.board.terminal.frame import Frame, frame_of
from raymon.board.terminal.pages import ALERTS, CHECKPOINTS, PAGES, RANKS, View, page_lines
from raymon.board.terminal.paper import Paper, locale_has_unicode
from raymon.runs import Run
from raymon.strict_json import to_json
from tests.board.terminal.made_runs import HOSTILE, alert, make_run, window

SIZES = [(1, 1), (20, 8), (80, 24), (79, 25), (200, 60)]


@pytest.fixture(scope="module")
def frame(tmp_path_factory: pytest.TempPathFactory) -> Frame:
    path = tmp_path_factory.mktemp("runs") / "a [bold]name"
    losses: dict[str, Any] = {"total_loss": 0.5, HOSTILE: 0.25, "日本語の損失": 3.5e9}
    ranks = {
        "global_step": 20,
        "first_step": 10,
        "samples": 100,
        "seconds": 2.0,
        "time": 1_020.0,
        "world_size": 3,
        "ranks": [0, 1, 2],
        "rank_numbers": {"forward": [1.0, 2.0, 1.5], "peers": [1.0, 0.0, 0.5]},
    }
    make_run(
        path,
        [window(10, losses=losses), window(20, losses=losses, metrics={"auc": None})],
        ranks=[ranks],
        alerts=[alert(10), alert(20, "loss_spike", text=HOSTILE, rank=None)],
        scores=[{"global_step": 20, "auc": 0.75}],
        summary={"steps": 20, "total_steps": 200, "error": HOSTILE},
    )
    (path / "model.ckpt-20").mkdir()
    return frame_of(Run(path))


@pytest.mark.parametrize("page", PAGES)
def test_every_line_is_as_wide_as_the_terminal_and_there_are_as_many(
    frame: Frame, page: str
) -> None:
    for (width, height), has_unicode, has_keys in itertools.product(
        SIZES, (True, False), (True, False)
    ):
        for first, scale in ((0, Scale()), (1, Scale(is_log=True, by_time=True))):
            view = View(page, first, scale, has_keys=has_keys)
            lines = page_lines(frame, view, Paper(width, height, has_unicode))
            assert len(lines) == height
            assert {line.cell_len for line in lines} == {width}
            for line in lines:
                assert line.plain.isprintable()
                assert has_unicode or line.plain.isascii()


def test_a_page_without_a_height_shows_everything(frame: Frame) -> None:
    text = "\n".join(line.plain for line in page_lines(frame, View(), Paper(100)))
    for word in ("total_loss", "auc", "ranks 3", "alerts 2", "checkpoints 1", "10 %", "lr_g0"):
        assert (word in text) == (word != "lr_g0")
    text = "\n".join(line.plain for line in page_lines(frame, View("curves"), Paper(100)))
    assert "lr_g0" in text


def test_markup_of_a_run_is_text(frame: Frame) -> None:
    lines = page_lines(frame, View(), Paper(100))
    assert lines[0].plain.startswith("a [bold]name  done")


def test_a_straggler_comes_first_and_its_alert_is_marked(frame: Frame) -> None:
    lines = [line.plain.split() for line in page_lines(frame, View(RANKS), Paper(100))]
    head = lines.index(["rank", "step", "lag", "s/step", "own", "s/step"])
    assert lines[head + 1] == ["1", "!", "20", "+0.075", "0.20"]
    assert [line[0] for line in lines[head + 1 :] if line] == ["1", "2", "0"]


def test_alerts_are_shown_from_the_newest(frame: Frame) -> None:
    texts = [line.plain for line in page_lines(frame, View(ALERTS), Paper(100))]
    first = next(i for i, text in enumerate(texts) if "\\x1b]0;title" in text and " 20 " in text)
    assert "rank 1 is slow" in texts[first + 1]


def test_a_number_is_whole_or_not_there(tmp_path: Path) -> None:
    path = make_run(tmp_path / "run", [window(10)])
    (path / "model.ckpt-10").mkdir()
    metrics = {f"metric_{place}": 0.12345 for place in range(9)}
    manifest = {"step": 10, "metrics": metrics}
    (path / "model.ckpt-10" / "manifest.json").write_text(to_json(manifest))
    frame = frame_of(Run(path))
    for width in range(20, 120):
        lines = [line.plain for line in page_lines(frame, View(CHECKPOINTS), Paper(width))]
        head = next(place for place, line in enumerate(lines) if "metric_0" in line)
        names = [name for name in lines[head].split() if name.startswith("metric_")]
        assert set(names) <= set(metrics)
        assert lines[head + 1].split().count("0.12345") == len(names)
        assert "…" not in lines[head + 1]


def test_a_value_that_is_missing_is_shown_as_none(frame: Frame) -> None:
    assert any("auc -" in line.plain for line in page_lines(frame, View(), Paper(200)))


def test_a_metric_with_a_wide_bound_says_so(tmp_path: Path) -> None:
    windows = [window(10, metric_bounds={"auc": 0.0213})]
    frame = frame_of(Run(make_run(tmp_path / "run", windows)))
    for has_unicode, sign in ((True, "±"), (False, "+-")):
        lines = page_lines(frame, View(), Paper(80, 24, has_unicode))
        assert any(f"auc 0.90000 {sign}0.021" in line.plain for line in lines)


@pytest.mark.parametrize(
    ("encoding", "environment", "has_unicode"),
    [
        ("utf-8", {"LANG": "en_US.UTF-8"}, True),
        ("utf-8", {}, True),
        ("utf-8", {"LC_ALL": "C", "LANG": "en_US.UTF-8"}, False),
        ("utf-8", {"LANG": "C", "LC_CTYPE": "C.UTF-8"}, False),
        ("utf-8", {"LC_CTYPE": "C.UTF-8"}, True),
        ("latin-1", {"LANG": "de_DE.ISO-8859-1"}, False),
        (None, {}, False),
    ],
)
def test_unicode_is_shown_where_the_locale_has_it(
    encoding: str | None, environment: dict[str, str], has_unicode: bool
) -> None:
    assert locale_has_unicode(encoding, environment) == has_unicode


def test_a_run_without_numbers_is_a_page_too(tmp_path: Path) -> None:
    frame = frame_of(Run(make_run(tmp_path / "new", [])))
    for page in PAGES:
        lines = page_lines(frame, View(page), Paper(80, 24))
        assert {line.cell_len for line in lines} == {80}
