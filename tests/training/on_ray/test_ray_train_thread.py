"""What Ray Train is told and asked, and in which order."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import ray.train
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import fs

from raymon.training.checkpoint.manifest import Checkpoint
from raymon.training.on_ray.ray_train_thread import RayTrainThread, for_ray


class RayTrain:
    """Ray Train as one rank sees it: the calls that reach it, in their order."""

    def __init__(self, patch: pytest.MonkeyPatch, known: Path | None = None) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.notice: Callable[[], Any] = lambda: None
        checkpoint = None if known is None else ray.train.Checkpoint(str(known))
        storage = SimpleNamespace(storage_filesystem=fs.LocalFileSystem())
        context = SimpleNamespace(get_storage=lambda: storage)
        patch.setattr(ray.train, "get_checkpoint", lambda: checkpoint)
        patch.setattr(ray.train, "get_context", lambda: context)
        patch.setattr(ray.train, "report", self._report)
        patch.setattr(ray.train, "get_preemption_info", self._asked)

    def _report(self, metrics: object, **how: Any) -> None:
        self.calls.append((how["checkpoint_dir_name"], bool(how["validation"])))

    def _asked(self) -> object:
        self.calls.append(("preemption", None))
        return self.notice()


def complete() -> Future[str | None]:
    """A save that succeeded."""
    return over(None)


def over(why: str | None) -> Future[str | None]:
    """A save that is over, and why it failed."""
    future: Future[str | None] = Future()
    future.set_result(why)
    return future


def test_what_ray_knows_is_not_reported_again_and_what_is_written_again_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    train = RayTrain(monkeypatch, known=tmp_path / "model.ckpt-30")
    thread = RayTrainThread(validates=True)
    found = [
        Checkpoint(tmp_path / f"model.ckpt-{step}", step, 0, {}, 1) for step in (10, 20, 30, 40)
    ]
    # Workers died before they reported the last one.
    thread.begin(found)
    # The run went back, and has no score of what it writes a second time.
    thread.register(str(tmp_path / "model.ckpt-30"), 30, {}, complete())
    thread.register(str(tmp_path / "model.ckpt-50"), 50, {"auc": 0.5}, complete())
    thread.close()
    assert train.calls == [
        ("model.ckpt-40", True),
        ("model.ckpt-30", True),
        ("model.ckpt-50", False),
    ]


@given(
    asked=st.lists(
        st.tuples(st.sampled_from(["save", "fail", "raise", "ask"]), st.integers(0, 11)),
        max_size=12,
    )
)
def test_ray_is_called_in_the_order_of_the_training_thread_whenever_saves_are_over(
    asked: list[tuple[str, int]],
) -> None:
    """Ranks finish writing at different times; their barriers must come in the same order."""
    with pytest.MonkeyPatch.context() as patch:
        train = RayTrain(patch)
        thread = RayTrainThread()
        running: list[tuple[int, str, Future[str | None]]] = []
        expected: list[tuple[str, Any]] = []
        for step, (what, when) in enumerate(asked):
            if what == "ask":
                thread.ask_for_preemption()
                expected.append(("preemption", None))
                continue
            running.append((when, what, Future()))
            thread.register(f"/run/model.ckpt-{step}", step, {}, running[-1][2])
            if what == "save":
                expected.append((f"model.ckpt-{step}", False))
        for _, what, failure in sorted(running, key=lambda each: each[0]):
            if what == "raise":
                failure.set_exception(OSError("disk full"))
            else:
                failure.set_result(None if what == "save" else "disk full")
        thread.close()
        assert train.calls == expected


def test_a_question_that_ray_cannot_answer_is_no_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    train = RayTrain(monkeypatch)
    thread = RayTrainThread()

    def gone() -> None:
        raise RuntimeError("no controller")

    train.notice = gone
    assert thread.ask_for_preemption().result() is None
    train.notice = lambda: SimpleNamespace(preempted_ranks=[1, 3], deadline_ms=None)
    told = "the cluster takes the nodes of ranks 1, 3 away soon"
    assert thread.ask_for_preemption().result() == told
    thread.close()


def test_a_report_that_failed_ends_the_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    RayTrain(monkeypatch)

    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("no controller")

    monkeypatch.setattr(ray.train, "report", refuse)
    thread = RayTrainThread()
    thread.register(str(tmp_path / "model.ckpt-1"), 1, {}, complete())
    with pytest.raises(RuntimeError, match="no controller"):
        thread.close()


def test_ray_gets_no_score_that_it_would_not_read_again() -> None:
    assert for_ray({"auc": 0.5, "loss": math.inf, "ne": math.nan}) == {"auc": 0.5}
