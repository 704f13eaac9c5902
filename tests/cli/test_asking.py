"""Commands that ask a run: wrong input, and runs that are over."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from raymon.cli.main import main
from raymon.cli.status_text import status_lines
from raymon.run_dir.lease import LOCK, Lease

RUN = {
    "status": "done",
    "steps": 40,
    "epochs": 1,
    "samples": 10_000,
    "samples_per_second": 5000.0,
    "train_metrics": {"auc": 0.7, "normalized_entropy": None},
    "eval_metrics": {"auc": 0.6},
}


@pytest.fixture
def raymon(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["raymon", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0), *capsys.readouterr()

    return run


def written(directory: Path, lease: Lease | None = None, **changes: Any) -> Path:
    directory.mkdir(exist_ok=True)
    (directory / "run.json").write_text(json.dumps({**RUN, **changes}))
    if lease is not None:
        (directory / LOCK).write_bytes(lease.to_bytes())
    return directory


@pytest.mark.parametrize("command", ["status", "stack", "profile", "stop"])
def test_a_directory_without_a_run_is_wrong(raymon: Any, tmp_path: Path, command: str) -> None:
    code, _, errors = raymon(command, tmp_path)
    assert code == 2
    assert errors.startswith(f"raymon: {tmp_path}: not the directory of a run")
    assert len(errors.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("option", "named"),
    [(["--steps", "0"], "1<=x<=1000"), (["--ranks", "0,x"], "0,x"), (["--ranks", "-1"], "-1")],
)
def test_options_that_mean_nothing_are_wrong(raymon: Any, option: list[str], named: str) -> None:
    code, _, errors = raymon("profile", "runs/click", *option)
    assert (code, named in errors) == (2, True)


@pytest.mark.parametrize("command", ["stack", "profile", "stop"])
def test_a_run_that_is_over_does_nothing_more(raymon: Any, tmp_path: Path, command: str) -> None:
    gone = Lease(process=2**22 + 1)
    for lease in (None, gone):
        code, _, errors = raymon(command, written(tmp_path / "run", lease))
        assert code == 1
        assert "the run is over" in errors
        assert len(errors.splitlines()) == 1
    assert not (tmp_path / "run" / "monitor").exists()


def test_the_status_of_a_run_that_is_over_is_that_of_its_files(raymon: Any, tmp_path: Path) -> None:
    code, output, _ = raymon("status", written(tmp_path / "run"))
    assert code == 0
    assert output.startswith(f"done: {tmp_path}/run\n")
    assert "auc 0.70000  normalized_entropy -" in output
    code, output, _ = raymon("status", tmp_path / "run", "--json")
    assert json.loads(output)["metrics"] == RUN["train_metrics"]


def test_a_run_whose_process_is_gone_was_killed(raymon: Any, tmp_path: Path) -> None:
    gone = Lease(process=2**22 + 1)
    code, output, _ = raymon("status", written(tmp_path / "run", gone, status="running"))
    assert (code, output.splitlines()[0]) == (0, f"killed: {tmp_path}/run")


def test_the_status_of_thousands_of_ranks_fits_a_screen() -> None:
    ranks = [
        {"rank": rank, "step": 100 - rank % 7, "heard_s": 1.0, "host": "a", "pid": 5, "beat_s": 0.1}
        for rank in range(4096)
    ]
    alerts = [{"text": f"alert {number}"} for number in range(500)]
    lines = status_lines({"status": "running", "run": "r", "ranks": ranks, "alerts": alerts})
    assert len(lines) < 24
    # Those that are furthest behind.
    assert [line.split()[1] for line in lines if line.endswith("a     5")] == ["94"] * 10
    assert lines[-1] == "  and 4,086 more ranks"
    assert any("and 492 more alerts" in line for line in lines)
