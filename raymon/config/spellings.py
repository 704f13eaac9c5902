"""Other spellings of parts of a config, which become the one that the rest of raymon reads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast

from google.protobuf.message import Message

from raymon.config.source import Source
from raymon.config.unknown_names import describe_unknown
from raymon.protos.data_pb2 import FgMode, FieldType
from raymon.protos.optimizer_pb2 import DenseOptimizer
from raymon.protos.pipeline_pb2 import PipelineConfig

_TYPES_OF_ODPS = {"BIGINT": "INT64", "INT": "INT32"}


def settle_spellings(config: PipelineConfig, source: Source) -> None:
    """Rewrites what a config says in another spelling.

    Raises:
        ConfigError: It says two things at once, or a spelling cannot be read.
    """
    _fg_encoded(config, source)
    _input_fields_str(config, source)
    _param_optimizers(config.train_config.dense_optimizer)
    _asset_dirs(config)


def _fg_encoded(config: PipelineConfig, source: Source) -> None:
    data = config.data_config
    if not data.HasField("fg_encoded"):
        return
    encoded = data.fg_encoded
    if not data.HasField("fg_mode"):
        data.fg_mode = FgMode.FG_NONE if encoded else FgMode.FG_NORMAL
    elif encoded != (data.fg_mode == FgMode.FG_NONE):
        raise source.error(
            "data_config.fg_encoded",
            f"is {str(encoded).lower()}, but fg_mode is {FgMode.Name(data.fg_mode)}; leave out "
            "fg_encoded, the older spelling",
        )
    data.ClearField("fg_encoded")


def _input_fields_str(config: PipelineConfig, source: Source) -> None:
    data, place = config.data_config, "data_config.input_fields_str"
    if not data.HasField("input_fields_str"):
        return
    if data.input_fields:
        raise source.error(place, "is given beside input_fields; give one of them")
    types = FieldType.keys()
    for text in filter(None, map(str.strip, data.input_fields_str.split(";"))):
        name, colon, kind = (part.strip() for part in text.partition(":"))
        kind = re.sub(r"\w+", lambda word: _TYPES_OF_ODPS.get(word[0].upper(), word[0]), kind)
        # ARRAY<INT64> and MAP<STRING,INT64> are written ARRAY_INT64 and MAP_STRING_INT64 as well.
        kind = re.sub(r"[<>,\s]+", "_", kind).strip("_").upper()
        if not name or not colon:
            raise source.error(place, f'"{text}" is no column; write "name:TYPE;name:TYPE"')
        if kind not in types:
            raise source.error(place, f"{name}: {describe_unknown(kind, types, 'type')}")
        data.input_fields.add(input_name=name, input_type=FieldType.Value(kind))
    data.ClearField("input_fields_str")


def _param_optimizers(dense: DenseOptimizer) -> None:
    for given in dense.param_optimizers:
        part = dense.part_optimizers.add(regex_pattern=given.regex_pattern)
        for block, oneof in ((given, "optimizer"), (given.param_learning_rate, "learning_rate")):
            chosen = cast(Message, block).WhichOneof(oneof)
            if chosen is not None:
                getattr(part, chosen).CopyFrom(getattr(block, chosen))
    if dense.param_optimizers:
        dense.ClearField("param_optimizers")


def _asset_dirs(config: PipelineConfig) -> None:
    for block in _blocks_with_files(config.feature_configs):
        if block.HasField("asset_dir"):
            if block.HasField("vocab_file") and not _is_absolute(block.vocab_file):
                block.vocab_file = f"{block.asset_dir.rstrip('/')}/{block.vocab_file}"
            block.ClearField("asset_dir")


def _blocks_with_files(messages: Any) -> Iterator[Any]:
    """Yields the blocks of features that may name a file, also those in other blocks."""
    for message in messages:
        if {"asset_dir", "vocab_file"} <= set(message.DESCRIPTOR.fields_by_name):
            yield message
        for field, value in message.ListFields():
            if field.message_type is not None and not field.message_type.GetOptions().map_entry:
                yield from _blocks_with_files(value if field.is_repeated else [value])


def _is_absolute(path: str) -> bool:
    return path.startswith(("/", "${")) or "://" in path
