"""An error is described with its place in one line, and its traceback is kept in a file."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

import raymon
from raymon.code_location import describe, error_location
from raymon.errors import DataError, TrainingError
from raymon.training.loop.loop import Loop
from raymon.training.rank.failure import (
    RankFailedError,
    as_rank_failure,
    first_cause,
    is_peer_failure,
)
from raymon.training.rank.worker_context import ANOTHER_WORKER


def broken(self: Loop, *arguments: object) -> None:
    if self._state.step == 13:
        json.loads("{")


LINE = broken.__code__.co_firstlineno + 2


def train(config_file: Path) -> None:
    settings = ["ray_config.num_workers=0", "train_config.save_checkpoints_steps=10"]
    raymon.train(config_file, settings)


def test_a_run_names_the_place_in_the_users_code_and_how_to_go_on(
    config_file: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    original = Loop._step

    def step(self: Loop, *arguments: object) -> None:
        broken(self)
        original(self, *arguments)

    monkeypatch.setattr(Loop, "_step", step)
    with pytest.raises(TrainingError) as failed:
        train(config_file)
    text = str(failed.value)
    # Neither where Python raised it, nor the script that began the run.
    assert text.startswith("JSONDecodeError: ")
    assert f"({Path(__file__).relative_to(Path.cwd())}:{LINE} in broken)" in text
    kept = Path(text.rpartition("details are in ")[2])
    assert kept == config_file.parent / "run" / "monitor" / "failure-1.txt"
    whole = kept.read_text()
    assert "decoder.py" in whole
    assert "Last window of all ranks, steps 10 to 13" in whole
    assert "INFO attempt 1 began, 1 ranks, from step 0" in whole
    summary = json.loads((config_file.parent / "run" / "run.json").read_text())
    assert (summary["status"], summary["error"], summary["steps"]) == ("failed", text, 10)
    assert "--resume goes on from step 10" in caplog.text


def leaving(self: Loop, *arguments: object) -> None:
    raise SystemExit(0)


def test_who_leaves_in_a_run_has_failed(config_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Loop, "_step", leaving)
    with pytest.raises(TrainingError, match=r"something in the run called sys\.exit\(0\)") as at:
        train(config_file)
    line = leaving.__code__.co_firstlineno + 1
    assert f"{Path(__file__).name}:{line} in leaving" in str(at.value)


def test_a_run_that_goes_on_says_so_and_keeps_what_was_known(
    config_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    original = Loop._step

    def step(self: Loop, *arguments: object) -> None:
        seen.append(json.loads((config_file.parent / "run" / "run.json").read_text()))
        original(self, *arguments)

    monkeypatch.setattr(Loop, "_step", step)
    settings = ["ray_config.num_workers=0", "train_config.num_steps=10"]
    raymon.train(config_file, settings)
    assert (seen[-1]["status"], seen[-1]["steps"]) == ("running", 0)
    raymon.train(config_file, [settings[0], "train_config.num_steps=20"], resume=True)
    assert (seen[-1]["status"], seen[-1]["steps"]) == ("running", 10)


def raised(error: Exception) -> Exception:
    try:
        raise error
    except Exception as caught:
        return caught


def test_without_code_of_the_user_the_place_is_raymons() -> None:
    # A script that calls raymon is user code too, but says nothing about the cause.
    with pytest.raises(AttributeError) as failed:
        describe(None)  # a fault of raymon
    assert error_location(failed.value).startswith("raymon/code_location.py:")


def test_what_raymon_says_itself_has_its_place_in_it() -> None:
    assert describe(raised(DataError("part-3.parquet: row 7: no label"))) == (
        "part-3.parquet: row 7: no label"
    )


def test_an_error_of_a_rank_travels_with_its_traceback() -> None:
    error = as_rank_failure(raised(ValueError("wrong")), 3)
    arrived = pickle.loads(pickle.dumps(error))
    assert isinstance(arrived, RankFailedError)
    assert str(arrived) == str(error)
    assert str(arrived).startswith("rank 3 on ")
    assert f"{Path(__file__).name}:" in str(arrived)
    assert "ValueError: wrong" in arrived.details
    data = DataError("a label")
    assert as_rank_failure(data, 3) is data


@pytest.mark.parametrize(
    "text",
    [
        ANOTHER_WORKER,
        "[../gloo/transport/tcp/pair.cc:547] Connection closed by peer [127.0.0.1]:5",
        "NCCL error: remote process exited or there was a network error",
        "[/pytorch/third_party/gloo/gloo/transport/tcp/pair.cc:241] write: Broken pipe",
    ],
)
def test_the_rank_that_failed_first_is_the_one_that_is_told_of(text: str) -> None:
    peer, own = RankFailedError(f"rank 0 on a: {text}"), RankFailedError("rank 1 on b: ValueError")
    assert is_peer_failure(peer)
    for errors in ([peer, own], [own, peer]):
        assert first_cause(errors) is own
    data = DataError("a label is wrong")
    assert first_cause([peer, own, data]) is data
    assert first_cause([peer]) is peer
    assert first_cause([]) is None
