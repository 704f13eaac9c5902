"""The directory of an exported model."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from google.protobuf import text_format
from safetensors.torch import save as to_bytes
from torch import nn
from torch.export import ExportedProgram

from raymon.data import Feature, build_features
from raymon.errors import RunError, reason
from raymon.protos.pipeline_pb2 import PipelineConfig

PROGRAM = "model.pt2"
WEIGHTS = "weights.safetensors"
FEATURES = "features.config"
CARD = "card.json"


@dataclass(frozen=True)
class Bundle:
    """An exported model.

    Attributes:
        program: Predictions of the inputs that `program_inputs` makes.
        features: From raw columns to those inputs.
        card: What is known of the model.
    """

    program: Any
    features: list[Feature]
    card: Mapping[str, Any]


def write_bundle(
    directory: Path,
    program: ExportedProgram,
    model: nn.Module,
    config: PipelineConfig,
    card: Mapping[str, Any],
    *,
    replace: bool = False,
) -> None:
    """Writes an exported model into a directory, which is there whole or not at all.

    Args:
        directory: In which it is.
        program, model: The same model, twice.
        config: Of its run.
        card: What is known of it.
        replace: What is by the name of the directory goes for it.

    Raises:
        RunError: There is something by its name, or it cannot be written.
    """
    if directory.exists() and not replace:
        raise RunError(f"{directory}: is there already; give another directory")
    draft = directory.with_name(f".{directory.name}.draft")
    try:
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        # Written by Python: torch's own writer ends the process where a disk is full.
        content = io.BytesIO()
        torch.export.save(program, content)
        (draft / PROGRAM).write_bytes(content.getbuffer())
        tensors = {
            # In memory of its own: safetensors takes no two that share some.
            name: value.detach().clone(memory_format=torch.contiguous_format)
            for name, value in model.state_dict().items()
            if isinstance(value, torch.Tensor)
        }
        (draft / WEIGHTS).write_bytes(to_bytes(tensors))
        text = text_format.MessageToString(_features_alone(config, draft), as_utf8=True)
        (draft / FEATURES).write_text(text, encoding="utf-8")
        (draft / CARD).write_text(json.dumps(card, indent=2) + "\n")
        if directory.exists():
            shutil.rmtree(directory)
        draft.rename(directory)
    except Exception as error:
        shutil.rmtree(draft, ignore_errors=True)
        raise RunError(f"{directory}: cannot be written: {reason(error)}") from None


def open_bundle(directory: Path) -> Bundle:
    """The exported model in a directory.

    Raises:
        RunError: There is none, or a part of it cannot be read.
    """
    for name in (PROGRAM, FEATURES, CARD):
        if not (directory / name).is_file():
            raise RunError(f"{directory}: has no {name}; give what raymon export wrote")
    try:
        card = json.loads((directory / CARD).read_text())
        config = PipelineConfig()
        text_format.Parse((directory / FEATURES).read_text(encoding="utf-8"), config)
        for feature in config.feature_configs:
            if feature.id_feature.HasField("vocab_file"):
                own = directory / feature.id_feature.vocab_file
                feature.id_feature.vocab_file = str(own)
        features = build_features(config.feature_configs)
        program = torch.export.load(directory / PROGRAM).module()
    except Exception as error:
        raise RunError(f"{directory}: cannot be read: {reason(error)}") from None
    return Bundle(program, features, card)


def _features_alone(config: PipelineConfig, directory: Path) -> PipelineConfig:
    """The features of a config, with the files that they need beside them."""
    alone = PipelineConfig()
    for number, feature in enumerate(config.feature_configs):
        copy = alone.feature_configs.add()
        copy.CopyFrom(feature)
        if feature.id_feature.HasField("vocab_file"):
            name = f"vocab-{number}.txt"
            shutil.copyfile(feature.id_feature.vocab_file, directory / name)
            copy.id_feature.vocab_file = name
    return alone
