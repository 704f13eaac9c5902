"""Small pipelines and batches that the tests of models share."""

from __future__ import annotations

import torch
from google.protobuf import text_format

from raymon.data import Batch, Feature, IdList, build_features
from raymon.models import Model, build_model
from raymon.protos.pipeline_pb2 import PipelineConfig

FEATURES = """
  feature_configs { id_feature { feature_name: "user" expression: "user:u" num_buckets: 50
    embedding_dim: 4 } }
  feature_configs { id_feature { feature_name: "tags.all" expression: "item:t" num_buckets: 20
    embedding_dim: 4 embedding_name: "type" pooling: "mean" } }
  feature_configs { id_feature { feature_name: "tag" expression: "item:m" num_buckets: 20
    embedding_dim: 4 embedding_name: "type" } }
  feature_configs { raw_feature { feature_name: "price" expression: "item:p" } }
  feature_configs { raw_feature { feature_name: "age" expression: "user:a" value_dim: 2 } }
"""
DLRM = """
  feature_groups { group_name: "dense" feature_names: ["price", "age"] group_type: DEEP }
  feature_groups { group_name: "sparse" feature_names: ["user", "tags.all", "tag"]
    group_type: DEEP }
  dlrm { dense_mlp { hidden_units: [8, 4] } final { hidden_units: [16] } }
"""
DEEPFM = """
  feature_groups { group_name: "wide" feature_names: ["user", "tag"] group_type: WIDE }
  feature_groups { group_name: "fm" feature_names: ["user", "tags.all", "tag"] group_type: DEEP }
  feature_groups { group_name: "deep" feature_names: ["user", "tags.all", "price", "age"]
    group_type: DEEP }
  deepfm { deep { hidden_units: [16, 8] } final { hidden_units: [8] } }
"""
IN_BATCH = """
  feature_groups { group_name: "u" feature_names: ["user", "age"] group_type: DEEP }
  feature_groups { group_name: "i" feature_names: ["tags.all", "tag", "price"] group_type: DEEP }
  dssm { user_tower { input: "u" mlp { hidden_units: [8] } }
    item_tower { input: "i" mlp { hidden_units: [6] } }
    output_dim: 4 in_batch_negative: true MORE }
"""
DSSM_V2 = """
  feature_groups { group_name: "u" feature_names: ["user", "tags.all", "age"] group_type: DEEP }
  feature_groups { group_name: "i" feature_names: ["tag", "price"] group_type: DEEP }
  dssm_v2 { user_tower { input: "u" mlp { hidden_units: [8] } }
    item_tower { input: "i" mlp { hidden_units: [6] } } output_dim: 4 MORE }
"""
DAT = """
  feature_groups { group_name: "u" feature_names: ["user", "age"] group_type: DEEP }
  feature_groups { group_name: "i" feature_names: ["tag", "price"] group_type: DEEP }
  feature_groups { group_name: "ua" feature_names: "user" group_type: DEEP }
  feature_groups { group_name: "ia" feature_names: "tag" group_type: DEEP }
  dat { user_tower { input: "u" augment_input: "ua" mlp { hidden_units: [8] } }
    item_tower { input: "i" augment_input: "ia" mlp { hidden_units: [6] } }
    output_dim: 4 amm_u_weight: 0.25 amm_i_weight: 2 MORE }
"""
SOFTMAX = "losses { softmax_cross_entropy {} }"
BCE = "losses { binary_cross_entropy {} }"
BCE_OF_TWO = """losses { binary_cross_entropy {} label_name: "y" }
  losses { binary_cross_entropy {} label_name: "z" }"""


def pipeline(
    model: str = DLRM, losses: str = BCE, data: str = 'label_fields: "y"'
) -> PipelineConfig:
    text = f"""train_input_path: "in" model_dir: "out" train_config {{ num_steps: 1 }}
      data_config {{ {data} }} {FEATURES} model_config {{ {model} {losses} }}"""
    return text_format.Parse(text, PipelineConfig())


def features_of(config: PipelineConfig) -> list[Feature]:
    return build_features(config.feature_configs)


def model_of(config: PipelineConfig, seed: int = 0) -> Model:
    torch.manual_seed(seed)
    return build_model(config, features_of(config))


def batch_of(size: int, seed: int = 0, labels: tuple[str, ...] = ("y",)) -> Batch:
    """Returns rows with 0 to 3 tags, labels of 0 and 1, weights "w" and keys "k"."""
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(0, 4, (size,), generator=generator)
    tags = torch.randint(0, 20, (int(lengths.sum()),), generator=generator)
    return Batch(
        size=size,
        dense={
            "price": torch.randn(size, 1, generator=generator),
            "age": torch.randn(size, 2, generator=generator),
        },
        sparse={
            "user": IdList(torch.randint(0, 50, (size,), generator=generator)),
            "tags.all": IdList(tags, lengths.cumsum(0) - lengths),
            "tag": IdList(torch.randint(0, 20, (size,), generator=generator)),
        },
        labels={
            label: torch.randint(0, 2, (size,), generator=generator).float() for label in labels
        },
        weights={"w": torch.rand(size, generator=generator)},
        keys={"k": torch.randint(0, 5, (size,), generator=generator)},
    )
