"""The directory of an exported model."""

from __future__ import annotations

import glob
import io
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from google.protobuf import text_format
from torch.export import ExportedProgram

from raymon.config import feature_blocks
from raymon.data import Feature, FileFormat, format_of, pipeline_features
from raymon.errors import RunError, reason
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.serving.program import program_weights, set_program_weights, without_weights
from raymon.serving.weight_files import PART_BYTES, WEIGHTS_PATTERN, map_weights, write_weights
from raymon.storage import (
    FileEntry,
    ObjectPath,
    StoragePath,
    fetched,
    first_difference,
    remove_tree,
    storage_path,
    to_json,
    upload,
)

PROGRAM = "model.pt2"
FEATURES = "features.config"
CARD = "card.json"

_NAMES = re.compile(rf"model\.pt2|{WEIGHTS_PATTERN}|features\.config|card\.json|vocab-\d+\.txt")
_DATA_FIELDS = ("fg_mode", "fg_encoded_multival_sep", "dataset_type", "delimiter", "with_header")


@dataclass(frozen=True)
class Bundle:
    """An exported model.

    Attributes:
        program: Program that returns the predictions of the inputs that `program_inputs` makes.
        features: Features that turn raw columns into those inputs.
        card: Description of the model: its run, step, scores, config and files.
        file_format: Format of the files that it was trained on.
    """

    program: Any
    features: list[Feature]
    card: Mapping[str, Any]
    file_format: FileFormat


def write_bundle(
    directory: StoragePath,
    program: ExportedProgram,
    config: PipelineConfig,
    card: Mapping[str, Any],
    *,
    replace: bool = False,
    part_bytes: int = PART_BYTES,
) -> None:
    """Writes an exported model into a directory, whole or not at all.

    Args:
        directory: Directory to write.
        program: Exported program of the model.
        config: Config of its run.
        card: Description of the model.
        replace: Whether an exported model in the directory is replaced.
        part_bytes: Largest size of a file of weights, in bytes.

    Raises:
        RunError: The directory exists and may not be replaced, or cannot be written.
    """
    try:
        _restore_moved_away(directory)
        if directory.exists():
            _check_replaceable(directory, replace)
        if isinstance(directory, Path):
            directory = Path(os.path.realpath(directory))
            draft = directory.with_name(f".{directory.name}.{os.getpid()}.draft")
            _write_here(
                draft, directory, lambda: _write_files(draft, program, config, card, part_bytes)
            )
        else:
            with tempfile.TemporaryDirectory(prefix="raymon-") as here:
                _write_files(Path(here), program, config, card, part_bytes)
                _upload_bundle(Path(here), directory)
    except RunError:
        raise
    except Exception as error:
        raise RunError(f"{directory}: cannot be written: {reason(error)}") from None


def _restore_moved_away(directory: StoragePath) -> None:
    """Restores a model that an export had moved away when it was killed."""
    if isinstance(directory, Path) and not directory.exists() and directory.parent.is_dir():
        for old in directory.parent.glob(f".{glob.escape(directory.name)}.*.old"):
            old.rename(directory)
            return


def _check_replaceable(directory: StoragePath, replace: bool) -> None:
    """Checks that only an exported model would be replaced."""
    if not replace:
        raise RunError(f"{directory}: is there already; give another directory")
    if not directory.is_dir():
        raise RunError(f"{directory}: is no directory; remove it, or export to another one")
    others = [path.name for path in directory.iterdir() if not _NAMES.fullmatch(path.name)]
    if others:
        raise RunError(
            f"{directory}: has {min(others)}, which is of no export, and is left as it is; move it "
            "away, or export to another directory"
        )


