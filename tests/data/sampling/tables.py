"""Tables of items and edges, as files in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from google.protobuf import text_format

from raymon.data import (
    Feature,
    Sampler,
    SamplerSpec,
    SamplerTables,
    build_features,
    sampler_spec,
)
from raymon.protos.pipeline_pb2 import PipelineConfig

FEATURES = """
  feature_configs { id_feature { feature_name: "item" expression: "item:item" num_buckets: 1000
    embedding_dim: 4 } }
  feature_configs { id_feature { feature_name: "kinds" expression: "item:kinds" separator: "|"
    num_buckets: 20 embedding_dim: 4 } }
  feature_configs { raw_feature { feature_name: "price" expression: "item:price" } }
  feature_configs { id_feature { feature_name: "user" expression: "user:user" num_buckets: 50
    embedding_dim: 4 } }
"""
ATTRIBUTES = """num_sample: 6 attr_fields: ["item", "kinds", "price"] item_id_field: "item"
  """


def write(path: Path, **columns: Any) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def features() -> list[Feature]:
    config = text_format.Parse(FEATURES, PipelineConfig())
    return build_features(config.feature_configs)


def spec_of(text: str) -> SamplerSpec:
    config = text_format.Parse(f"data_config {{ {text} }}", PipelineConfig())
    spec = sampler_spec(config.data_config)
    assert spec is not None
    return spec


def sampler_of(text: str, seed: int = 0) -> Sampler:
    spec = spec_of(text)
    return Sampler(spec, SamplerTables(spec, features()), seed)
