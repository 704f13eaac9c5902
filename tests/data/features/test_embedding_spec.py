from __future__ import annotations

import pytest
from google.protobuf import text_format

from raymon.data import EmbeddingSpec, Initializer, pipeline_features
from raymon.errors import ConfigError
from raymon.protos.pipeline_pb2 import PipelineConfig

ID = 'expression: "user:c" embedding_dim: 4 num_buckets: 9'
COMBO = 'expression: ["user:c", "user:d"] embedding_dim: 4 hash_bucket_size: 9'
RAW = 'expression: "user:c" embedding_dim: 4 boundaries: [1, 2]'
KINDS = {"id_feature": ID, "combo_feature": COMBO, "raw_feature": RAW}


def specs(*features: str, constraints: str = "") -> list[EmbeddingSpec]:
    """Returns the tables of features "f0", "f1", ..."""
    blocks = [
        f'feature_configs {{ {kind} {{ feature_name: "f{number}" {fields} }} }}'
        for number, (kind, _, fields) in enumerate(text.partition(" ") for text in features)
    ]
    train = f"train_config {{ global_embedding_constraints {{ {constraints} }} }}"
    config = text_format.Parse(f"{train} {' '.join(blocks)}", PipelineConfig())
    config.data_config.SetInParent()
    built = [feature.embedding for feature in pipeline_features(config)]
    return [spec for spec in built if spec is not None]


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_is_what_its_feature_says(kind: str) -> None:
    (plain,) = specs(f"{kind} {KINDS[kind]}")
    assert (plain.data_type, plain.init_fn, plain.trainable) == ("FP32", None, True)
    assert (plain.sharding_types, plain.compute_kernels) == ((), ())
    (spec,) = specs(
        f'{kind} {KINDS[kind]} data_type: "FP16" init_fn: "nn.init.constant_,val=2" '
        "trainable: false embedding_constraints { sharding_types: 'row_wise' "
        "sharding_types: 'table_wise' compute_kernels: 'fused' }"
    )
    assert (spec.data_type, spec.trainable) == ("FP16", False)
    assert spec.init_fn == Initializer("constant_", (("val", 2.0),))
    assert (spec.sharding_types, spec.compute_kernels) == (("row_wise", "table_wise"), ("fused",))


def test_constraints_of_all_tables_are_those_of_features_without_their_own() -> None:
    first, second = specs(
        f"id_feature {ID}",
        f"id_feature {ID} embedding_constraints {{ sharding_types: 'column_wise' }}",
        constraints="sharding_types: 'row_wise' compute_kernels: 'fused'",
    )
    assert (first.sharding_types, first.compute_kernels) == (("row_wise",), ("fused",))
    assert (second.sharding_types, second.compute_kernels) == (("column_wise",), ())


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (
            [f'id_feature {ID} data_type: "FP8"'],
            '[0].id_feature.data_type: "FP8" is no type of a table; use FP32, FP16 or BF16',
        ),
        (
            [f'combo_feature {COMBO} init_fn: "nn.init.unifrom_"'],
            '[0].combo_feature.init_fn: unknown initializer "unifrom_"; did you mean "uniform_"?',
        ),
        (
            [f"id_feature {ID} embedding_constraints {{ compute_kernels: 'fused_umv' }}"],
            "[0].id_feature.embedding_constraints.compute_kernels[0]: unknown compute kernel "
            '"fused_umv"; did you mean "fused_uvm"?',
        ),
        (
            ['raw_feature expression: "user:c" data_type: "FP16"'],
            "[0].raw_feature.data_type: a raw_feature has embeddings only with boundaries",
        ),
        (
            [f'id_feature {ID} embedding_name: "t" data_type: "{t}"' for t in ("BF16", "FP32")],
            '[1].id_feature.data_type: of table "t" is FP32 here, but BF16 in '
            "feature_configs[0].id_feature; features that share a table must agree",
        ),
        (
            [
                f'id_feature {ID} embedding_name: "t" init_fn: "zeros_"',
                f'id_feature {ID} embedding_name: "t"',
            ],
            '[1].id_feature.init_fn: of table "t" is not given here, but nn.init.zeros_ in ',
        ),
        (
            [
                f'id_feature {ID} embedding_name: "t" ',
                f"id_feature {ID} embedding_name: 't' "
                "embedding_constraints { sharding_types: 'row_wise' }",
            ],
            '[1].id_feature.embedding_constraints: of table "t" is row_wise here, but not given ',
        ),
    ],
)
def test_a_wrong_table_is_an_error_that_names_its_field(features: list[str], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        specs(*features)
    assert str(error.value).startswith("feature_configs" + message)


def test_features_that_share_a_table_may_say_the_same_in_other_words() -> None:
    first, second = specs(
        f"id_feature {ID} embedding_name: 't' init_fn: 'nn.init.uniform_,b=1.0,a=0'",
        f"id_feature {ID} embedding_name: 't' init_fn: 'uniform_'",
    )
    assert first == second
