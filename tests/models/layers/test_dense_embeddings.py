"""Numbers become embeddings by the formula of AutoDis, or by a linear map."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from google.protobuf import text_format

from raymon.data import Batch, Feature, IdList, build_features
from raymon.errors import ConfigError
from raymon.models import build_model
from raymon.models.layers.dense_embeddings import AutoDis, DenseEmbeddings, LinearEmbedding
from raymon.models.layers.grouped_inputs import GroupedInputs
from raymon.protos.pipeline_pb2 import PipelineConfig

AUTODIS = "embedding_dim: 4 autodis { num_channels: 3 temperature: 0.5 keep_prob: 0.8 }"
FEATURES = f"""
  feature_configs {{ raw_feature {{ feature_name: "a" expression: "user:a" {AUTODIS} }} }}
  feature_configs {{ raw_feature {{ feature_name: "b" expression: "user:b" {AUTODIS} }} }}
  feature_configs {{ raw_feature {{ feature_name: "c" expression: "user:c" value_dim: 2
    embedding_dim: 4 mlp {{}} }} }}
  feature_configs {{ id_feature {{ feature_name: "u" expression: "user:u" num_buckets: 9
    embedding_dim: 4 }} }}
  feature_configs {{ raw_feature {{ feature_name: "plain" expression: "user:d" }} }}"""
ALL = '"a", "u", "b", "c"'
MODELS = {
    "dlrm": f"""feature_groups {{ group_name: "sparse" group_type: DEEP feature_names: [{ALL}] }}
      dlrm {{ final {{ hidden_units: [4] }} }}""",
    "dlrm_of_numbers": """feature_groups { group_name: "sparse" group_type: DEEP
      feature_names: ["a", "c"] } dlrm { final { hidden_units: [4] } }""",
    "deepfm": f"""feature_groups {{ group_name: "wide" group_type: WIDE feature_names: [{ALL}] }}
      feature_groups {{ group_name: "fm" group_type: DEEP feature_names: [{ALL}] }}
      feature_groups {{ group_name: "deep" group_type: DEEP feature_names: [{ALL}, "plain"] }}
      deepfm {{ deep {{ hidden_units: [4] }} }}""",
}


def pipeline(model: str) -> PipelineConfig:
    text = f"""train_input_path: "in" model_dir: "out" train_config {{ num_steps: 1 }}
      data_config {{ label_fields: "y" }} {FEATURES}
      model_config {{ {model} losses {{ binary_cross_entropy {{}} }} }}"""
    return text_format.Parse(text, PipelineConfig())


def features() -> list[Feature]:
    return build_features(pipeline("").feature_configs)


def batch() -> Batch:
    draw = torch.Generator().manual_seed(0)
    sizes = {"a": 1, "b": 1, "c": 2, "plain": 1}
    return Batch(
        size=5,
        dense={name: torch.randn(5, size, generator=draw) for name, size in sizes.items()},
        sparse={"u": IdList(torch.randint(0, 9, (5,), generator=draw))},
        labels={"y": torch.ones(5)},
    )


def test_autodis_mixes_its_meta_embeddings_by_the_formula_of_the_paper() -> None:
    embeddings, rows = DenseEmbeddings(features()), batch()
    found = embeddings(rows)
    layer = embeddings.layers[0]
    assert isinstance(layer, AutoDis)
    for index, name in enumerate(("a", "b")):
        meta, first, second = (
            parameter[index].detach().numpy()
            for parameter in (layer.meta_embeddings, layer.first, layer.second)
        )
        for row, x in enumerate(rows.dense[name][:, 0].tolist()):
            hidden = first * x
            hidden = np.where(hidden > 0, hidden, 0.01 * hidden)
            scores = (second @ hidden + 0.8 * hidden) / 0.5
            weights = np.exp(scores) / np.exp(scores).sum()
            np.testing.assert_allclose(found[name][row].detach(), weights @ meta, rtol=1e-4)


def test_mlp_is_a_linear_map_of_all_numbers_of_a_feature() -> None:
    embeddings, rows = DenseEmbeddings(features()), batch()
    layer = embeddings.layers[1]
    assert isinstance(layer, LinearEmbedding)
    torch.testing.assert_close(embeddings(rows)["c"], rows.dense["c"] @ layer.weight[0])


def test_embedded_numbers_stand_among_the_embeddings_of_a_group() -> None:
    config = pipeline(MODELS["deepfm"])
    inputs = GroupedInputs(config.model_config, features(), ["deep"])
    assert inputs.widths("deep") == [1, 4, 4, 4, 4]
    rows = batch()
    plain, u, a, _, _ = inputs(rows)["deep"].split(inputs.widths("deep"), dim=1)
    assert torch.equal(plain, rows.dense["plain"])
    assert torch.equal(a, inputs.get_submodule("dense_embeddings")(rows)["a"])
    assert torch.equal(u, inputs.embeddings.table_of("u").weight[rows.sparse["u"].values])


@pytest.mark.parametrize("kind", ["raw_feature", "expr_feature"])
def test_buckets_have_the_embeddings_of_their_ids_alone(kind: str) -> None:
    of = {
        "raw_feature": 'expression: "user:c"',
        "expr_feature": 'expression: "c" variables: "user:c"',
    }
    block = f'{kind} {{ feature_name: "f" {of[kind]} boundaries: [1] embedding_dim: 4 mlp {{}} }}'
    config = text_format.Parse(f"feature_configs {{ {block} }}", PipelineConfig())
    (feature,) = build_features(config.feature_configs)
    assert feature.is_sparse
    assert feature.dense_embedding is None


@pytest.mark.parametrize("name", MODELS)
def test_models_take_embedded_numbers_where_they_take_ids(name: str) -> None:
    config = pipeline(MODELS[name])
    model, rows = build_model(config, features()), batch()
    model.loss(model(rows), rows)["binary_cross_entropy"].backward()
    unused = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert unused == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mlp {}", ".embedding_dim: must be given and at least 1, for mlp"),
        ("embedding_dim: 4 autodis { num_channels: 0 }", ".autodis.num_channels: is 0"),
        (
            "embedding_dim: 4 autodis { num_channels: 2 temperature: 0 }",
            ".autodis.temperature: is 0; must be above 0",
        ),
        (
            "embedding_dim: 4 autodis { num_channels: 2 keep_prob: 1.5 }",
            ".autodis.keep_prob: is 1.5; must be in [0, 1]",
        ),
        (
            "value_dim: 2 embedding_dim: 4 autodis { num_channels: 2 }",
            ".autodis: takes one number a row, not 2",
        ),
        ("embedding_dim: 4 mlp {} data_type: 'FP16'", ".data_type: a raw_feature has embeddings"),
    ],
)
def test_a_wrong_embedding_of_numbers_is_told(text: str, message: str) -> None:
    config = PipelineConfig()
    block = f'raw_feature {{ feature_name: "f" expression: "user:c" {text} }}'
    text_format.Parse(f"feature_configs {{ {block} }}", config)
    with pytest.raises(ConfigError) as error:
        build_features(config.feature_configs)
    assert message in str(error.value)
