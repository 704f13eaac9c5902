"""Checkpoints written in the background: their content, and what happens if a save fails."""

from __future__ import annotations

import json
import logging
import pickle
import resource
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import raymon
from raymon.cli.commands import raymon as command_line
from raymon.data import DatasetPosition, Position
from raymon.errors import RunError, TrainingError
from raymon.models import Model
from raymon.recorder import Unacknowledged
from raymon.results import CheckpointSaved
from raymon.results.count_names import SAVES_FAILED, SAVES_LEFT_OUT
from raymon.training.checkpoint import tensor_files
from raymon.training.checkpoint.manifest import (
    INDEX,
    MANIFEST,
    TRAINER,
    FileEntry,
    list_checkpoints,
)
from raymon.training.checkpoint.restore import checkpoint_to_restore, load_model, restore
from raymon.training.checkpoint.saver import Saver
from raymon.training.checkpoint.staging import assign_to_ranks
from raymon.training.checkpoint.train_state import TrainState
from raymon.training.input.feed import RunPosition
from raymon.training.optim.optimizers import Optimizers
from raymon.training.optim.table_gradients import TableGradients
from raymon.training.rank.worker_context import WorkerContext
from tests.checkpoints import rewrite_manifest, saved_model, saved_tensors
from tests.training.rank_process import RankRun

CPU = torch.device("cpu")


def make_state(seed: int = 0) -> TrainState:
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(4, 300), nn.BatchNorm1d(300), nn.Linear(300, 1))
    optimizer = torch.optim.Adam(model.parameters())
    state = TrainState(
        cast(Model, model),
        Optimizers([optimizer], [], TableGradients([]), None),
        torch.amp.GradScaler(enabled=False),
        "clicks",
        RunPosition(Position(0, 0, 1), DatasetPosition()),
    )
    train(state)
    return state


def train(state: TrainState) -> None:
    optimizer = state.optimizers.optimizers[0]
    state.model(torch.randn(8, 4)).square().mean().backward()
    optimizer.step()
    optimizer.zero_grad()
    state.step += 1
    own = DatasetPosition(8 * state.step, 3, {"place": torch.tensor(state.step)})
    state.position = RunPosition(Position(0, 8 * state.step, 1), own)


