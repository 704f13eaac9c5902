"""On a GPU: samples a second beside a joint table and a CUDA graph, launches, waits, saves.

One DLRM of 26 tables is trained by raymon's loop, with its monitoring, on batches that lie ready on
the host, in float32, BF16 and FP16, and in BF16 compiled by torch, too; by plain torch whose 26
tables are one, whose batches are on the device and which nothing watches, launched kernel by
kernel; and by the same as a CUDA graph. These two are the limits.

Launches, and the share of time in which the device is busy, are read from the trace that raymon
writes with `is_profiling`. What the monitor adds is measured with a step of about a millisecond of
a small MLP: the contenders take turns, each between two bare loops. Lines that wait for the device
are those that CUDA tells of on the training thread, in steps with clipping, all summaries and
metrics; for FP16 that is `GradScaler.step` of torch, which asks whether gradients are finite. A
save is of about 2 GB of tables; it takes the time in which training stands still.
"""

from __future__ import annotations

import logging
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from benchmarks.contenders import gpu_watched
from benchmarks.contenders.gpu_loop import RaymonLoop, settle
from benchmarks.contenders.gpu_speed import BATCHES, COMPILED, EAGER, GRAPH, RAYMON, Speeds, speeds
from benchmarks.contenders.gpu_task import BOTTOM, DIM, TABLES, TOP, WINDOW, Task, host_batches
from benchmarks.harness import Case, Ratio, Result, Target
from benchmarks.harness.device_trace import DeviceTrace, read_trace
from benchmarks.harness.device_waits import waits_of_this_thread
from benchmarks.harness.machine import machine
from raymon.protos.pipeline_pb2 import PipelineConfig

ROUNDS = 3
MOST_LAUNCHES = 200
MOST_ADDED, NOISE = 0.02, 0.03
"""Share of a step that the monitor may add, and how far it may be off."""

