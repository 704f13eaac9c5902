"""On a card a save stands still for copies to page-locked memory alone, and waits for nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pytest
import torch
from torch import nn

from raymon.data import DatasetPosition, Position
from raymon.models import Model
from raymon.training.checkpoint.manifest import list_checkpoints
from raymon.training.checkpoint.restore import restore
from raymon.training.checkpoint.saver import Saver
from raymon.training.checkpoint.staging import Staging
from raymon.training.checkpoint.train_state import TrainState
from raymon.training.input.feed import RunPosition
from raymon.training.optim.averages import AveragedWeights
from raymon.training.optim.optimizers import Optimizers
from raymon.training.optim.table_gradients import TableGradients
from raymon.training.rank.run_controller import LocalController
from raymon.training.rank.worker_context import WorkerContext
from tests.checkpoints import saved_model

pytestmark = pytest.mark.gpu

CUDA = torch.device("cuda", 0)


class Averages(AveragedWeights):
    """Averages of the parameters of any module."""

    def __init__(self, model: nn.Module) -> None:
        self.tensors = {n: p.detach().clone() for n, p in model.named_parameters()}
        self.begun = True


def make_state(seed: int = 0) -> TrainState:
    """A state with everything on the card that a save has to take off it."""
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(64, 4096), nn.BatchNorm1d(4096), nn.Linear(4096, 1)).to(CUDA)
    optimizer = torch.optim.Adam(model.parameters(), fused=True)
    state = TrainState(
        cast(Model, model),
        Optimizers([optimizer], [], TableGradients([]), None),
        torch.amp.GradScaler("cuda", init_scale=8.0),
        "clicks",
        RunPosition(Position(0, 0, 1), DatasetPosition()),
        averages=Averages(model),
    )
    train(state)
    return state


def train(state: TrainState) -> None:
    """A step that waits for nothing."""
    optimizer = state.optimizers.optimizers[0]
    loss = state.model(torch.randn(8, 64, device=CUDA)).square().mean()
    state.scaler.scale(loss).backward()
    optimizer.step()
    optimizer.zero_grad()
    state.step += 1


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def saver(tmp_path: Path, told: list[str]) -> Saver:
    context = WorkerContext(0, 1, CUDA, LocalController())
    return Saver(tmp_path, context, False, told.append)


@contextmanager
def no_synchronisation() -> Iterator[None]:
    """A context in which a wait for the card is an error, on any thread."""
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_copies_are_page_locked_and_equal() -> None:
    unlocked: list[str] = []
    staging = Staging(CUDA, unlocked.append)
    given = {
        "large": torch.randn(1 << 22, device=CUDA),
        "parts": [torch.randn(3, 5, device=CUDA).T],
    }
    for _ in range(2):
        copies = staging.copy(given)
        found = copies.wait()
        for copy, tensor in (
            (found["large"], given["large"]),
            (found["parts"][0], given["parts"][0]),
        ):
            assert copy.device.type == "cpu"
            assert copy.is_pinned()
            assert torch.equal(copy, tensor.cpu())
        assert copies.device_s > 0
        copies.release()
    assert unlocked == []


def test_what_is_trained_after_the_call_is_not_in_the_copies() -> None:
    staging = Staging(CUDA, print)
    given = {"a": torch.zeros(1 << 26, device=CUDA)}
    copies = staging.copy(given)
    for _ in range(10):
        given["a"] += 1
    assert not copies.wait()["a"].any()


def test_neither_training_nor_the_writer_synchronises(saver: Saver, tmp_path: Path) -> None:
    state = make_state()
    saver.reserve(state)
    with no_synchronisation():
        for _ in range(2):
            saver.save(state)
            train(state)
            assert saver.wait() is None
    saver.close()
    assert len(list_checkpoints(tmp_path)) == 2


def test_a_restored_state_trains_on_bit_for_bit(
    saver: Saver, tmp_path: Path, told: list[str]
) -> None:
    state, other = make_state(), make_state(seed=1)
    expected = {name: value.cpu() for name, value in state.model.state_dict().items()}
    saver.save(state)
    train(state)
    saver.close()
    assert told == []
    assert saver.device_s > 0
    (checkpoint,) = list_checkpoints(tmp_path)
    saved = saved_model(Path(str(checkpoint.path)))
    assert all(torch.equal(saved[name], value) for name, value in expected.items())
    for each in (state, other):
        restore(each, checkpoint, WorkerContext(0, 1, CUDA, LocalController()))
        for _ in range(3):
            train(each)
    for one, two in zip(state.model.parameters(), other.model.parameters(), strict=True):
        assert torch.equal(one, two)
    assert state.scaler.get_scale() == other.scaler.get_scale()