class Run:
    """A saver, and what it reported and registered."""

    def __init__(self, folder: Path, skip: bool = False) -> None:
        self.folder = folder
        self.controller = RankRun()
        self.told: list[str] = []
        self.context = WorkerContext(0, 1, CPU, self.controller)
        self.saver = Saver(folder, self.context, skip, self.told.append)

    def registered(self) -> list[int]:
        return [step for step, _ in self.controller.evaluations]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Saves wait until this is set."""
    event, write = threading.Event(), tensor_files.write_tensors

    def late(*arguments: Any) -> None:
        assert event.wait(60)
        write(*arguments)

    monkeypatch.setattr(tensor_files, "write_tensors", late)
    return event


@contextmanager
def no_file_larger_than(nbytes: int) -> Iterator[None]:
    """Simulates a full disk: writing more than that into a file fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (nbytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def copies(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in tensors.items()}


def assert_equal(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert torch.equal(found[name], tensor), name


def test_what_is_saved_is_the_state_at_the_save_however_late_it_is_written(
    run: Run, gate: threading.Event
) -> None:
    state = make_state()
    expected = copies(state.model.state_dict())
    run.saver.save(state)
    for _ in range(3):
        train(state)
    assert list_checkpoints(run.folder) == []
    gate.set()
    run.saver.close()
    assert run.registered() == [1]
    assert_equal(saved_model(run.folder / "model.ckpt-1"), expected)


def test_a_restored_state_trains_on_bit_for_bit(run: Run) -> None:
    state, other = make_state(), make_state(seed=1)
    state.metrics = {"auc": 0.75}
    run.saver.save(state)
    run.saver.close()
    checkpoint = checkpoint_to_restore(run.folder, run.context, run.told.append)
    assert checkpoint is not None
    assert (checkpoint.step, checkpoint.metrics) == (1, {"auc": 0.75})
    for each in (state, other):
        # Random numbers continue from the checkpoint too.
        restore(each, checkpoint, run.context)
        assert each.position == RunPosition(
            Position(0, 8, 1), DatasetPosition(8, 3, {"place": torch.tensor(1)})
        )
        for _ in range(3):
            train(each)
    assert_equal(other.model.state_dict(), state.model.state_dict())
    moments = [s.optimizers.optimizers[0].state_dict()["state"] for s in (state, other)]
    for one, two in zip(*(m.values() for m in moments), strict=True):
        assert_equal(two, one)
        assert one["step"] == 4


def test_a_manifest_says_where_every_tensor_is_and_what_every_file_holds(run: Run) -> None:
    run.saver.save(make_state())
    run.saver.close()
    path = run.folder / "model.ckpt-1"
    manifest = json.loads((path / MANIFEST).read_text())
    tensors = saved_tensors(path)
    assert manifest["tensors"].keys() == tensors.keys()
    for name, place in manifest["tensors"].items():
        assert place["shape"] == list(tensors[name].shape)
        assert place["dtype"] == str(tensors[name].dtype).removeprefix("torch.")
        assert place["rank"] == 0
    files = {entry.name for entry in path.iterdir()} - {MANIFEST}
    assert manifest["files"].keys() == files
    for name, entry in manifest["files"].items():
        found = subprocess.run(["sha256sum", path / name], capture_output=True, text=True)
        assert entry == {"size": (path / name).stat().st_size, "sha256": found.stdout.split()[0]}


def test_what_goes_wrong_once_a_checkpoint_is_complete_leaves_it_registered(run: Run) -> None:
    """The other ranks register it, and Ray waits for all of them."""

    def fail(checkpoint: CheckpointSaved) -> None:
        raise OSError("cannot be listed")

    saver = Saver(run.folder, run.context, False, run.told.append, fail)
    saver.save(make_state())
    with pytest.raises(OSError, match="cannot be listed"):
        saver.close()
    assert run.registered() == [1]


def test_a_save_waits_for_the_one_before(run: Run, gate: threading.Event) -> None:
    state = make_state()
    run.saver.save(state)
    threading.Timer(0.2, gate.set).start()
    train(state)
    assert run.saver.wants()
    run.saver.save(state)
    assert run.registered() == [1]
    run.saver.close()
    assert run.registered() == [1, 2]
    assert run.saver.standstill_s > 0.1
    assert run.saver.counts.take() == {}


def test_a_save_may_be_left_out_while_one_is_written(tmp_path: Path, gate: threading.Event) -> None:
    run, state = Run(tmp_path, skip=True), make_state()
    assert run.saver.wants()
    run.saver.save(state)
    assert not run.saver.wants()
    gate.set()
    run.saver.wait()
    assert run.saver.wants()
    run.saver.close()
    assert run.saver.counts.take() == {SAVES_LEFT_OUT: 1}


def test_on_a_full_disk_training_goes_on_and_the_next_save_is_tried(run: Run) -> None:
    state = make_state()
    with no_file_larger_than(2000):
        run.saver.save(state)
        why = run.saver.wait()
    assert why is not None
    assert why.startswith(f"{run.folder}/model.ckpt-1: not saved: OSError: ")
    assert run.told == [f"{why}; training goes on, and the next save is tried"]
    assert "\n" not in run.told[0]
    assert list(run.folder.iterdir()) == []
    train(state)
    run.saver.save(state)
    run.saver.close()
    assert run.registered() == [2]
    assert run.saver.counts.take() == {SAVES_FAILED: 1}


def test_the_last_save_of_a_run_must_not_fail(run: Run) -> None:
    with no_file_larger_than(2000):
        run.saver.save(make_state())
        with pytest.raises(TrainingError, match=r"model.ckpt-1: not saved: OSError: .* too large"):
            run.saver.close()


@pytest.mark.parametrize("name", ["__0_0.distcp", TRAINER, "rank-00000.pt", INDEX])
def test_a_damaged_checkpoint_is_not_taken_but_the_one_before(run: Run, name: str) -> None:
    state = make_state()
    for _ in range(2):
        run.saver.save(state)
        train(state)
    run.saver.close()
    damaged = run.folder / "model.ckpt-2" / name
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    taken = checkpoint_to_restore(run.folder, run.context, run.told.append)
    assert taken is not None
    assert taken.step == 1
    wrong = f"{name} is not what was written: its sha256 is another one"
    assert run.told == [f"{damaged.parent}: is damaged, and not taken: {wrong}"]
    verified = CliRunner().invoke(command_line, ["checkpoint", "verify", str(run.folder)])
    assert verified.exit_code == 1
    first, second = verified.stdout.splitlines()
    assert first.startswith(f"{run.folder}/model.ckpt-1: sound, 4 files, ")
    assert second == f"{damaged.parent}: {wrong}"


class Evil:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (open, (str(self.path), "w"))


@pytest.mark.parametrize("name", [INDEX, TRAINER])
def test_nothing_in_a_checkpoint_is_run(run: Run, name: str, tmp_path: Path) -> None:
    state = make_state()
    run.saver.save(state)
    run.saver.close()
    path, trace = run.folder / "model.ckpt-1", tmp_path / "trace"
    if name == INDEX:
        (path / name).write_bytes(pickle.dumps(Evil(trace)))
    else:
        torch.save({"data": Evil(trace)}, path / name)
    # Whoever forged the index has made a matching manifest too.
    manifest = json.loads((path / MANIFEST).read_text())
    manifest["files"][name] = asdict(FileEntry.of(path / name))
    rewrite_manifest(path, {"files": manifest["files"]})
    checkpoint = checkpoint_to_restore(run.folder, run.context, run.told.append)
    assert checkpoint is not None
    with pytest.raises(RunError, match=f"{name}: cannot be read: "):
        restore(state, checkpoint, run.context)
    assert not trace.exists()


def test_a_checkpoint_of_another_model_is_told(run: Run) -> None:
    run.saver.save(make_state())
    run.saver.close()
    (checkpoint,) = list_checkpoints(run.folder)
    for other, message in (
        (nn.Sequential(nn.Linear(4, 301)), r"0.weight is \[300, 4\], here it is \[301, 4\]"),
        (nn.Sequential(nn.Linear(4, 300)), "here is no 1.weight"),
        (nn.ModuleDict({"x": nn.Linear(4, 300)}), "it has no x.weight"),
    ):
        before = copies(other.state_dict())
        with pytest.raises(RunError, match=f"does not fit the model of this config: {message}"):
            load_model(cast(Model, other), checkpoint)
        assert_equal(other.state_dict(), before)


@given(st.dictionaries(st.text(max_size=3), st.integers(0, 10**9), max_size=30), st.integers(1, 9))
def test_tensors_are_dealt_evenly_and_to_one_rank_each(sizes: dict[str, int], ranks: int) -> None:
    places = assign_to_ranks(sizes, ranks)
    assert places.keys() == sizes.keys()
    loads = [sum(sizes[n] for n, rank in places.items() if rank == r) for r in range(ranks)]
    assert sum(loads) == sum(sizes.values())
    assert max(loads) - min(loads) <= max(sizes.values(), default=0)
    backwards = dict(reversed(sizes.items()))
    assert assign_to_ranks(backwards, ranks) == places


def test_a_run_whose_disk_is_full_for_a_while_ends_well(
    config_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # Curves and windows are small; the checkpoints alone are larger than the limit.
    seen: list[str] = []
    original = Saver.save

    def save(self: Saver, state: TrainState, unacknowledged: Unacknowledged) -> None:
        with no_file_larger_than(20_000) if state.step == 20 else no_file_larger_than(-1):
            original(self, state, unacknowledged)
            seen.append(str(self.wait()))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Saver, "save", save)
        summary = raymon.train(
            config_file, {"ray_config.num_workers": 0, "train_config.num_steps": 60}
        )
    assert summary.status == "done"
    assert summary.save_counts == {SAVES_FAILED: 1}
    run = Path(summary.model_dir)
    assert [checkpoint.step for checkpoint in list_checkpoints(run)] == [40, 60]
    assert seen[0].startswith(f"{run}/model.ckpt-20: not saved")
    # The user sees it.
    said = ("raymon", logging.WARNING, f"{seen[0]}; training goes on, and the next save is tried")
    assert said in caplog.record_tuples


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def test_a_checkpoint_that_was_cut_short_is_told_too(run: Run) -> None:
    state = make_state()
    for _ in range(2):
        run.saver.save(state)
        train(state)
    run.saver.close()
    second = run.folder / "model.ckpt-2"
    cut(second / TRAINER)
    taken = checkpoint_to_restore(run.folder, run.context, run.told.append)
    assert taken is not None
    assert taken.step == 1
    (told,) = run.told
    assert told.startswith(f"{second}: is damaged, and not taken: {TRAINER} has ")
    # If none is left, a run must not start again over them.
    cut(run.folder / "model.ckpt-1" / TRAINER)
    with pytest.raises(RunError, match="every checkpoint is damaged"):
        checkpoint_to_restore(run.folder, run.context, run.told.append)


def test_a_run_does_not_begin_over_damaged_checkpoints(config_file: Path) -> None:
    chosen = {"ray_config.num_workers": 0, "train_config.num_steps": 10}
    summary = raymon.train(config_file, chosen)
    cut(Path(summary.model_dir) / "model.ckpt-10" / TRAINER)
    with pytest.raises(RunError, match=r"has checkpoints that are damaged, as model"):
        raymon.train(config_file, chosen)
    with pytest.raises(RunError, match="every checkpoint is damaged"):
        raymon.train(config_file, chosen, resume=True)


def test_a_save_that_is_left_out_is_left_out(
    config_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wants = iter([True, False, False, True])
    asked: list[Saver] = []

    def answer(saver: Saver) -> bool:
        asked.append(saver)
        return next(wants)

    monkeypatch.setattr(Saver, "wants", answer)
    chosen = {"ray_config.num_workers": 0, "train_config.num_steps": 45}
    chosen["train_config.save_checkpoints_steps"] = 10
    summary = raymon.train(config_file, chosen)
    assert len(asked) == 4
    steps = [checkpoint.step for checkpoint in list_checkpoints(Path(summary.model_dir))]
    assert steps == [10, 40, 45]


def test_scores_that_are_no_numbers_come_back_as_such(run: Run) -> None:
    state = make_state()
    state.metrics = {"auc": float("nan"), "loss": 0.5}
    run.saver.save(state)
    run.saver.close()
    text = (run.folder / "model.ckpt-1" / MANIFEST).read_text()
    assert json.loads(text, parse_constant=pytest.fail)["metrics"] == {"auc": None, "loss": 0.5}
    (checkpoint,) = list_checkpoints(run.folder)
    assert checkpoint.metrics["auc"] != checkpoint.metrics["auc"]
