"""What does monitoring cost a whole run: `raymon train` beside the same loop without it.

Both train a DeepFM on a generated click log, on 2 Ray workers of one cluster, in turns.
"""

from __future__ import annotations

import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

import ray
import ray.train
import ray.train.torch

from benchmarks.harness.result import Case, Result, Target
from raymon.config import load
from raymon.data.synthetic import generate
from raymon.monitor import Monitor, Sender
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.training.job import Job
from raymon.training.prepare import with_absolute_paths
from raymon.training.ray_cluster import connect
from raymon.training.retention import LocalRegister
from raymon.training.train import train
from raymon.training.worker import NO_ATTEMPT, run_worker
from raymon.training.worker_context import WorkerContext

TARGET = 0.97
_CONFIG = Path(__file__).parent.parent / "raymon" / "examples" / "demo.config"


class Unwatched(Monitor):
    """Counts the seconds of training, and does nothing else."""

    def __init__(self, context: WorkerContext, out: Path) -> None:
        super().__init__(
            attempt=0,
            rank=context.rank,
            metrics={},
            update_train_metric=lambda predictions, batch: None,
            log_step_count_steps=1_000_000_000,
            sender=Sender(_Nowhere(), lambda ack: None),
            device=context.device,
        )
        self._out = out
        self._rows = 0

    def step(self, *arguments: Any, samples: int, **others: Any) -> None:
        """Counts rows."""
        self._rows += samples
        self.clock.lap("step")

    def cut(self, checkpoint: bool = False) -> None:
        """No window is sent."""

    def close(self, timeout_s: float = 0.0) -> bool:
        """Writes down what was counted."""
        seconds = sum(self.clock.take().values())
        self._out.write_text(json.dumps({"rows": self._rows, "seconds": seconds}))
        return super().close(timeout_s)


class _Nowhere:
    """A reporter that nothing is sent to."""

    def begin_attempt(self, *arguments: Any) -> int:
        """No attempt."""
        return NO_ATTEMPT

    def publish_evaluation_progress(self, *arguments: Any) -> None:
        """Drops it."""

    def publish_evaluation(self, *arguments: Any) -> None:
        """Drops it."""


def unwatched_worker(arguments: dict[str, Any]) -> None:
    """The loop of raymon, without monitoring, on a worker of Ray Train."""
    job: Job = arguments["job"]
    world = ray.train.get_context()
    register = LocalRegister(Path(job.config.model_dir), job.config.export_config, 0)
    context = WorkerContext(
        world.get_world_rank(), world.get_world_size(), ray.train.torch.get_device(), register
    )
    out = Path(job.config.model_dir) / f"unwatched-{context.rank}.json"
    run_worker(job, context, _Nowhere(), lambda *_: Unwatched(context, out))


def run(rounds: int) -> Result:
    """Runs both in turns; compares the two runs of each round, which share the machine's mood."""
    connect(None)
    with tempfile.TemporaryDirectory() as directory:
        data = Path(directory) / "data"
        generate(data)
        watched, bare = [], []
        for i in range(rounds):
            # Whoever comes first finds a colder machine, so they take turns at that too.
            pair = [
                (watched, lambda i=i: _watched(_config(data, Path(directory) / f"watched-{i}"))),
                (bare, lambda i=i: _bare(_config(data, Path(directory) / f"bare-{i}"))),
            ]
            for figures, measure in pair if i % 2 == 0 else reversed(pair):
                figures.append(measure())
    cases = [
        Case("raymon train", "samples/s", watched),
        Case("the same loop, unwatched", "samples/s", bare),
    ]
    share = statistics.median(w / b for w, b in zip(watched, bare, strict=True))
    target = Target("samples/s with monitoring over without", share, TARGET, share >= TARGET)
    return Result("end_to_end", cases, [target])


def _config(data: Path, model_dir: Path) -> PipelineConfig:
    return load(
        _CONFIG,
        {
            "train_input_path": str(data / "train"),
            "eval_input_path": "",
            "model_dir": str(model_dir),
            "export_config": "",
            "train_config.log_step_count_steps": 100,
            "train_config.save_checkpoints_steps": 1_000_000,
            "monitor_config.log_level": "WARNING",
        },
    )


def _watched(config: PipelineConfig) -> float:
    return train(config).samples_per_second


def _bare(config: PipelineConfig) -> float:
    from ray.train import RunConfig, ScalingConfig
    from ray.train.torch import TorchTrainer

    config = with_absolute_paths(config)
    model_dir = Path(config.model_dir)
    TorchTrainer(
        unwatched_worker,
        train_loop_config={"job": Job(config.SerializeToString())},
        scaling_config=ScalingConfig(num_workers=config.ray_config.num_workers),
        run_config=RunConfig(name=model_dir.name, storage_path=str(model_dir.parent)),
    ).fit()
    counts = [json.loads(path.read_text()) for path in model_dir.glob("unwatched-*.json")]
    return float(sum(c["rows"] for c in counts) / max(c["seconds"] for c in counts))
