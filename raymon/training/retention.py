"""Which checkpoint is meant: the best, the latest, or one of a step."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from os import PathLike

from raymon.config import read_saved
from raymon.errors import RunError
from raymon.protos.export_pb2 import ExportConfig
from raymon.storage import ObjectPath, StoragePath, storage_path
from raymon.training.checkpoint import Checkpoint, list_checkpoints
from raymon.training.scores import scores_of_metric


def score_of(metrics: Mapping[str, float], export: ExportConfig) -> float:
    """The score that ranks a checkpoint: larger is better, NaN where it has none."""
    value = metrics.get(export.best_exporter_metric, math.nan)
    return value if export.metric_larger_is_better else -value


def best_of(checkpoints: Sequence[Checkpoint], export: ExportConfig) -> Checkpoint | None:
    """The best of some checkpoints; the later one of equals; None where none has a score."""
    scored = [c for c in checkpoints if not math.isnan(score_of(c.metrics, export))]
    return max(scored, key=lambda c: (score_of(c.metrics, export), c.step), default=None)


def best_checkpoint(
    model_dir: str | PathLike[str] | ObjectPath, export_config: ExportConfig | None = None
) -> Checkpoint:
    """The best checkpoint that is there of a run, by the scores in its evaluation file.

    The later one of equals; a score that is NaN never wins. The run may be going on or long over.
    A score that did not get into the file, as where the reporter was gone, is in the checkpoint.

    Args:
        model_dir: Directory of the run, or its URI.
        export_config: Says by which metric, and in which direction; None: that of the run.

    Raises:
        RunError: There is no checkpoint, none with a score, or lines without the metric.
    """
    directory = storage_path(model_dir)
    export = read_saved(directory).export_config if export_config is None else export_config
    checkpoints = _checkpoints(directory)
    name = export.best_exporter_metric
    scores = scores_of_metric(directory, name)
    scored = [
        replace(c, metrics={**c.metrics, name: scores[c.step]}) if c.step in scores else c
        for c in checkpoints
    ]
    best = best_of(scored, export)
    if best is None:
        known = sorted({name for checkpoint in checkpoints for name in checkpoint.metrics})
        raise RunError(
            f"{directory}: no checkpoint has the metric {name!r}; "
            f"they have {', '.join(known) or 'none, since the run had no eval_input_path'}"
        )
    return best


def latest_checkpoint(model_dir: str | PathLike[str] | ObjectPath) -> Checkpoint:
    """The checkpoint of a run with the most steps.

    Raises:
        RunError: There is no checkpoint.
    """
    return _checkpoints(storage_path(model_dir))[-1]


def choose_checkpoint(model_dir: StoragePath, name: str, export: ExportConfig) -> Checkpoint:
    """A checkpoint of a run by its name.

    Args:
        model_dir: Directory of the run.
        name: "latest", "best", or a step.
        export: Says what is best.

    Raises:
        RunError: There is none by that name.
    """
    if name == "best":
        return best_checkpoint(model_dir, export)
    checkpoints = list_checkpoints(model_dir)
    if name == "latest" and checkpoints:
        return checkpoints[-1]
    for checkpoint in checkpoints:
        if name == str(checkpoint.step):
            return checkpoint
    steps = ", ".join(str(checkpoint.step) for checkpoint in checkpoints) or "no checkpoint"
    raise RunError(f"{model_dir}: --checkpoint {name}: not there; it has {steps}")


def _checkpoints(model_dir: StoragePath) -> list[Checkpoint]:
    checkpoints = list_checkpoints(model_dir)
    if not checkpoints:
        raise RunError(f"{model_dir}: no checkpoint; the directory of a run has model.ckpt-STEP")
    return checkpoints


class LocalRegister:
    """Keeps account of checkpoints where Ray does not: a run without workers, whose directory says
    all there is to know."""

    def begin(self, checkpoints: Sequence[Checkpoint]) -> None:
        """They are in the directory."""

    def register(self, directory: str, step: int, scores: Mapping[str, float]) -> None:
        """It is in the directory."""

    def ask_for_preemption(self) -> Future[str | None]:
        """Nobody takes this process away and says so beforehand."""
        answer: Future[str | None] = Future()
        answer.set_result(None)
        return answer

    def close(self) -> None:
        """Nothing is left to do."""