def _write_here(draft: Path, directory: Path, write: Callable[[], None]) -> None:
    old = draft.with_suffix(".old")
    try:
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        write()
        if directory.exists():
            directory.rename(old)
        try:
            draft.rename(directory)
        except BaseException:
            if old.exists():
                old.rename(directory)
            raise
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _upload_bundle(here: Path, directory: ObjectPath) -> None:
    # A directory without its card is no bundle.
    (directory / CARD).unlink(missing_ok=True)
    if directory.exists():
        remove_tree(directory)
    card = (here / CARD).read_bytes()
    (here / CARD).unlink()
    upload(here, directory)
    (directory / CARD).write_bytes(card)


def _write_files(
    directory: Path,
    program: ExportedProgram,
    config: PipelineConfig,
    card: Mapping[str, Any],
    part_bytes: int,
) -> None:
    # Written by Python: torch's own writer ends the process if a disk is full.
    content = io.BytesIO()
    with without_weights(program):
        torch.export.save(program, content)
    (directory / PROGRAM).write_bytes(content.getbuffer())
    weights = write_weights(directory, program_weights(program), part_bytes)
    text = text_format.MessageToString(_features_alone(config, directory), as_utf8=True)
    (directory / FEATURES).write_text(text, encoding="utf-8")
    files = {path.name: asdict(FileEntry.of(path)) for path in sorted(directory.iterdir())}
    text = to_json({**card, "weights": weights, "files": files}, indent=2)
    (directory / CARD).write_text(text + "\n")


def open_bundle(directory: StoragePath) -> Bundle:
    """Returns the exported model in a directory.

    Its weights are in memory maps of their files, of which only what is read takes memory.

    Raises:
        RunError: There is none, or one of its files was changed.
    """
    try:
        with fetched(directory) as here:
            for name in (PROGRAM, FEATURES, CARD):
                if not (here / name).is_file():
                    raise RunError(f"{directory}: has no {name}; give what raymon export wrote")
            card = json.loads((here / CARD).read_text())
            why = _find_corruption(here, card)
            if why is not None:
                raise RunError(f"{directory}: is damaged: {why}; export the model again")
            return _open_here(here, card)
    except RunError:
        raise
    except Exception as error:
        raise RunError(f"{directory}: cannot be read: {reason(error)}") from None


def _find_corruption(directory: Path, card: Mapping[str, Any]) -> str | None:
    """Returns what is wrong with the files of a bundle; None if nothing is."""
    if "files" not in card:
        return f"{CARD} does not say what the files were"
    files = {name: FileEntry(**entry) for name, entry in card["files"].items()}
    for name in files:
        if not (directory / name).is_file():
            return f"{name} is missing"
    return first_difference(directory, files)


def _open_here(directory: Path, card: Mapping[str, Any]) -> Bundle:
    config = PipelineConfig()
    text_format.Parse((directory / FEATURES).read_text(encoding="utf-8"), config)
    for block in feature_blocks(config.feature_configs):
        if block.names_file:
            block.config.vocab_file = str(directory / block.config.vocab_file)
    features = pipeline_features(config)
    # A tower takes some of them; exports of earlier versions do not say which, and take all.
    if "features" in card:
        features = [feature for feature in features if feature.name in card["features"]]
    program = torch.export.load(directory / PROGRAM)
    # Programs of earlier versions contain their weights.
    if "weights" in card:
        set_program_weights(program, map_weights(directory, card["weights"]))
    return Bundle(program.module(), features, card, format_of(config.data_config))


def _features_alone(config: PipelineConfig, directory: Path) -> PipelineConfig:
    """Returns a config of only the features, and writes their files into `directory`."""
    alone = PipelineConfig()
    data = config.data_config
    for name in _DATA_FIELDS:
        if data.HasField(name):
            setattr(alone.data_config, name, getattr(data, name))
    alone.data_config.input_fields.extend(data.input_fields)
    alone.feature_configs.extend(config.feature_configs)
    for number, block in enumerate(feature_blocks(alone.feature_configs)):
        if block.names_file:
            name = f"vocab-{number}.txt"
            words = storage_path(block.config.vocab_file).read_bytes()
            (directory / name).write_bytes(words)
            block.config.vocab_file = name
    return alone
