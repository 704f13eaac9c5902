"""Checks of the sampler of negatives in the data_config."""

from __future__ import annotations

from raymon.config.retrieval import is_retrieval
from raymon.config.rules import Rules
from raymon.protos.pipeline_pb2 import PipelineConfig

SAMPLER_PATHS = (
    "input_path",
    "user_input_path",
    "item_input_path",
    "pos_edge_input_path",
    "hard_neg_edge_input_path",
)
"""Fields of samplers that are paths of tables."""


def validate_sampler(config: PipelineConfig, rules: Rules) -> None:
    """Checks the sampler of a pipeline, if it has one; its tables are checked when they are read.

    Args:
        config: Config of the pipeline.
        rules: Rules of its `data_config`.

    Raises:
        ConfigError: Something is wrong; the message has the first such thing.
    """
    kind = config.data_config.WhichOneof("sampler")
    if kind is None:
        return
    own, block = rules.inner(kind), getattr(config.data_config, kind)
    names = block.DESCRIPTOR.fields_by_name
    own.require(block.num_sample > 0, "num_sample", "is 0; must be at least 1")
    if "user_input_path" in names:
        why = "only edges name users, and a user without edges needs none"
        own.warn(bool(block.user_input_path), "user_input_path", why)
    own.require(
        bool(block.attr_fields),
        "",
        "has no attr_fields; name the columns that the attributes of an item stand for",
    )
    for index, name in enumerate(block.attr_fields):
        repeated = name in block.attr_fields[:index]
        own.require(not repeated, f"attr_fields[{index}]", f'"{name}" is listed twice')
        own.require(bool(name), f"attr_fields[{index}]", "is empty; name a column")
    for name in ("attr_delimiter", "field_delimiter"):
        own.require(bool(getattr(block, name)), name, "is empty; give what is between values")
    own.require(
        len(block.field_delimiter.encode()) == 1,
        "field_delimiter",
        'must be one character; a tab is written "\\t"',
    )
    model = config.model_config
    useless = not is_retrieval(model) and not model.HasField("custom")
    rules.warn(useless, kind, f"{model.WhichOneof('model')} is no model of retrieval")
