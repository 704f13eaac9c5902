"""Exports a checkpoint of a run as a model that needs no run."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import torch
from google.protobuf import text_format
from torch import Tensor

from raymon.config import read_saved, trained_labels
from raymon.data import Batch, Columns, DataReader, Feature, check_input, format_of, missing_rows
from raymon.errors import DataError, RunError
from raymon.models import MatchModel, Model, ServedTower, build_model, error_of, feature_importance
from raymon.protos.export_pb2 import TableFormat
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.serving import (
    export_program,
    program_inputs,
    store_tables,
    table_part_bytes,
    write_bundle,
)
from raymon.storage import StoragePath, absolute
from raymon.training.checkpoint.best import choose_checkpoint
from raymon.training.checkpoint.manifest import Checkpoint, check_sound
from raymon.training.checkpoint.restore import load_model
from raymon.training.input.readers import features_of, sequences_together
from raymon.training.input.vocabularies import check_vocabularies
from raymon.training.prepare import with_absolute_paths
from raymon.training.quantization_scores import changes, score
from raymon.version import __version__

_log = logging.getLogger("raymon")

CHECKED_ROWS = 1000
_TOLERANCE = 1e-5


def export_run(
    model_dir: StoragePath,
    out: StoragePath,
    checkpoint: str = "latest",
    overrides: Sequence[str] = (),
    *,
    replace: bool = False,
) -> Checkpoint:
    """Exports the model of a checkpoint, if it predicts what the checkpoint predicts.

    Writes the model as a program, its weights, what computes its inputs from raw columns, and a
    card. The check is on the first rows of the evaluation data, or else of the training data, or,
    if neither can be read, on rows of missing values. The card says on which. If
    `export_config.quantize_tables` is set, the program must predict what the checkpoint predicts
    with quantized tables, and the card says how predictions and metrics change by them.

    Of a model of retrieval each tower is exported on its own, into `user` and `item`.

    Args:
        model_dir: Directory of the run.
        out: Directory to write, which must not exist yet.
        checkpoint: "latest", "best", or a step.
        overrides: Overrides `field=value` of the config that is saved with the run.
        replace: Whether to replace `out` if it exists.

    Returns:
        The exported checkpoint.

    Raises:
        ConfigError: An override is wrong.
        RunError: There is no such checkpoint, it is damaged, or its model cannot be exported.
    """
    config = with_absolute_paths(read_saved(model_dir, overrides))
    chosen = choose_checkpoint(model_dir, checkpoint, config)
    check_sound(chosen)
    features = features_of(config)
    check_vocabularies(model_dir, features)
    model = build_model(config, features)
    load_model(model, chosen, averaged=True)
    model.eval()
    if isinstance(model, MatchModel):
        for name, tower in model.towers().items():
            _export(config, chosen, tower, tower.features, model_dir, out / name, replace=replace)
    else:
        _export(config, chosen, model, features, model_dir, out, replace=replace)
    return chosen


def _export(
    config: PipelineConfig,
    chosen: Checkpoint,
    model: Model | ServedTower,
    features: list[Feature],
    model_dir: StoragePath,
    out: StoragePath,
    *,
    replace: bool,
) -> None:
    """Exports a model, or a tower of one, if its program predicts what it predicts."""
    rows, source = _rows_to_check(config, features)
    expected = _predictions(model, rows)
    tables, quantization = _store_tables(config, model, features, chosen.step)
    if quantization is not None:
        stored = _predictions(model, rows)
        quantization["largest_difference"] = _largest_difference(stored, expected)
        expected = stored
    together = Columns(features, {}, alike=sequences_together(config)).aligned
    program = export_program(model, features, together)
    with torch.inference_mode():
        found = program.module()(*program_inputs(rows, features))
    difference = _largest_difference(found, expected)
    if not difference <= _TOLERANCE:
        raise RunError(
            f"{chosen.path}: the program predicts otherwise than the checkpoint, by {difference:g}"
        )
    card = {
        "run": str(absolute(model_dir)),
        "step": chosen.step,
        "metrics": dict(chosen.metrics),
        "labels": trained_labels(config),
        "features": [feature.name for feature in features],
        "data": {
            "train_input_path": config.train_input_path,
            "eval_input_path": config.eval_input_path,
        },
        "check": {"rows": rows.size, "of": source, "largest_difference": difference},
        "tables": tables,
        "feature_dropout": feature_importance(model),
        "quantization": quantization,
        "exported": datetime.now(UTC).isoformat(timespec="seconds"),
        "raymon_version": __version__,
        "torch_version": torch.__version__,
        "config": text_format.MessageToString(config, as_utf8=True),
    }
    write_bundle(out, program, config, card, replace=replace)


def _rows_to_check(config: PipelineConfig, features: list[Feature]) -> tuple[Batch, str]:
    columns = Columns(features, {})
    for path in (config.eval_input_path, config.train_input_path):
        try:
            kind = format_of(config.data_config)
            check_input(path, columns, file_format=kind)
            reader = DataReader(path, columns, batch_size=CHECKED_ROWS, file_format=kind)
            with closing(reader.epoch(0)) as batches:
                return next(batches), path
        except DataError:
            continue
    return missing_rows(columns, 2), "missing values"


def _store_tables(
    config: PipelineConfig, model: Model | ServedTower, features: list[Feature], step: int
) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """Replaces the tables of a model by those that are exported.

    Returns:
        The tables, and what quantizing them changes on the evaluation rows, as the card says it;
        None for the latter if they are not quantized.
    """
    export = config.export_config
    if not export.HasField("quantize_tables"):
        return [asdict(table) for table in store_tables(model, None, table_part_bytes())], None
    whole = model if isinstance(model, Model) else None
    before = score(config, whole, features, step)
    tables = store_tables(model, export.quantize_tables, table_part_bytes())
    if not tables:
        _log.warning("export_config.quantize_tables: has no effect, as the model has no tables")
    after = before if before.why_none is not None else score(config, whole, features, step)
    format_ = TableFormat.Name(export.quantize_tables)
    return [asdict(table) for table in tables], {
        "tables": format_,
        **changes(config, before, after),
    }


def _predictions(model: Model | ServedTower, rows: Batch) -> Mapping[str, Tensor]:
    """Returns the predictions of a model, each of which must be a number for each row."""
    with torch.inference_mode():
        predictions = model.predict(rows)
    for name, value in predictions.items():
        if not value.dim() or len(value) != rows.size:
            what = f'returned "{name}" as {list(value.shape)} for a batch of {rows.size} rows'
            raise error_of(model, "predict", f"{what}; a prediction has an entry for each row")
        if value.isnan().any():
            what = f'returned "{name}" with NaN; export a checkpoint from before that'
            raise error_of(model, "predict", what)
    return predictions


def _largest_difference(found: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> float:
    """Returns the largest difference of any prediction, relative for predictions above 1."""
    if found.keys() != expected.keys():
        raise RunError("the program and the checkpoint have different predictions")
    return max(
        float(_relative(found[name].double(), value.double()).max())
        for name, value in expected.items()
    )


def _relative(found: Tensor, expected: Tensor) -> Tensor:
    # Equal infinite values have no difference.
    return torch.where(found == expected, 0, found - expected).abs() / expected.abs().clamp(min=1)
