"""The best and the latest checkpoint of a run, and the metric that ranks them."""

from __future__ import annotations

import logging
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike

from raymon.config import cannot_rank, known_direction, ranking, read_saved
from raymon.errors import ConfigError, RunError
from raymon.protos.export_pb2 import ExportConfig
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.storage import ObjectPath, StoragePath, storage_path
from raymon.training.checkpoint.manifest import Checkpoint, list_checkpoints
from raymon.training.checkpoint.ranking import best_of
from raymon.training.checkpoint.scores import read_scores

_log = logging.getLogger("raymon")


@dataclass(frozen=True)
class Ranked:
    """The checkpoints of a run, ranked by a metric.

    Attributes:
        best: Best checkpoint, with all its scores.
        export: Config with the metric and its direction.
        values: Value of the metric for each checkpoint, by step; NaN if it has none.
    """

    best: Checkpoint
    export: ExportConfig
    values: Mapping[int, float]


def best_checkpoint(
    model_dir: str | PathLike[str] | ObjectPath, export_config: ExportConfig | None = None
) -> Checkpoint:
    """Returns the best existing checkpoint of a run, by the scores in its evaluation file.

    Of equal scores the later one wins; a score that is NaN never wins, nor does a checkpoint
    without the metric. The run may still be going on. A score that is missing from the file, for
    example because the reporter was gone, is read from the checkpoint.

    Args:
        model_dir: Directory of the run, or its URI.
        export_config: The metric; and its direction if `metric_larger_is_better` is set, which else
            is that of the metric. None: those of the run.

    Raises:
        RunError: There is no checkpoint, or none with a score; or the metric cannot rank.
    """
    directory = storage_path(model_dir)
    if export_config is None:
        return rank_checkpoints(directory, ranking(read_saved(directory))).best
    return rank_checkpoints(directory, with_direction(directory, export_config)).best


def with_direction(model_dir: StoragePath, export: ExportConfig) -> ExportConfig:
    """Returns the config with the direction of its metric, if it gives none.

    For the metric that ranks the run, this is the direction in the config of the run, unless the
    metric has a direction.

    Raises:
        RunError: Neither larger nor smaller values of the metric are better.
    """
    try:
        config = read_saved(model_dir)
    except (ConfigError, RunError):
        # The program that wrote the checkpoints saved no config.
        config = PipelineConfig()
    name = export.best_exporter_metric
    if cannot_rank(config, name):
        raise RunError(
            f"{model_dir}: {name} cannot rank: 1 is right, and neither more nor less is better"
        )
    if export.HasField("metric_larger_is_better"):
        return export
    known = known_direction(config, name)
    if known is None and name == config.export_config.best_exporter_metric:
        known = config.export_config.metric_larger_is_better
    directed = ExportConfig()
    directed.CopyFrom(export)
    if known is not None:
        directed.metric_larger_is_better = known
    return directed


def rank_checkpoints(model_dir: StoragePath, export: ExportConfig) -> Ranked:
    """Returns the checkpoints of a run, ranked.

    Args:
        model_dir: Directory of the run.
        export: Config with the metric and its direction.

    Raises:
        RunError: There is no checkpoint, or none with a score.
    """
    checkpoints = _checkpoints(model_dir)
    name = export.best_exporter_metric
    scores = {each.step: each.metrics for each in read_scores(model_dir)}
    scored = [replace(c, metrics={**c.metrics, **scores.get(c.step, {})}) for c in checkpoints]
    best = best_of(scored, export)
    if best is None:
        raise RunError(f"{model_dir}: {why_no_best(scored, name)}")
    lacking = [c.step for c in scored if name not in c.metrics]
    if lacking:
        _log.warning(
            "%s: %s without %s, which %s not count",
            model_dir,
            _steps(lacking),
            name,
            "does" if len(lacking) == 1 else "do",
        )
    return Ranked(best, export, {c.step: c.metrics.get(name, math.nan) for c in scored})


def check_metric(model_dir: StoragePath, name: str) -> None:
    """Checks that a checkpoint of a run has a metric.

    Raises:
        RunError: No checkpoint has the metric, or there is no checkpoint.
    """
    scores = [each.metrics for each in read_scores(model_dir)]
    checkpoints = _checkpoints(model_dir)
    if not any(name in each for each in (*scores, *(c.metrics for c in checkpoints))):
        known = {m for c in checkpoints for m in c.metrics}
        raise RunError(f"{model_dir}: {_no_metric(known, name)}")


def latest_checkpoint(model_dir: str | PathLike[str] | ObjectPath) -> Checkpoint:
    """Returns the checkpoint of a run with the most steps.

    Raises:
        RunError: There is no checkpoint.
    """
    return _checkpoints(storage_path(model_dir))[-1]


def choose_checkpoint(model_dir: StoragePath, name: str, config: PipelineConfig) -> Checkpoint:
    """Returns the checkpoint of a run that a name refers to.

    Args:
        model_dir: Directory of the run.
        name: "latest", "best", or a step.
        config: Config of the run; its export_config ranks checkpoints.

    Raises:
        RunError: There is no such checkpoint.
    """
    if name == "best":
        return rank_checkpoints(model_dir, ranking(config)).best
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


def why_no_best(checkpoints: Sequence[Checkpoint], name: str) -> str:
    """Returns why none of the checkpoints is the best by a metric."""
    having = [c.step for c in checkpoints if name in c.metrics]
    if having:
        return (
            f"no checkpoint has a value of {name}: it is NaN in that of "
            f"{_steps(having).removeprefix('checkpoints of ')}, as where the evaluation has one "
            "class alone or no rows; its log says why"
        )
    return _no_metric({m for c in checkpoints for m in c.metrics}, name)


def _no_metric(known: Collection[str], name: str) -> str:
    listed = ", ".join(sorted(known)) or "none, since the run had no eval_input_path"
    return f"no checkpoint has the metric {name!r}; they have {listed}"


def _steps(steps: Sequence[int]) -> str:
    shown = ", ".join(map(str, steps[:10])) + (", ..." if len(steps) > 10 else "")
    return f"checkpoints of {'step' if len(steps) == 1 else 'steps'} {shown}"
