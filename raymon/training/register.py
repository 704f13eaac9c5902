"""Registers the exported model of a run with its trackers."""

from __future__ import annotations

import logging
from contextlib import suppress

import torch

from raymon.config import is_retrieval
from raymon.data import Columns, DataReader, format_of, missing_rows
from raymon.errors import DataError
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.serving import Bundle, open_bundle, program_inputs
from raymon.sinks import ModelCard, register_with, trackers_of
from raymon.storage import StoragePath, fetched

_log = logging.getLogger("raymon")

_ARROW = {torch.float32: "float", torch.float64: "double", torch.int64: "int64"}


def register_export(config: PipelineConfig, exported: StoragePath) -> None:
    """Registers an exported model with the trackers that have a name for it; what fails is logged.

    Args:
        config: Config of the run.
        exported: Directory of the exported model.
    """
    if is_retrieval(config.model_config):
        _log.info("%s: has two towers, each a model; neither is registered", exported)
        return
    bundle = open_bundle(exported)
    with fetched(exported) as here:
        card = ModelCard(
            str(here), int(bundle.card["step"]), _inputs(config, bundle), _outputs(bundle)
        )
        register_with(trackers_of(config), card)


def _inputs(config: PipelineConfig, bundle: Bundle) -> dict[str, str]:
    """Returns the types of the columns of the features, as the training data has them."""
    columns = Columns(bundle.features, {})
    names = list(dict.fromkeys(columns.names))
    # Of data that is no file the types are not known, and files may be gone by now.
    with suppress(DataError):
        reader = DataReader(
            config.train_input_path,
            columns,
            batch_size=1,
            file_format=format_of(config.data_config),
        )
        return {field.name: str(field.type) for field in reader.schema(names)}
    return dict.fromkeys(names, "")


def _outputs(bundle: Bundle) -> dict[str, tuple[str, int]]:
    rows = missing_rows(Columns(bundle.features, {}), 2)
    with torch.inference_mode():
        scores = bundle.program(*program_inputs(rows, bundle.features))
    return {
        name: (_ARROW.get(score.dtype, "double"), 1 if score.ndim == 1 else score.shape[1])
        for name, score in scores.items()
    }
