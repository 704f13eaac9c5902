"""Which checkpoint is best, and which are kept."""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from raymon.errors import RunError
from raymon.protos.export_pb2 import ExportConfig
from raymon.training.checkpoint import Checkpoint, list_checkpoints


def score_of(metrics: Mapping[str, float], export: ExportConfig) -> float:
    """The score that ranks a checkpoint: larger is better, NaN where it has none."""
    value = metrics.get(export.best_exporter_metric, math.nan)
    return value if export.metric_larger_is_better else -value


def best_checkpoint(checkpoints: Sequence[Checkpoint], export: ExportConfig) -> Checkpoint | None:
    """The best of some checkpoints; the later one of equals; None where none has a score."""
    scored = [c for c in checkpoints if not math.isnan(score_of(c.metrics, export))]
    return max(scored, key=lambda c: (score_of(c.metrics, export), c.step), default=None)


def best_of_run(model_dir: Path, export: ExportConfig) -> Checkpoint:
    """The best checkpoint of a run.

    Raises:
        RunError: There is no checkpoint, or none has the metric.
    """
    checkpoints = list_checkpoints(model_dir)
    if not checkpoints:
        raise RunError(f"{model_dir}: no checkpoint; the directory of a run has model.ckpt-STEP")
    best = best_checkpoint(checkpoints, export)
    if best is None:
        known = sorted({name for checkpoint in checkpoints for name in checkpoint.metrics})
        raise RunError(
            f"{model_dir}: no checkpoint has the metric {export.best_exporter_metric!r}; "
            f"they have {', '.join(known) or 'none, since the run had no eval_input_path'}"
        )
    return best


class LocalRegister:
    """Keeps account of checkpoints where Ray does not: a run without workers.

    It keeps the same ones as Ray: of type best the `keep` best and the latest, of type latest the
    `keep` most recent, and all of them where `keep` is 0.

    Args:
        model_dir: Directory of the run.
        export: What ranks checkpoints.
        keep: How many to keep; 0 keeps all.
    """

    def __init__(self, model_dir: Path, export: ExportConfig, keep: int) -> None:
        self._model_dir = model_dir
        self._export = export
        self._keep = keep

    def register(self, directory: str, step: int, scores: Mapping[str, float]) -> None:
        """Deletes the checkpoints that are not to be kept beside the new one."""
        if self._keep == 0:
            return
        checkpoints = list_checkpoints(self._model_dir)
        if self._export.exporter_type == "best":
            checkpoints.sort(key=self._rank)
        kept = {checkpoint.step for checkpoint in checkpoints[-self._keep :]} | {step}
        for checkpoint in checkpoints:
            if checkpoint.step not in kept:
                shutil.rmtree(checkpoint.path)

    def close(self) -> None:
        """Nothing is left to do."""

    def _rank(self, checkpoint: Checkpoint) -> tuple[float, int]:
        score = score_of(checkpoint.metrics, self._export)
        return (-math.inf if math.isnan(score) else score, checkpoint.step)
