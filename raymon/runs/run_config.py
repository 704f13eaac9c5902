"""The config of a run, as far as this version can read it."""

from __future__ import annotations

from google.protobuf import text_format

from raymon.protos.pipeline_pb2 import PipelineConfig


def read_config(text: str | None) -> PipelineConfig | None:
    """Returns the config of a run; None if there is none, or it has fields of a newer version.

    It is not checked, because it has run.
    """
    if text is None:
        return None
    config = PipelineConfig()
    try:
        text_format.Parse(text, config)
    except (text_format.ParseError, ValueError, UnicodeError):
        return None
    return config
