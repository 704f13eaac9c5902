"""The scorer of what a user names: an export, a run, or a checkpoint of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import Tensor

from raymon.config import CONFIG_FILE, read_saved
from raymon.data import Batch, format_of
from raymon.errors import RunError, os_reason
from raymon.models import MatchModel, build_model
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.serving import CARD, Scorer, exported_scorer
from raymon.storage import StoragePath, absolute
from raymon.training.checkpoint.best import choose_checkpoint
from raymon.training.checkpoint.manifest import (
    Checkpoint,
    check_sound,
    is_checkpoint_path,
    read_checkpoint,
)
from raymon.training.checkpoint.restore import load_model
from raymon.training.input.readers import features_of
from raymon.training.input.vocabularies import check_vocabularies
from raymon.training.prepare import with_absolute_paths


def open_scorer(model: StoragePath, checkpoint: str | None = None) -> Scorer:
    """Returns the scorer of an export, of a run, or of one of its checkpoints.

    Of a run the model is built from the config that is saved with it, with the parameters that
    evaluations use: averages, where it has some.

    Args:
        model: Directory of the export, the run or the checkpoint.
        checkpoint: Checkpoint of a run: "latest", "best", or a step; None for the latest one.

    Raises:
        UserError: There is no such model, or it is damaged.
    """
    # Links lead to a run from anywhere; its config is beside the checkpoint that they lead to.
    model = absolute(model)
    try:
        is_export = (model / CARD).is_file()
        is_run = (model / CONFIG_FILE).is_file()
        is_there = model.exists()
    except OSError as error:
        raise RunError(f"{model}: cannot be read: {os_reason(error)}") from None
    is_checkpoint = is_there and not is_run and is_checkpoint_path(model)
    if checkpoint is not None and is_there and not is_run:
        kind = "a checkpoint" if is_checkpoint else "no run"
        raise RunError(f"{model}: is {kind}, so --checkpoint says nothing; leave it out")
    if is_run:
        config = with_absolute_paths(read_saved(model))
        return _of_checkpoint(
            model, choose_checkpoint(model, checkpoint or "latest", config), config
        )
    if is_checkpoint and not is_export:
        run = model.parent
        if not (run / CONFIG_FILE).is_file():
            raise RunError(
                f"{model}: {run} has no {CONFIG_FILE}, which says what model it is; give a "
                "checkpoint where its run has it, or an export"
            )
        found = read_checkpoint(model)
        if found is None:
            raise RunError(f"{model}: is no complete checkpoint; give another one")
        return _of_checkpoint(run, found, with_absolute_paths(read_saved(run)))
    if not is_there:
        raise RunError(
            f"{model}: is not there; give the directory of a run, of a checkpoint or of an export"
        )
    if not is_export and (model / "user" / CARD).is_file():
        raise RunError(f"{model}: is an export of two towers; give {model}/user or {model}/item")
    if not is_export:
        raise RunError(
            f"{model}: is no run, checkpoint or export: it has neither {CONFIG_FILE} nor {CARD}"
        )
    return exported_scorer(model)


def _of_checkpoint(run: StoragePath, chosen: Checkpoint, config: PipelineConfig) -> Scorer:
    check_sound(chosen)
    features = features_of(config)
    check_vocabularies(run, features)
    model = build_model(config, features)
    load_model(model, chosen, averaged=True)
    model.eval()
    predict = _vectors(model) if isinstance(model, MatchModel) else model.predict
    return Scorer(chosen.path, features, format_of(config.data_config), predict)


def _vectors(model: MatchModel) -> Callable[[Batch], Mapping[str, Tensor]]:
    """Returns the function that makes the vectors of both towers, as a row has no candidates."""
    towers = model.towers().values()

    def vectors(batch: Batch) -> Mapping[str, Tensor]:
        return {name: found for t in towers for name, found in t.predict(batch).items()}

    return vectors
