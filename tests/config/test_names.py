"""Names of metrics, as scores of an evaluation have them."""

from __future__ import annotations

from google.protobuf import text_format

from raymon.config import metric_names
from raymon.protos.pipeline_pb2 import PipelineConfig
from tests.config.texts import TEXT


def names(metrics: str) -> list[str]:
    config = text_format.Parse(TEXT, PipelineConfig())
    config.model_config.ClearField("metrics")
    text_format.Merge(metrics, config.model_config)
    return metric_names(config)[:-2]


def test_several_recalls_are_told_apart_by_their_numbers() -> None:
    assert names("metrics { recall_at_k { top_k: 3 } }") == ["recall_at_k"]
    two = "metrics { recall_at_k { top_k: 1 } } metrics { recall_at_k {} }"
    assert names(two) == ["recall@1", "recall@5"]
    named = 'metrics { recall_at_k { top_k: 1 } name: "first" } metrics { recall_at_k {} }'
    assert names(named) == ["first", "recall@5"]
