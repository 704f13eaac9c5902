"""A checkpoint is committed by all ranks or by none, and all ranks see the same failure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from raymon.training.checkpoint.manifest import TensorPlace, list_checkpoints
from raymon.training.checkpoint.writer import CheckpointContent, CheckpointWriter, RankPart
from raymon.training.rank.worker_context import ANOTHER_WORKER, WorkerContext
from tests.training.rank_process import RankRun

ALL = ["agree", "agree", "agree", "agree", "gather", "agree"]
"""The collectives of a save that succeeds."""


class World(WorkerContext):
    """Rank 0 of a world whose other rank fails before an agreement, from 1; 0 for never."""

    def __init__(self, other_fails_before: int = 0) -> None:
        super().__init__(0, 1, torch.device("cpu"), RankRun())
        self.met: list[str] = []
        self._other_fails_before = other_fails_before

    def all_agree(self, ok: bool) -> bool:
        self.met.append("agree")
        return ok and self.met.count("agree") != self._other_fails_before

    def gather(self, value: Any) -> list[Any]:
        self.met.append("gather")
        return [value]


def content(fails: bool = False) -> CheckpointContent:
    tensor = torch.arange(3.0)

    def part() -> RankPart:
        if fails:
            raise RuntimeError("a copy failed")
        return RankPart({"model.a": tensor}, {"row": 3}, {"random": 4})

    places = {"model.a": TensorPlace.of(tensor, 0)}
    return CheckpointContent(7, 1, None, {"auc": 0.5}, part, places)


def write(folder: Path, world: World, fails: bool = False) -> str | None:
    path = folder / "model.ckpt-7"
    return CheckpointWriter(path, path, content(fails), world).write()


def test_a_save_that_succeeds_is_a_checkpoint(tmp_path: Path) -> None:
    world = World()
    assert write(tmp_path, world) is None
    assert world.met == ALL
    (checkpoint,) = list_checkpoints(tmp_path)
    assert (checkpoint.step, checkpoint.epoch, checkpoint.metrics) == (7, 1, {"auc": 0.5})


@pytest.mark.parametrize("before", [1, 2, 3, 4])
def test_where_another_rank_fails_nothing_is_committed(tmp_path: Path, before: int) -> None:
    world = World(before)
    assert write(tmp_path, world) == ANOTHER_WORKER
    assert world.met == ["agree"] * before
    assert list_checkpoints(tmp_path) == []


def test_a_rank_that_fails_meets_the_others_once_more(tmp_path: Path) -> None:
    world = World()
    assert write(tmp_path, world, fails=True) == "RuntimeError: a copy failed"
    assert world.met == ["agree", "agree"]
    assert list_checkpoints(tmp_path) == []
