import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from raymon.cli.main import main
from raymon.diagnosis import StepWindow
from raymon.results import (
    BACKWARD,
    CHECKPOINT,
    DATA,
    EVALUATION,
    FORWARD,
    GARBAGE_COLLECTION,
    HANG,
    INPUT_DECODING,
    INPUT_STORAGE,
    MOVE,
    STEP,
    Finding,
    RankNumbers,
)
from raymon.run_dir import RunLock
from raymon.sinks import WindowLines
from tests.diagnosis.ranks import log_normal, window_of, windows
from tests.sinks.snapshots import snapshot
from tests.training.written_runs import write_run


@pytest.fixture
def raymon(monkeypatch, capsys) -> Callable[..., tuple[int, str, str]]:
    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["raymon", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            main()
        captured = capsys.readouterr()
        return int(exit_.value.code or 0), captured.out, captured.err

    return run


@pytest.fixture
def verdict(raymon) -> Callable[[Path], dict]:
    def explain(directory: Path) -> dict:
        code, out, _ = raymon("explain", directory, "--json")
        assert code == 0
        return json.loads(out)

    return explain


def spent(count: int = 6, *, peers: float = 0.2, **seconds: float) -> list[StepWindow]:
    """Windows of two ranks that both spend these seconds by phase in each of them."""
    given = [window_of(i, {FORWARD: np.full(2, 4.0)}, peers=peers) for i in range(count)]
    return [
        _with(window, {name: [value] * 2 for name, value in seconds.items()}) for window in given
    ]


def _with(window: StepWindow, more: dict[str, list[float]]) -> StepWindow:
    numbers = window.numbers
    assert numbers is not None
    columns = {name: numbers.column(name) for name in numbers.names}
    columns |= {name: np.array(values, np.float32) for name, values in more.items()}
    joined = RankNumbers(tuple(columns), numbers.ranks, np.stack([*columns.values()], axis=1))
    return StepWindow(window.first_step, window.end_step, window.samples, window.seconds, 2, joined)


@pytest.mark.parametrize(
    ("kind", "windows", "said"),
    [
        (
            "input_bound",
            spent(**{DATA: 8.0, INPUT_STORAGE: 1.0, INPUT_DECODING: 30.0}),
            ["66 % of the time", "most of it decoding", "num_workers"],
        ),
        (
            "input_bound",
            spent(**{DATA: 8.0, INPUT_STORAGE: 30.0, INPUT_DECODING: 10.0}),
            ["most of it reading files or drawing from the dataset", "row groups"],
        ),
        ("compute_bound", spent(**{BACKWARD: 5.0}), ["forward 43 %, backward 54 %", "compile"]),
        ("communication_bound", spent(peers=6.0), ["60 % of the time", "all ranks alike"]),
        ("transfer_bound", spent(**{MOVE: 4.0}), ["moving batches", "pin_memory"]),
        (
            "storage_bound",
            spent(**{CHECKPOINT: 2.0}),
            ["saving checkpoints", "save_checkpoints"],
        ),
        ("evaluation_bound", spent(**{EVALUATION: 9.0}), ["evaluating", "eval_config.num_steps"]),
        ("garbage_collection", spent(**{GARBAGE_COLLECTION: 1.0}), ["garbage collection"]),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_takes_the_time_is_the_verdict(
    tmp_path, verdict, kind: str, windows: list[StepWindow], said: list[str]
) -> None:
    told = verdict(write_run(tmp_path / "run", windows))
    assert told["verdict"] == kind
    assert all(part in told["text"] for part in said), told["text"]
    first = told["findings"][0]
    assert first["kind"] == kind
    assert (first["first_step"], first["last_step"]) == (0, 599)


def test_the_cost_of_a_reason_is_the_rate_without_it(tmp_path, verdict) -> None:
    told = verdict(write_run(tmp_path / "run", spent(peers=0.0, **{DATA: 4.0})))
    (finding, *_) = told["findings"]
    assert finding["cost"] == pytest.approx(200_000 / 4 - 200_000 / 8)


def test_a_straggler_is_the_verdict_with_all_that_is_known_of_it(tmp_path, verdict) -> None:
    given = windows(2, 12, log_normal(0.02), slow=lambda i: {1: {FORWARD: 6.0}} if i >= 10 else {})
    told = verdict(write_run(tmp_path / "run", given, hosts=["node-a", "node-b"]))
    assert told["verdict"] == "straggler"
    (finding, *_) = told["findings"]
    assert set(finding) == {
        "kind", "rank", "host", "phase", "first_step", "last_step", "cost", "text",
    }  # fmt: skip
    assert (finding["rank"], finding["host"], finding["phase"]) == (1, "node-b", FORWARD)
    assert (finding["first_step"], finding["last_step"]) == (1000, 1199)
    assert finding["cost"] == pytest.approx(200_000 / 10 - 200_000 / 16, rel=0.05)


def test_a_slow_reader_of_one_rank_is_a_straggler_and_not_the_input(tmp_path, verdict) -> None:
    given = windows(2, 3, log_normal(0.01), slow=lambda i: {0: {DATA: 12.0}})
    told = verdict(write_run(tmp_path / "run", given))
    assert told["verdict"] == "straggler"
    assert (told["findings"][0]["rank"], told["findings"][0]["phase"]) == (0, DATA)


def test_a_straggler_of_a_thousand_ranks_is_found_in_the_lines_of_their_sums(
    tmp_path, verdict
) -> None:
    given = windows(1000, 60, log_normal(0.03), slow=lambda i: {417: {BACKWARD: 5.0}})
    told = verdict(write_run(tmp_path / "run", given))
    assert (told["verdict"], told["findings"][0]["rank"]) == ("straggler", 417)
    assert (tmp_path / "run" / "monitor" / "ranks.jsonl").stat().st_size < 1_000_000


def test_a_failed_run_says_its_error_and_the_file(tmp_path, verdict) -> None:
    run = write_run(
        tmp_path / "run", status="failed", error="ValueError: no such column (my_model.py:12)"
    )
    (run / "monitor").mkdir()
    for attempt in (2, 10, 9):
        (run / "monitor" / f"failure-{attempt}.txt").write_text("...")
    told = verdict(run)
    assert told["verdict"] == "failed"
    assert "my_model.py:12" in told["text"]
    assert "failure-10.txt" in told["text"]


def test_a_run_that_was_killed_is_told_as_one(tmp_path, verdict) -> None:
    run = write_run(tmp_path / "run", spent(2), status="running")
    told = verdict(run)
    assert told["verdict"] == "failed"
    assert "its process is gone after step 200" in told["text"]


def test_a_run_that_goes_on_is_told_by_its_newest_windows(tmp_path, verdict) -> None:
    slow = [*spent(40, **{DATA: 8.0}), *spent(70, **{BACKWARD: 5.0})[40:]]
    run = write_run(tmp_path / "run", slow, status="running")
    with RunLock(run):
        assert verdict(run)["verdict"] == "compute_bound"


def test_a_run_without_a_step_starts_up(tmp_path, verdict) -> None:
    run = write_run(tmp_path / "run", status="running")
    with RunLock(run):
        assert verdict(run)["verdict"] == "starting"


def test_alerts_of_hangs_and_numbers_come_before_the_rate(tmp_path, verdict) -> None:
    hang = Finding(HANG, "rank 1 (node-b, 77) has been silent for 34 s in backward", rank=1)
    run = write_run(tmp_path / "hung", spent(2), status="running", alerts=[hang])
    with RunLock(run):
        told = verdict(run)
    assert told["verdict"] == "hung"
    assert "silent for 34 s" in told["text"]
    assert told["findings"][0]["rank"] == 1
    told = verdict(write_run(tmp_path / "nan", spent(4), status="diverged", diverged_since=200))
    assert told["verdict"] == "diverged"
    assert "from step 200 on" in told["text"]


def test_a_loop_that_tells_no_phases_apart_gets_no_verdict(tmp_path, verdict) -> None:
    given = [window_of(i, {STEP: np.full(2, 4.0)}) for i in range(4)]
    told = verdict(write_run(tmp_path / "run", given))
    assert told["verdict"] == "unknown"
    assert told["text"].startswith("not known, because the loop does not tell its phases apart")


def test_directories_of_earlier_versions_are_read(tmp_path, verdict) -> None:
    """Their lines have the seconds of the slowest rank in each phase, and none of single ranks."""
    lines = WindowLines(tmp_path / "run")
    for step in (10, 20):
        lines.write(snapshot(step, phases={DATA: 0.4, STEP: 0.1, "monitor": 0.001}))
    told = verdict(tmp_path / "run")
    assert told["verdict"] == "input_bound"
    assert "Single ranks are not known" in told["text"]


def test_lines_of_nothing_that_is_known_give_no_verdict(tmp_path, verdict) -> None:
    (tmp_path / "run" / "monitor").mkdir(parents=True)
    path = tmp_path / "run" / "monitor" / "windows.jsonl"
    path.write_text('{"global_step": 10}\n[1]\nnonsense\n{"first_step": 0, "glob')
    told = verdict(tmp_path / "run")
    assert (told["verdict"], told["text"]) == ("unknown", "not known, because no step was reported")
    bare = {"global_step": 10, "first_step": 0, "samples": 100, "seconds": 1.0}
    path.write_text(json.dumps(bare) + "\n")
    told = verdict(tmp_path / "run")
    assert told["text"] == "not known, because this run has no seconds of the phases of its steps"


def test_one_window_is_said_to_be_one(tmp_path, verdict) -> None:
    told = verdict(write_run(tmp_path / "run", spent(1, **{DATA: 8.0})))
    assert told["verdict"] == "input_bound"
    assert "So far only steps 0 to 100 are known" in told["text"]


def test_the_text_has_the_verdict_first_and_fits_a_screen(tmp_path, raymon) -> None:
    given = windows(64, 30, log_normal(0.02), slow=lambda i: {r: {FORWARD: 4.0} for r in range(20)})
    code, out, _ = raymon("explain", write_run(tmp_path / "run", given))
    lines = out.splitlines()
    assert code == 0
    assert lines[0].startswith("waiting for a straggler: rank ")
    assert lines[1].startswith("  time of a rank: ")
    assert len(lines) <= 24


@pytest.mark.parametrize("there", [True, False])
def test_what_is_no_run_gets_one_line(tmp_path, raymon, there: bool) -> None:
    path = tmp_path if there else tmp_path / "nowhere"
    code, out, err = raymon("explain", path)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "not the directory of a run" in err
