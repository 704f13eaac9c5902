"""What the benchmark of a GPU can be known to do without one."""

from __future__ import annotations

import math
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from torch import Tensor

from benchmarks.__main__ import main as benchmarks
from benchmarks.contenders import gpu_watched
from benchmarks.contenders.gpu_limits import JointDLRM, on_device
from benchmarks.contenders.gpu_loop import RaymonLoop
from benchmarks.contenders.gpu_task import NAMES, Task, host_batches
from benchmarks.gpu import Sizes, measure
from benchmarks.harness.device_trace import DeviceTrace, of_events
from benchmarks.harness.everything import main as everything
from benchmarks.harness.result import Result
from tests.benchmarks.quick import ROOT

CPU = torch.device("cpu")
SMALL = Sizes((32, 64), (20, 40), (8, 16), (16, 8), 0.001, 1e-9, 5, 10**6)
WIDTHS = (SMALL.bottom, SMALL.top)


def test_all_that_needs_no_cuda_is_measured_on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu_watched, "ROWS", 32)
    monkeypatch.setattr(gpu_watched, "_PROBE", 3)
    result = measure(CPU, 1, SMALL)
    assert Result.from_json(result.to_json()) == result
    figures = [figure for case in result.cases for figure in case.figures]
    assert all(math.isfinite(figure) for figure in figures)
    speeds = [case for case in result.cases if case.unit == "samples/s"]
    # Of two sizes of batches and tables: two contenders in float32 and BF16, one in FP16.
    assert len(speeds) == 2 * 2 * (2 + 2 + 1)
    assert all(case.median > 0 for case in speeds)
    targets = [target.name for target in result.targets]
    assert "kernels and copies of a step in BF16" in targets
    assert "lines of the training thread that wait" in targets


def test_without_a_gpu_one_line_says_so_and_nothing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    done = CliRunner().invoke(benchmarks, ["gpu", "--json"])
    assert done.exit_code == 0, done.output
    assert done.stdout == "gpu: torch finds no GPU on this machine\n"


@pytest.mark.parametrize(
    ("module", "said"),
    [
        (["scripts.gpu"], "torch finds no GPU on this machine: nothing is tested or measured\n"),
        (["scripts.without_ray", "benchmarks", "gpu"], "gpu: torch finds no GPU on this machine\n"),
    ],
)
def test_the_command_needs_neither_a_gpu_nor_ray_to_say_so(module: list[str], said: str) -> None:
    hidden = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, "-m", *module]
    done = subprocess.run(
        command, cwd=ROOT, env=hidden, capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stdout) == (0, said), done.stderr


def test_ray_is_not_found_where_it_is_not_to_be() -> None:
    # The module of this test, in a process of its own.
    command = [sys.executable, "-m", "scripts.without_ray", "tests.benchmarks.imports_ray"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "ModuleNotFoundError: No module named 'ray'" in done.stderr


def test_without_a_gpu_the_stored_result_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    done = CliRunner().invoke(everything, ["gpu"])
    assert done.exit_code == 0
    assert "gpu: left out: gpu: torch finds no GPU on this machine" in done.output


def tables_of(loop: RaymonLoop) -> Tensor:
    """All rows of a model of raymon, as the joint table has them."""
    saved = loop.model.state_dict()
    return torch.cat([saved[f"embeddings.tables.t_{name}.weight"] for name in NAMES])


def test_the_limit_makes_the_steps_of_raymon(tmp_path: Path) -> None:
    task = Task(16, 30, "", WIDTHS)
    (batch,) = host_batches(task, 1)
    loop = RaymonLoop(task, CPU, tmp_path / "run")
    limit = JointDLRM(task, CPU)
    limit.table.copy_(tables_of(loop))
    parts = {"bottom": "dense_mlp.layers", "top.0": "final_mlp.layers", "top": "head.outputs"}
    weights = loop.model.state_dict()
    for part, place in parts.items():
        for name, own in limit.get_submodule(part).named_parameters():
            if part != "top" or name.startswith("1."):
                theirs = name.replace("1.", "0.") if part == "top" else name
                own.data.copy_(weights[f"{place}.{theirs}"])
    for _ in range(2):
        output = loop.train_step.backward(batch, batch.size, 1, True)
        loop.train_step.unscale()
        assert loop.train_step.update()
        loss = limit.step(*on_device(task, [batch], CPU)[0])
        (of_raymon,) = output.losses.values()
        torch.testing.assert_close(of_raymon, loss, rtol=1e-5, atol=0)
    torch.testing.assert_close(tables_of(loop), limit.table, rtol=1e-4, atol=1e-6)
    loop.close()


def event(kind: str, began: float, lasted: float, name: str = "x") -> dict[str, Any]:
    return {"ph": "X", "cat": kind, "name": name, "ts": began, "dur": lasted}


def test_a_trace_has_the_launches_of_its_steps_and_the_time_that_is_covered() -> None:
    events = [
        event("user_annotation", 0, 100, "ProfilerStep#8"),
        event("user_annotation", 100, 100, "ProfilerStep#9"),
        event("gpu_user_annotation", 5, 90, "ProfilerStep#8"),
        event("user_annotation", 0, 300, "Optimizer.step"),
        event("cpu_op", 0, 1000),
        event("kernel", 10, 20),
        event("kernel", 20, 20),  # 10 of it beside the one before
        event("gpu_memcpy", 60, 10),
        event("gpu_memset", 150, 10),
        event("kernel", 195, 55),  # launched in the last step, over after it
        {"ph": "M", "cat": "kernel"},
    ]
    random.Random(0).shuffle(events)
    trace = of_events(events)
    assert trace == DeviceTrace(steps=2, kernels=3, copies=2, busy_us=105, span_us=250)
    assert trace.launches_a_step == 2.5
    assert trace.busy_share == 105 / 250


def test_a_trace_without_a_device_has_nothing() -> None:
    trace = of_events([event("cpu_op", 0, 10)])
    assert (trace.launches_a_step, trace.busy_share) == (0, 0)


def test_a_step_is_made_as_long_as_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu_watched, "_probe", lambda layers, device: layers * 1e-4)
    for seconds in (1e-5, 1e-4, 9.5e-4, 1e-3, 7e-3):
        layers = gpu_watched.layers_of(seconds, CPU)
        assert layers == 1 or (layers - 1) * 1e-4 < seconds
        assert seconds <= layers * 1e-4
