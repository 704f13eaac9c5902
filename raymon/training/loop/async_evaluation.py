"""Scores a checkpoint while the run that wrote it continues."""

from __future__ import annotations

from contextlib import suppress

import torch

from raymon.errors import RunError, reason
from raymon.models import build_model
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.recorder import Outbox
from raymon.results import Evaluation
from raymon.storage import StoragePath
from raymon.training.checkpoint.manifest import (
    check_sound,
    read_checkpoint,
    step_of,
    write_checkpoint_scores,
)
from raymon.training.checkpoint.restore import load_model
from raymon.training.input.datasets import Datasets
from raymon.training.input.inputs import evaluation_of_rank
from raymon.training.input.readers import features_of
from raymon.training.loop.evaluation import evaluate
from raymon.training.loop.out_of_memory import MemoryOfRank
from raymon.training.optim.precision import set_tf32
from raymon.training.rank.devices import why_no_gpu
from raymon.training.rank.run_controller import LocalController
from raymon.training.rank.worker_context import WorkerContext
from raymon.wire import Channel

_PUBLISH_S = 60.0
_BEGUN = "evaluations.begun"
_MOST_TRIES = 5


def evaluate_checkpoint(
    config: PipelineConfig,
    path: StoragePath,
    reporter: Channel,
    datasets: Datasets,
    device: torch.device,
) -> dict[str, float]:
    """Scores a checkpoint, writes the scores into its directory, and publishes them.

    Args:
        config: Config of the run.
        path: Directory of the checkpoint.
        reporter: Channel that takes the scores; the scores are written even if it is gone.
        datasets: Datasets that replace files.
        device: Device of the model.

    Returns:
        The scores by name; empty if the checkpoint could not be scored, which a notice reports.
    """
    outbox = Outbox(reporter, lambda ack: None)
    try:
        _count_try(path)
        evaluation = _evaluate(config, path, outbox, datasets, device)
        write_checkpoint_scores(path, evaluation.metrics)
        outbox.publish_evaluation(evaluation)
        (path / _BEGUN).unlink()
        return dict(evaluation.metrics)
    except Exception as error:  # training continues; a checkpoint without scores cannot be the best
        why = f"{path}: not scored: {reason(error)}; training goes on"
        outbox.publish(lambda channel: channel.publish_notice(why))
        with suppress(OSError):
            # The empty file tells readers not to wait for scores, since none will come.
            write_checkpoint_scores(path, {})
        return {}
    finally:
        outbox.close(_PUBLISH_S)


def _count_try(path: StoragePath) -> None:
    # Ray has to retry without limit, because a task that it gives up ends the run. So the limit on
    # the number of tries is kept here.
    counted = path / _BEGUN
    tries = int(counted.read_bytes()) if counted.exists() else 0
    if tries >= _MOST_TRIES:
        raise RunError(f"its evaluation died {tries} times, as where memory is short")
    counted.write_bytes(str(tries + 1).encode())


def _evaluate(
    config: PipelineConfig,
    path: StoragePath,
    outbox: Outbox,
    datasets: Datasets,
    device: torch.device,
) -> Evaluation:
    checkpoint = read_checkpoint(path)
    if checkpoint is None:
        raise RunError("not a complete checkpoint")
    check_sound(checkpoint)
    why = why_no_gpu() if device.type == "cuda" else None
    if why is not None:
        raise RunError(f"eval_config.resources has GPU, and {why}")
    features = features_of(config)
    ranks = checkpoint.world_size
    readers = [evaluation_of_rank(config, features, datasets, r, ranks) for r in range(ranks)]
    context = WorkerContext(0, 1, device, LocalController())

    def progress(done: int, total: int, seconds: float) -> None:
        outbox.publish(
            lambda channel: channel.publish_evaluation_progress(step, done, total, seconds)
        )

    step = step_of(path)
    set_tf32(config.train_config)
    memory = MemoryOfRank(config, context, trains=False)
    with memory.explained():
        model = memory.model = build_model(config, features)
        model.init_metric()
        model.to(device)
        load_model(model, checkpoint, averaged=True)
        of_ranks = [reader for reader in readers if reader is not None]
        return evaluate(config, model, of_ranks, context, progress, step)
