"""How long does training stand still for a checkpoint: raymon, `torch.save` with a report, DCP.

Two workers of Ray Train hold a model with the state of Adam, 500 MB in all, the same on both. Each
contender saves once in the middle of a number of steps that end with an all-reduce, as the steps of
training do. Measured are the seconds that the training thread of the slower rank is in the save,
and how much longer the steps take than without a save, including what is written in the background.
The contenders take turns in every round; the first round, in which memory is new, does not count.

`torch.save` is followed by a blocking `ray.train.report`, as in Ray Train's guide to saving and
loading checkpoints; `torch.distributed.checkpoint.async_save` has a gloo group of its own, as in
PyTorch's recipe for it, and its checkpoint is not reported.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, cast

import ray
import ray.train
import torch
import torch.distributed as dist
from ray.train.torch import TorchTrainer
from torch import nn
from torch.distributed.checkpoint.state_dict_saver import async_save

from benchmarks.harness import Case, Ratio, Result
from raymon.data import Position
from raymon.models import Model
from raymon.training.checkpoint.saver import Saver
from raymon.training.checkpoint.train_state import TrainState
from raymon.training.input.feed import RunPosition
from raymon.training.on_ray.cluster import connect
from raymon.training.on_ray.ray_train_thread import RayTrainThread
from raymon.training.optim.optimizers import Optimizers
from raymon.training.optim.table_gradients import TableGradients
from raymon.training.rank.worker_context import WorkerContext

ROUNDS = 3
TARGET = 0.1
RAYMON, REPORT, ASYNC = "raymon", "torch.save, blocking report", "dcp.async_save alone"
CONTENDERS = (RAYMON, REPORT, ASYNC)
_TABLES, _DIM = 26, 16
_ROWS, _QUICK_ROWS = 100_000, 10_000
_STEPS, _QUICK_STEPS, _STEP_S = 150, 10, 0.02


def run(rounds: int, quick: bool) -> Result:
    """Runs all contenders in turns, on two workers."""
    connect(None)
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory) / "figures.json"
        trainer = TorchTrainer(
            measure,
            train_loop_config={
                "rounds": rounds + 1,
                "rows": _QUICK_ROWS if quick else _ROWS,
                "steps": _QUICK_STEPS if quick else _STEPS,
                "out": str(out),
                "folder": directory,
            },
            scaling_config=ray.train.ScalingConfig(num_workers=2),
            run_config=ray.train.RunConfig(
                name="run",
                storage_path=directory,
                checkpoint_config=ray.train.CheckpointConfig(num_to_keep=1),
            ),
        )
        trainer.fit()
        found: dict[str, list[list[float]]] = json.loads(out.read_text())
    ray.shutdown()
    still, longer = (
        {
            contender: Case(contender, "ms", [1e3 * figure[i] for figure in figures[1:]], question)
            for contender, figures in found.items()
        }
        for i, question in enumerate(("training stands still", "the steps take longer"))
    )
    ratios = [
        Ratio.share(
            f"standstill, of that of {peer}", still[RAYMON], still[peer], target, at_least=False
        )
        for peer, target in ((REPORT, TARGET), (ASYNC, None))
    ]
    return Result("checkpoint", [*still.values(), *longer.values()], ratios)


def measure(arguments: dict[str, Any]) -> None:
    """Measures all contenders on one worker."""
    world = ray.train.get_context()
    controller = RayTrainThread()
    context = WorkerContext(
        world.get_world_rank(), world.get_world_size(), torch.device("cpu"), controller
    )
    torch.set_num_threads(1)
    state, folder = make_state(arguments["rows"]), Path(arguments["folder"])
    saver = Saver(folder / "run", context, False, print)
    group = dist.new_group(backend="gloo")
    saves: dict[str, Callable[[], Callable[[], object]]] = {
        RAYMON: lambda: _by_raymon(saver, state),
        REPORT: lambda: _by_report(state, folder),
        ASYNC: lambda: _by_dcp(state, folder / "dcp", group),
    }
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in CONTENDERS}
    for number in range(arguments["rounds"]):
        for name in CONTENDERS if number % 2 else reversed(CONTENDERS):
            state.step += 1
            alone, _ = _train(arguments["steps"], lambda: _nothing)
            seconds, still = _train(arguments["steps"], saves[name])
            found[name].append((still, seconds - alone))
    saver.close()
    controller.close()
    if context.rank == 0:
        Path(arguments["out"]).write_text(json.dumps(found))


def make_state(rows: int) -> TrainState:
    """Returns a model of 26 tables after one step of Adam: 500 MB for tables of 100,000 rows."""
    torch.manual_seed(0)
    tables = {f"table_{i}": nn.Embedding(rows, _DIM) for i in range(_TABLES)}
    model = nn.ModuleDict(tables)
    optimizer = torch.optim.Adam(model.parameters())
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    optimizer.zero_grad()
    scaler = torch.amp.GradScaler(enabled=False)
    position = RunPosition(Position(0, 0))
    return TrainState(
        cast(Model, model),
        Optimizers([optimizer], [], TableGradients([]), None),
        scaler,
        "none",
        position,
    )


def _train(steps: int, save: Callable[[], Callable[[], object]]) -> tuple[float, float]:
    """Returns the seconds of the steps, and of the save among them, each of the slower rank."""
    matrix, word = torch.randn(256, 256), torch.zeros(1)
    dist.barrier()
    finish: Callable[[], object] = _nothing
    began, still = time.perf_counter(), 0.0
    for step in range(steps):
        if step == steps // 4:
            before = time.perf_counter()
            finish = save()
            still = time.perf_counter() - before
        until = time.thread_time() + _STEP_S
        while time.thread_time() < until:
            matrix @ matrix
        dist.all_reduce(word)
    slowest = torch.tensor([time.perf_counter() - began, still], dtype=torch.float64)
    finish()
    dist.all_reduce(slowest, op=dist.ReduceOp.MAX)
    seconds, still = slowest.tolist()
    return seconds, still


def _nothing() -> None:
    pass


def _by_raymon(saver: Saver, state: TrainState) -> Callable[[], object]:
    saver.save(state)
    return saver.wait


def _by_report(state: TrainState, folder: Path) -> Callable[[], object]:
    checkpoint, own = None, folder / "draft"
    if dist.get_rank() == 0:
        own.mkdir(exist_ok=True)
        torch.save(_whole(state), own / "state.pt")
        checkpoint = ray.train.Checkpoint.from_directory(own)
    ray.train.report({"score": 0.0, "step": state.step}, checkpoint=checkpoint)
    return _nothing


def _by_dcp(state: TrainState, folder: Path, group: dist.ProcessGroup) -> Callable[[], object]:
    if dist.get_rank() == 0:
        shutil.rmtree(folder, ignore_errors=True)
    saved = async_save(_whole(state), checkpoint_id=folder, process_group=group)
    return cast("Future[Any]", saved).result


def _whole(state: TrainState) -> dict[str, Any]:
    optimizer = state.optimizers.optimizers[0]
    return {"model": state.model.state_dict(), "optimizer": optimizer.state_dict()}


__all__ = ["run"]
