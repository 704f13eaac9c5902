"""A small MIND, and batches of it."""

from __future__ import annotations

import torch
from google.protobuf import text_format

from raymon.data import Batch, IdList, Positions, build_features
from raymon.models import MIND, build_model
from raymon.protos.pipeline_pb2 import PipelineConfig

FEATURES = """
  feature_configs { id_feature { feature_name: "user" expression: "user:u" num_buckets: 9
    embedding_dim: 2 } }
  feature_configs { id_feature { feature_name: "item" expression: "item:i" num_buckets: 9
    embedding_dim: 3 } }
  feature_configs { sequence_feature { sequence_name: "seq" sequence_length: 4
    features { id_feature { feature_name: "item" expression: "item:i" num_buckets: 9
      embedding_dim: 3 } } } }
"""
MODEL = """
  feature_groups { group_name: "u" group_type: DEEP feature_names: "user" }
  feature_groups { group_name: "i" group_type: DEEP feature_names: "item" }
  feature_groups { group_name: "h" group_type: SEQUENCE feature_names: "seq__item" }
  mind { user_tower { input: "u" history_input: "h" user_mlp { hidden_units: [4, 3] }
      HISTORY capsule_config { max_k: 2 max_seq_len: 4 high_dim: 3 }
      concat_mlp { hidden_units: 5 } }
    item_tower { input: "i" mlp { hidden_units: 6 } }
    output_dim: 4 simi_pow: 2 temperature: 0.5 MORE }
"""


def model_of(more: str = "in_batch_negative: true", history: str = "") -> MIND:
    config = text_format.Parse(
        f"""train_input_path: "in" model_dir: "out" train_config {{ num_steps: 1 }}
        data_config {{ label_fields: "y" fg_mode: FG_DAG }} {FEATURES}
        model_config {{ {MODEL.replace("MORE", more).replace("HISTORY", history)}
          losses {{ softmax_cross_entropy {{}} }} }}""",
        PipelineConfig(),
    )
    torch.manual_seed(0)
    model = build_model(config, build_features(config.feature_configs))
    assert isinstance(model, MIND)
    return model


def batch_of(size: int = 3) -> Batch:
    """Returns rows whose histories have 4, 0 and 1 items, of 3."""
    items = torch.tensor([3, 5, 7, 1, 2])
    offsets = torch.tensor([0, 4, 4])[:size]
    count = {0: 0, 1: 4, 2: 4}.get(size, 5)
    return Batch(
        size=size,
        sparse={
            "user": IdList(torch.tensor([3, 8, 0])[:size]),
            "item": IdList(torch.tensor([1, 2, 4])[:size]),
        },
        labels={"y": torch.ones(size)},
        sequences={"seq__item": Positions(offsets, 4 if size else 0, IdList(items[:count]))},
    )