MOST_STANDSTILL_S = 0.1


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    Attributes:
        rows: Rows of a step: a small number and a large one.
        table_rows: Rows of a table: a small number and a large one.
        bottom: Units of the bottom MLP.
        top: Units of the top MLP.
        seconds: Seconds of a turn, about.
        step_s: Seconds of a step that the monitor watches, about.
        watched_steps: Steps that it watches in a turn.
        saved_bytes: Bytes of the state that is saved, about.
    """

    rows: tuple[int, int] = (8_192, 65_536)
    table_rows: tuple[int, int] = (10_000, 1_000_000)
    bottom: Sequence[int] = BOTTOM
    top: Sequence[int] = TOP
    seconds: float = 0.5
    step_s: float = 1e-3
    watched_steps: int = 400
    saved_bytes: int = 2 * 10**9

    def task(self, rows: int, table_rows: int, precision: str) -> Task:
        """Returns a task of these sizes."""
        return Task(rows, table_rows, precision, (self.bottom, self.top))


QUICK = Sizes(seconds=0.1, watched_steps=100, table_rows=(10_000, 100_000), saved_bytes=2 * 10**8)


def missing() -> str | None:
    """Returns why nothing can be measured on this machine; None if it can."""
    return None if torch.cuda.is_available() else "gpu: torch finds no GPU on this machine"


def run(rounds: int, quick: bool) -> Result:
    """Measures everything on the first GPU."""
    device = torch.device("cuda", 0)
    torch.cuda.set_device(device)
    return measure(device, rounds, QUICK if quick else Sizes())


def measure(device: torch.device, rounds: int, sizes: Sizes) -> Result:
    """Measures everything on a device; on the CPU there is no CUDA graph, and no launch.

    Args:
        device: Device of the models.
        rounds: Number of rounds.
        sizes: How much is measured.
    """
    for name in ("lightning.pytorch", "lightning.fabric", "raymon"):
        logging.getLogger(name).setLevel(logging.ERROR)
    cases: list[Case] = []
    ratios: list[Ratio] = []
    for table_rows in sizes.table_rows:
        for precision in ("", "BF16", "FP16"):
            tasks = [sizes.task(rows, table_rows, precision) for rows in sizes.rows]
            compiles = device.type == "cuda" and precision == "BF16"
            compiles = compiles and table_rows == sizes.table_rows[0]
            measured = speeds(tasks, device, rounds, sizes.seconds, compiles=compiles)
            for task, found in measured.items():
                of_task = _speed_cases(task, found)
                cases += of_task.values()
                ratios += _speed_ratios(task, of_task, sizes)
    trace = _trace(sizes, device)
    cases += _trace_cases(trace)
    added, of_monitor = _monitor(rounds, sizes, device)
    cases += added
    ratios += of_monitor
    waits = _waits(sizes, device)
    cases += [Case(RAYMON, "lines", [n], f"{kind}: lines that wait") for kind, n in waits.items()]
    still = _saves(sizes, device)
    cases += still
    ratios.append(
        Ratio.share("standstill for a save, of that of torch.save", *still, at_least=False)
    )
    gpu = f"{torch.cuda.get_device_name(device)}, " if device.type == "cuda" else ""
    return Result(
        "gpu",
        cases,
        ratios,
        list(_limits(trace, waits, still[0])),
        ["the limits have no metrics, and their batches are on the device"],
        machine=f"{gpu}{machine()}",
    )


def _speed_cases(task: Task, found: Speeds) -> dict[str, Case]:
    return {name: Case(name, "samples/s", figures, str(task)) for name, figures in found.items()}


def _speed_ratios(task: Task, cases: dict[str, Case], sizes: Sizes) -> Iterator[Ratio]:
    small = task.table_rows == sizes.table_rows[0]
    for peer in (EAGER, GRAPH):
        if peer not in cases:
            continue
        target = None
        if task.precision == "BF16" and small:
            of_small = {EAGER: 1.0, GRAPH: 0.5}
            target = of_small[peer] if task.rows == sizes.rows[0] else {EAGER: 0.8}.get(peer)
        name = f"{task}: samples/s, of {peer}"
        yield Ratio.share(name, cases[RAYMON], cases[peer], target)
        if COMPILED in cases:
            yield Ratio.share(f"{name}, with compile: true", cases[COMPILED], cases[peer])


def _trace(sizes: Sizes, device: torch.device) -> DeviceTrace:
    task = sizes.task(sizes.rows[0], sizes.table_rows[0], "BF16")
    with tempfile.TemporaryDirectory() as directory:
        loop = RaymonLoop(task, device, Path(directory) / "run", _profiled)
        loop.run(host_batches(task, BATCHES), 25, 0)
        loop.close()
        (path,) = (Path(directory) / "run" / "train_eval_trace").iterdir()
        return read_trace(path)


def _profiled(config: PipelineConfig) -> None:
    config.train_config.is_profiling = True


def _trace_cases(trace: DeviceTrace) -> list[Case]:
    steps = trace.steps
    return [
        Case(RAYMON, "kernels", [trace.kernels / steps], "a step in BF16"),
        Case(RAYMON, "copies and fills", [trace.copies / steps], "a step in BF16"),
        Case(RAYMON, "% busy", [100 * trace.busy_share], "the device, under the profiler"),
    ]


def _monitor(rounds: int, sizes: Sizes, device: torch.device) -> tuple[list[Case], list[Ratio]]:
    """Measures what watching adds to a step, in turns between bare loops."""
    layers = gpu_watched.layers_of(sizes.step_s, device)
    contenders = gpu_watched.contenders(sizes.watched_steps, layers, device)
    added: dict[str, list[float]] = {name: [] for name in contenders}
    alone: list[float] = []
    with tempfile.TemporaryDirectory() as directory:
        before = gpu_watched.bare(sizes.watched_steps, layers, device)
        for number in range(rounds):
            for name in list(contenders) if number % 2 == 0 else reversed(list(contenders)):
                watched = contenders[name](Path(directory) / f"{number}-{name.replace(' ', '-')}")
                after = gpu_watched.bare(sizes.watched_steps, layers, device)
                added[name].append(1e3 * (watched - (before + after) / 2))
                alone.append(1e3 * after)
                before = after
    step = Case("bare loop", "ms a step", alone, "a step without any of it")
    cases = [Case(name, "ms", figures, "added to a step") for name, figures in added.items()]
    ratios = [
        Ratio(
            f"{case.contender}: added to a step, of the step",
            [figure / step.median for figure in case.figures],
            f"{case.median:.3g} ms",
            f"a bare step: {step.median:.3g} ms",
            at_least=False,
            target=MOST_ADDED if case.contender == RAYMON else None,
            slack=NOISE,
        )
        for case in cases
    ]
    return [step, *cases], ratios


def _waits(sizes: Sizes, device: torch.device) -> dict[str, int]:
    """Counts the lines of the training thread that wait, in each precision."""
    found = {}
    for precision in ("", "BF16", "FP16"):
        task = sizes.task(sizes.rows[0], sizes.table_rows[0], precision)
        lines = waits_of_training(task, device)
        found[precision or "float32"] = len(lines)
    return found


def waits_of_training(task: Task, device: torch.device) -> dict[str, int]:
    """Trains with clipping, all summaries and metrics, and returns the lines that wait.

    Returns:
        How often each line of the training thread waited for the device, by `file:line`.
    """
    with tempfile.TemporaryDirectory() as directory:
        loop = RaymonLoop(task, device, Path(directory) / "run", _with_everything)
        batches = host_batches(task, BATCHES)
        loop.run(batches, 5, 0)
        if device.type != "cuda":
            loop.close()
            return {}
        with waits_of_this_thread() as found:
            loop.run(batches, 2 * WINDOW + 5, 0)
        loop.close()
    # The clock of the benchmark waits, too.
    return {line: n for line, n in found.items() if not line.startswith("benchmarks/")}


def _with_everything(config: PipelineConfig) -> None:
    train = config.train_config
    train.grad_clipping.clipping_type, train.grad_clipping.max_gradient = "norm", 1.0
    train.tensorboard_summaries.extend(
        ["parameter", "gradient", "gradient_norm", "global_gradient_norm"]
    )


def _saves(sizes: Sizes, device: torch.device) -> tuple[Case, Case]:
    """Measures the standstill of a save by raymon, and by `torch.save`."""
    rows = max(1, sizes.saved_bytes // (TABLES * DIM * 4))
    task = sizes.task(sizes.rows[0], rows, "BF16")
    asked = f"standstill for a save of {TABLES * DIM * 4 * rows / 1e9:.2g} GB"
    with tempfile.TemporaryDirectory() as directory:
        loop = RaymonLoop(task, device, Path(directory) / "run", saves=True)
        # The last step is saved.
        measured = loop.run(host_batches(task, BATCHES), 20, 0)
        settle(device)
        began = time.perf_counter()
        torch.save(loop.state.model.state_dict(), Path(directory) / "model.pt")
        by_torch = time.perf_counter() - began
        loop.close()
    return (
        Case(RAYMON, "s", [measured.standstill_s], asked),
        Case("torch.save", "s", [by_torch], asked),
    )


def _limits(trace: DeviceTrace, waits: dict[str, int], save: Case) -> Iterator[Target]:
    launches = trace.launches_a_step
    name = "kernels and copies of a step in BF16"
    yield Target(name, launches, MOST_LAUNCHES, launches <= MOST_LAUNCHES)
    waiting = waits["float32"] + waits["BF16"]
    yield Target("lines of the training thread that wait", waiting, 0, waiting == 0)
    still = statistics.median(save.figures)
    yield Target(
        f"seconds of {save.question}", still, MOST_STANDSTILL_S, still <= MOST_STANDSTILL_S
    )
