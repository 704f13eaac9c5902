"""`raymon runs` and `raymon compare` show what directories have, in lines that fit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.cells import cell_len

from raymon.cli.comparison_text import comparison_lines
from raymon.cli.main import main
from raymon.cli.run_table import table_lines
from raymon.runs import Comparison, FieldDifference, Overview, Score, ScoreRow
from tests.runs.written import write_evaluation, write_summary, write_windows


@pytest.fixture
def raymon(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["raymon", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            main()
        captured = capsys.readouterr()
        return int(exit_.value.code or 0), captured.out, captured.err

    return run


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for number, (name, status) in enumerate([("old", "done"), ("new", "failed"), ("mid", "done")]):
        start = {"old": 1000.0, "mid": 2000.0, "new": 3000.0}[name]
        write_summary(
            tmp_path / name,
            status=status,
            steps=1000 * (number + 1),
            total_steps=5000,
            samples_per_second=123456.0,
            start=start,
            end=start + 60,
            eval_metrics={"auc": 0.7 + number / 100, "log_loss": 0.3},
            best_metrics={"auc": 0.75},
        )
        write_windows(tmp_path / name, 10)
    return tmp_path


def first_words(out: str) -> list[str]:
    return [line.split()[0] for line in out.splitlines()]


def test_the_newest_run_is_first(raymon, root: Path) -> None:
    code, out, err = raymon("runs", root)
    assert (code, err) == (0, "")
    assert first_words(out) == ["run", "new", "mid", "old"]
    assert out.splitlines()[1].split()[:6] == [
        "new", "failed", "2,000/5,000", "123,456", "0.71000", "0.75000"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("field", "order"),
    [
        ("name", ["mid", "new", "old"]),
        ("-name", ["old", "new", "mid"]),
        ("auc", ["mid", "new", "old"]),
        ("-auc", ["old", "new", "mid"]),
        ("step", ["mid", "new", "old"]),
        ("age", ["old", "mid", "new"]),
    ],
)
def test_runs_are_sorted_by_any_field(raymon, root: Path, field: str, order: list[str]) -> None:
    code, out, _ = raymon("runs", root, f"--sort={field}")
    assert code == 0
    assert first_words(out)[1:] == order


def test_runs_are_filtered_by_words_of_name_and_status(raymon, root: Path) -> None:
    assert first_words(raymon("runs", root, "--filter", "DONE mi")[1]) == ["run", "mid"]
    assert raymon("runs", root, "--filter", root.name)[1].startswith("no runs in")
    code, out, _ = raymon("runs", root, "--filter", "zebra")
    assert (code, out) == (0, f"no runs in {root} with 'zebra'\n")


def test_json_has_all_that_is_known(raymon, root: Path) -> None:
    code, out, _ = raymon("runs", root, "--json")
    found = json.loads(out)
    assert code == 0
    assert [run["name"] for run in found["runs"]] == ["new", "mid", "old"]
    assert found["runs"][0]["eval"] == {"auc": 0.71, "log_loss": 0.3}
    assert found["notes"] == []


def test_what_cannot_be_read_is_counted_and_the_rest_is_listed(raymon, root: Path) -> None:
    (root / "old" / "run.json").write_text("{")
    code, out, err = raymon("runs", root)
    assert code == 0
    assert sorted(first_words(out)[1:]) == ["mid", "new", "old"]
    assert err == (
        f"raymon: 1 run can be read in part only: {root}/old: run.json: it is half written, or no "
        "JSON object\n"
    )


def test_names_are_text_whatever_they_hold(raymon, tmp_path: Path) -> None:
    for name in ("a\nb", "\x1b[31mred", "\udcff", "漢字", "<b>"):
        write_windows(tmp_path / name, 10)
    code, out, _ = raymon("runs", tmp_path)
    assert code == 0
    assert sorted(first_words(out)[1:]) == sorted(
        ["a\\nb", "\\x1b[31mred", "\\udcff", "漢字", "<b>"]
    )
    assert "\x1b" not in out


def overview(name: str, **changes: object) -> Overview:
    scores = {"auc": 0.71234, "log_loss": 0.3, "grouped_auc": 0.7}
    values = {"step": 1_000_000, "total_steps": 2_000_000, "samples_per_second": 1e6,
              "updated": 1000.0, "eval": scores, "best": scores}  # fmt: skip
    return Overview(name, f"/runs/{name}", "diverged", **{**values, **changes})


@pytest.mark.parametrize("width", [80, 100, 200])
def test_a_line_fits_the_terminal(width: int) -> None:
    runs = [overview("x" * 300), overview("漢" * 100), overview("short", eval={}, step=None)]
    lines = table_lines(runs, ["/runs"], width, 5000.0)
    assert len(lines) == 4
    assert max(map(cell_len, lines)) <= width
    assert lines[3].startswith("short")
    assert all("diverged" in line for line in lines[1:])
    assert ("grouped_auc" in lines[0]) == (width > 100)
    assert ("1,000,000/2,000,000" in lines[1]) == (width > 80)
    assert "1 h 7 min" in lines[1]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["runs", "missing"], "missing: no such directory; give directories with runs in them"),
        (["runs", "a-file"], "a-file: no such directory; give directories with runs in them"),
        (["runs", ".", "--sort", "colour"], "--sort colour: no run has it; sort by name, status"),
        (["runs", "no-such://x"], "no-such://x: cannot be opened: "),
        (["compare", "a"], "a: give two or more runs to compare"),
        (["compare", "a", "missing"], "/missing: not the directory of a run"),
        (["compare"], "Missing argument"),
    ],
)
def test_wrong_input_is_one_line_and_exit_2(
    raymon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], line: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write_summary(tmp_path / "a")
    (tmp_path / "a-file").write_text("")
    code, out, err = raymon(*arguments)
    assert (code, out) == (2, "")
    assert line in err
    assert err.count("\n") == 1


def test_a_comparison_has_what_differs(raymon, root: Path) -> None:
    for name, steps in (("old", 5), ("new", 7)):
        (root / name / "pipeline.config").write_text(
            f'model_dir: "x" train_config {{ num_steps: {steps} }}'
        )
        write_evaluation(root / name, 10, metrics={"auc": steps / 10}, metric_bounds={"auc": 0.1})
    code, out, _ = raymon("compare", root / "old", root / "new")
    lines = [line.split() for line in out.splitlines()]
    assert code == 0
    assert lines[:2] == [["config", "A", "old", "B", "new"], ["train_config.num_steps", "5", "7"]]
    assert ["eval", "auc", "0.50000", "0.70000", "+0.20000"] in lines
    assert ["samples/s", "4,000", "4,000", "+0"] in [line[:4] for line in lines]
    code, out, _ = raymon("compare", root / "old", root / "new", "--json")
    found = json.loads(out)
    assert found["fields"] == [{"field": "train_config.num_steps", "values": ["5", "7"]}]
    assert found["rows"][0]["differences"][1]["clear"] is None


def score_row(name: str, *values: float) -> ScoreRow:
    return ScoreRow.of(name, [Score(value, 1e-5, 0.001) for value in values])


@pytest.mark.parametrize("runs", [2, 3, 20, 30])
@pytest.mark.parametrize("width", [80, 120, 200])
def test_however_many_runs_are_compared_each_is_beside_the_first(width: int, runs: int) -> None:
    values = [0.7 + number / 100 for number in range(runs)]
    rows = (
        score_row("eval:metrics.normalized_entropy_of_a_long_name", *values),
        score_row("samples_per_second", *(1e7 * value for value in values)),
    )
    path = "feature_configs[a_rather_long_name].sequence_feature.embedding_dim"
    texts = tuple(str(number) * 40 for number in range(runs))
    found = Comparison(("/x",) * runs, (FieldDifference(path, texts),), rows, True)
    names = [f"runs/{'a-long-name-' * 4}{number}" for number in range(runs)]
    lines = comparison_lines(found, names, width, everything=False)
    tables = [line for line in lines if "±" not in line[:1]]
    assert max(map(cell_len, tables[: tables.index("")])) <= width
    assert max(cell_len(line) for line in lines if line.startswith(("eval", "samples"))) <= width
    text = "\n".join(lines)
    for number in range(1, runs):
        assert f"+{number / 100:.5f}" in text
    assert all(line.count("*") >= 1 for line in lines if line.startswith("eval"))


def test_looking_at_runs_imports_neither_torch_nor_ray(root: Path) -> None:
    code = (
        "import sys; from raymon.cli.main import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "sys.exit(sorted({'torch', 'ray', 'pandas'} & set(sys.modules)) or 0)"
    )
    for arguments in (["runs", "."], ["compare", "old", "new"]):
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            cwd=root,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout
