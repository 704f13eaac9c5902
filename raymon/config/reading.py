"""Reads and checks pipeline configs."""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from google.protobuf.message import Message

from raymon.config.direction import settle_directions
from raymon.config.feature_block import feature_blocks
from raymon.config.feature_patterns import resolve_patterns
from raymon.config.overrides import Overrides, apply_overrides
from raymon.config.refusals import Refusal
from raymon.config.scalars import is_text
from raymon.config.source import Source
from raymon.config.spellings import settle_spellings
from raymon.config.text import missing_field, parse_text
from raymon.config.unused_features import leave_out_unused
from raymon.config.validate import validate
from raymon.config.validate_sampler import SAMPLER_PATHS
from raymon.errors import ConfigError, os_reason
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.storage import ObjectPath, storage_path

_PATHS = ("train_input_path", "eval_input_path", "model_dir")
_VARIABLE = re.compile(r"\$\{(\w+)\}")


def load(
    path: str | os.PathLike[str] | ObjectPath,
    overrides: Overrides = (),
    *,
    datasets: Collection[str] = (),
    warned: bool = False,
) -> PipelineConfig:
    """Returns the config of a file: overrides applied, `${VAR}` in paths replaced, checked.

    Args:
        path: Path of a protobuf text file.
        overrides: Overrides by field, or as `FIELD=VALUE`; see `raymon.config.overrides`.
        datasets: Names of the datasets, "train" and "eval", that are given in place of files.
        warned: Whether the file was warned about before; then warnings are not repeated.

    Raises:
        ConfigError: Something is wrong; in one line, `FILE:LINE: FIELD: what is wrong; what would
            be right`. For an override the place is `--set FIELD=VALUE`.
    """
    config, source = _read(path, overrides, warned)
    source.raise_refusals()
    settle_spellings(config, source)
    for name in _PATHS:
        if config.HasField(name):
            setattr(config, name, _expand(getattr(config, name), name, source))
    _expand_inner(config, source)
    missing = missing_field(config)
    if missing is not None:
        raise source.error(missing, "is missing; it must be given")
    resolve_patterns(config, source)
    leave_out_unused(config)
    validate(config, source, datasets)
    settle_directions(config)
    return config


def locate(
    error: ConfigError, path: str | os.PathLike[str], overrides: Overrides = ()
) -> ConfigError:
    """Returns an error with its place at the beginning of the message.

    Args:
        error: Error whose message begins with the path of a field, as those of features and models
            do: `FIELD: what is wrong`.
        path: Path that the config was loaded from.
        overrides: Overrides that it was loaded with.
    """
    _, source = _read(path, overrides)
    field, _, message = str(error).partition(": ")
    return source.error(field, message)


def override(config: PipelineConfig, overrides: Overrides) -> PipelineConfig:
    """Returns a config that `load` returned with further overrides, checked again.

    Args:
        config: The config, which is not changed.
        overrides: Overrides as for `load`.

    Raises:
        ConfigError: Something is wrong with one, or with what they make of the config.
    """
    result = PipelineConfig()
    result.CopyFrom(config)
    source = Source("the config", warned=True)
    apply_overrides(result, overrides, source)
    settle_spellings(result, source)
    missing = missing_field(result)
    if missing is not None:
        raise source.error(missing, "is missing; it must be given")
    resolve_patterns(result, source)
    validate(result, source, ())
    settle_directions(result)
    return result


def read_message(
    path: str | os.PathLike[str] | ObjectPath, message: Message, what: str = "a pipeline config"
) -> Source:
    """Reads a protobuf text file into a message; returns where each field is given.

    The source says what raymon does not have yet of it.

    Args:
        path: Path of the file.
        message: Message that is filled.
        what: What the file should be, for errors.

    Raises:
        ConfigError: The file cannot be read, or is not the text of such a message.
    """
    file = storage_path(path)
    name = str(path)
    try:
        # With or without a byte order mark, as editors on Windows write one.
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(f"{name}: no such file; give the path of {what}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{name}: is not text in UTF-8; {what} is protobuf text") from None
    except OSError as error:
        raise ConfigError(f"{name}: cannot be read: {os_reason(error)}") from None
    refusals: list[Refusal] = []
    lines = parse_text(text, message, lambda line: f"{name}:{line}", refusals=refusals)
    return Source(name, lines, refusals=refusals)


def _read(
    path: str | os.PathLike[str] | ObjectPath, overrides: Overrides, warned: bool = False
) -> tuple[PipelineConfig, Source]:
    config = PipelineConfig()
    source = replace(read_message(path, config), warned=warned)
    apply_overrides(config, overrides, source)
    return config, source


def _expand_inner(config: PipelineConfig, source: Source) -> None:
    kind = config.data_config.WhichOneof("sampler")
    block: Any = None if kind is None else getattr(config.data_config, kind)
    for name in SAMPLER_PATHS if block is not None else ():
        if name in block.DESCRIPTOR.fields_by_name and block.HasField(name):
            expanded = _expand(getattr(block, name), f"data_config.{kind}.{name}", source)
            setattr(block, name, expanded)
    train = config.train_config
    for name in ("fine_tune_checkpoint", "fine_tune_ckpt_param_map"):
        if config.HasField("train_config") and train.HasField(name):
            setattr(train, name, _expand(getattr(train, name), f"train_config.{name}", source))
    for block in feature_blocks(config.feature_configs):
        if block.names_file:
            place = f"{block.place}.vocab_file"
            block.config.vocab_file = _expand(block.config.vocab_file, place, source)


def _expand(text: str, field: str, source: Source) -> str:
    def value(match: re.Match[str]) -> str:
        variable = match.group(1)
        if variable not in os.environ:
            raise source.error(
                field,
                f"the environment has no {variable}; set it, or give --set {field}=...",
            )
        found = os.environ[variable]
        if not is_text(found):
            raise source.error(field, f"{variable} in the environment is not text in UTF-8")
        return found

    return _VARIABLE.sub(value, text)
