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


class Averages(AveragedWeights):
    """Averages of the parameters of any module."""

    def __init__(self, model: nn.Module) -> None:
        self.tensors = {n: p.detach().clone() for n, p in model.named_parameters()}
        self.begun = True


def make_state(device: torch.device, seed: int = 0) -> TrainState:
    """A state with everything on the device that a save has to take off it."""
    torch.manual_seed(seed)
    layers = nn.Sequential(nn.Linear(64, 4096), nn.BatchNorm1d(4096), nn.Linear(4096, 1))
    model = layers.to(device)
    optimizer = torch.optim.Adam(model.parameters(), fused=True)
    state = TrainState(
        cast(Model, model),
        Optimizers([optimizer], [], TableGradients([]), None),
        torch.amp.GradScaler(device.type, init_scale=8.0),
        "clicks",
        RunPosition(Position(0, 0, 1), DatasetPosition()),
        averages=Averages(model),
    )
    train(state, device)
    return state


def train(state: TrainState, device: torch.device) -> None:
    """Makes a step, which waits for nothing."""
    optimizer = state.optimizers.optimizers[0]
    loss = state.model(torch.randn(8, 64, device=device)).square().mean()
    state.scaler.scale(loss).backward()
    optimizer.step()
    optimizer.zero_grad()
    state.step += 1


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def saver(tmp_path: Path, told: list[str], device: torch.device) -> Saver:
    context = WorkerContext(0, 1, device, LocalController())
    return Saver(tmp_path, context, False, told.append)


@contextmanager
def no_synchronisation(device: torch.device) -> Iterator[None]:
    """A context in which a wait for a GPU is an error, on any thread."""
    if device.type == "cpu":
        yield
        return
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_copies_are_page_locked_and_equal(device: torch.device) -> None:
    unlocked: list[str] = []
    staging = Staging(device, unlocked.append)
    given = {
        "large": torch.randn(1 << 22, device=device),
        "parts": [torch.randn(3, 5, device=device).T],
        "of the host": torch.arange(7),
    }
    for _ in range(2):
        copies = staging.copy(given)
        found = copies.wait()
        for copy, tensor in (
            (found["large"], given["large"]),
            (found["parts"][0], given["parts"][0]),
            (found["of the host"], given["of the host"]),
        ):
            assert copy.device.type == "cpu"
            assert copy.is_pinned() == (device.type == "cuda")
            assert torch.equal(copy, tensor.cpu())
        assert (copies.device_s > 0) == (device.type == "cuda")
        copies.release()
    assert unlocked == []


def test_what_is_trained_after_the_call_is_not_in_the_copies(device: torch.device) -> None:
    staging = Staging(device, print)
    given = {"a": torch.zeros(1 << 26, device=device)}
    copies = staging.copy(given)
    for _ in range(10):
        given["a"] += 1
    assert not copies.wait()["a"].any()


def test_neither_training_nor_the_writer_synchronises(
    saver: Saver, tmp_path: Path, device: torch.device
) -> None:
    state = make_state(device)
    saver.reserve(state)
    with no_synchronisation(device):
        for _ in range(2):
            saver.save(state)
            train(state, device)
            assert saver.wait() is None
    saver.close()
    assert len(list_checkpoints(tmp_path)) == 2


def test_a_restored_state_trains_on_bit_for_bit(
    saver: Saver, tmp_path: Path, told: list[str], device: torch.device
) -> None:
    state, other = make_state(device), make_state(device, seed=1)
    expected = {name: value.cpu().clone() for name, value in state.model.state_dict().items()}
    saver.save(state)
    train(state, device)
    saver.close()
    assert told == []
    (checkpoint,) = list_checkpoints(tmp_path)
    saved = saved_model(Path(str(checkpoint.path)))
    assert all(torch.equal(saved[name], value) for name, value in expected.items())
    for each in (state, other):
        restore(each, checkpoint, WorkerContext(0, 1, device, LocalController()))
        for _ in range(3):
            train(each, device)
    for one, two in zip(state.model.parameters(), other.model.parameters(), strict=True):
        assert torch.equal(one, two)
    assert state.scaler.get_scale() == other.scaler.get_scale()
