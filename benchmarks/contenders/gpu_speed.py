"""Samples a second of raymon's loop and of the limits, on one device."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import torch

from benchmarks.contenders.gpu_limits import Step, as_graph, kernel_by_kernel
from benchmarks.contenders.gpu_loop import RaymonLoop, settle
from benchmarks.contenders.gpu_task import Task, host_batches
from benchmarks.harness import in_turns
from raymon.data import Batch
from raymon.protos.pipeline_pb2 import PipelineConfig

RAYMON, COMPILED = "raymon", "raymon, compile: true"
EAGER, GRAPH = "joint table, kernel by kernel", "joint table, CUDA graph"
BATCHES = 4
"""Number of different batches."""

_WARM_UP, _PROBE = 10, 10
_MOST_STEPS = 1_000

Speeds = dict[str, list[float]]
"""Samples a second of each round, by contender."""


def speeds(
    tasks: Sequence[Task],
    device: torch.device,
    rounds: int,
    seconds: float,
    *,
    compiles: bool = False,
) -> dict[Task, Speeds]:
    """Measures all contenders in turns.

    Args:
        tasks: Tasks that differ in the rows of a step alone, so that raymon has one model for all.
        device: Device of the models.
        rounds: Number of rounds.
        seconds: Seconds of a turn, about.
        compiles: Whether raymon with a model that torch compiles is a contender, too.
    """
    found = {}
    with tempfile.TemporaryDirectory() as directory:
        loops = {RAYMON: RaymonLoop(tasks[0], device, Path(directory) / "run")}
        if compiles:
            place = Path(directory) / "compiled"
            loops[COMPILED] = RaymonLoop(tasks[0], device, place, _compiled)
        for task in tasks:
            batches = host_batches(task, BATCHES)
            limits: Mapping[str, Callable[[Task, Sequence[Batch], torch.device], Step]] = {}
            # FP16 scales its losses, and asks the device whether gradients are finite.
            if task.precision != "FP16":
                graph = {GRAPH: as_graph} if device.type == "cuda" else {}
                limits = {EAGER: kernel_by_kernel, **graph}
            contenders = {
                name: partial(_of_raymon, loop, batches, seconds) for name, loop in loops.items()
            }
            for name, make in limits.items():
                step = make(task, batches, device)
                contenders[name] = partial(_of_limit, step, task.rows, device, seconds)
            found[task] = in_turns(contenders, rounds)
        for loop in loops.values():
            loop.close()
    return found


def _compiled(config: PipelineConfig) -> None:
    config.train_config.compile = True


def _of_raymon(loop: RaymonLoop, batches: Sequence[Batch], seconds: float) -> float:
    probed = loop.run(batches, _WARM_UP + _PROBE, _WARM_UP)
    steps = _steps(probed.seconds / probed.steps, seconds)
    measured = loop.run(batches, _WARM_UP + steps, _WARM_UP)
    assert measured.failures == 0, "monitoring failed"
    return measured.steps * batches[0].size / measured.seconds


def _of_limit(step: Step, rows: int, device: torch.device, seconds: float) -> float:
    _timed(step, _WARM_UP, device)
    steps = _steps(_timed(step, _PROBE, device) / _PROBE, seconds)
    return steps * rows / _timed(step, steps, device)


def _timed(step: Step, steps: int, device: torch.device) -> float:
    settle(device)
    began = time.perf_counter()
    for _ in range(steps):
        step()
    settle(device)
    return time.perf_counter() - began


def _steps(step_s: float, seconds: float) -> int:
    return max(_PROBE, min(_MOST_STEPS, round(seconds / step_s)))
