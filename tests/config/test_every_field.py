"""No field of a config is without effect: a run reads it, or a value of it causes a warning.

New fields are included by themselves.
"""

from __future__ import annotations

import ast
import json
import logging
import os
import subprocess
from pathlib import Path

import pytest

import raymon
from raymon.config import load
from tests.config import field_reads
from tests.config.texts import TEXT, write
from tests.installed import installed_python

_SAMPLER = (
    "item_input_path: 'i' num_sample: 1 attr_fields: 'a' item_id_field: 'a' user_id_field: 'u' "
    "user_input_path: 'u'"
)
_HARD = "hard_neg_edge_input_path: 'h' num_hard_sample: 1"

WARNED = {
    "CustomFeature.operator_lib_file": (
        "feature_configs[1]={custom_feature {feature_name: 'age' operator_name: 'EditDistance' "
        "expression: ['user:a', 'user:b'] operator_lib_file: 'edit.so'}}"
    ),
    "DynamicEmbedding.init_capacity_per_rank": (
        "feature_configs[0].id_feature={feature_name: 'user' expression: 'user:u' "
        "embedding_dim: 4 dynamicemb {max_capacity: 9 init_capacity_per_rank: 3}}"
    ),
    "SequenceFeature.sequence_pk": (
        "feature_configs=[{id_feature {feature_name: 'user' num_buckets: 9 embedding_dim: 4 "
        "expression: 'user:u'}}, {raw_feature {feature_name: 'age' expression: 'user:a'}}, "
        "{sequence_feature {sequence_name: 's' sequence_pk: 'user:s' features "
        "{raw_feature {feature_name: 'r' expression: 'user:r'}}}}]"
    ),
    **{
        f"{message}.name": (
            "model_config.feature_groups[1]={group_name: 'sparse' feature_names: ['user'] "
            "sequence_groups {feature_names: ['user']} sequence_encoders "
            f"{{{kind} {{name: 'n' {needed}}}}}}}"
        )
        for message, kind, needed in (
            ("DINEncoder", "din_encoder", "attn_mlp {hidden_units: 2}"),
            ("SimpleAttention", "simple_attention", ""),
            ("PoolingEncoder", "pooling_encoder", ""),
            ("SelfAttentionEncoder", "self_attention_encoder", "multihead_attn_dim: 8"),
            (
                "MultiWindowDINEncoder",
                "multi_window_din_encoder",
                "attn_mlp {hidden_units: 2} windows_len: 2",
            ),
        )
    },
    "ConstantLR.by_epoch": "train_config.dense_optimizer.constant_learning_rate.by_epoch=true",
    "GradClippingConfig.enable_global_grad_clip": (
        "train_config.grad_clipping={clipping_type: 'norm' enable_global_grad_clip: true}"
    ),
    "MINDUserTower.user_seq_combine": (
        "model_config={feature_groups { group_name: 'u' feature_names: 'age' group_type: DEEP }"
        " feature_groups { group_name: 'h' feature_names: 'user' group_type: SEQUENCE }"
        " mind { user_tower { input: 'u' history_input: 'h' user_mlp { hidden_units: 4 }"
        " capsule_config { max_seq_len: 4 high_dim: 3 } concat_mlp { hidden_units: 4 }"
        " user_seq_combine: SUM } item_tower { input: 'u' mlp { hidden_units: 4 } }"
        " in_batch_negative: true } losses { softmax_cross_entropy {} }}"
    ),
    "NegativeSamplerV2.user_input_path": (
        f"data_config.negative_sampler_v2={{{_SAMPLER} pos_edge_input_path: 'p'}}"
    ),
    "HardNegativeSampler.user_input_path": (
        f"data_config.hard_negative_sampler={{{_SAMPLER} {_HARD}}}"
    ),
    "HardNegativeSamplerV2.user_input_path": (
        f"data_config.hard_negative_sampler_v2={{{_SAMPLER} {_HARD} pos_edge_input_path: 'p'}}"
    ),
    "DataConfig.fg_threads": "data_config.fg_threads=2",
    "DataConfig.force_base_data_group": "data_config.force_base_data_group=true",
    "DataConfig.in_order": "data_config.in_order=false",
    "DataConfig.is_orderby_partition": "data_config.is_orderby_partition=true",
    "DataConfig.odps_data_compression": "data_config.odps_data_compression=ZSTD",
    "DataConfig.odps_data_quota_name": "data_config.odps_data_quota_name=q",
    "IdFeature.fg_value_type": "feature_configs[0].id_feature.fg_value_type=int64",
}
"""Fields that change nothing, and an override that is told so."""

ON_RAY = {
    "RayConfig.placement_strategy", "RayConfig.max_failures", "RayConfig.wait_for_nodes_s",
    "RayConfig.elastic_resize_monitor_interval_s", "MonitorConfig.node_reporters_above",
    "MonitorConfig.use_prometheus", "EvalConfig.resources",
}  # fmt: skip
"""Fields that only runs on Ray read; that their names are read at all is seen in the sources."""

NUMBERS_AND_TEXTS = {
    f"{message.name}.{field.name}"
    for message in field_reads.messages()
    for field in message.fields
    if field.message_type is None or field.message_type.GetOptions().map_entry
}


@pytest.fixture(scope="module")
def read(config_of_runs: Path) -> set[str]:
    """Returns the fields that small runs read, in another process."""
    environment = {
        **os.environ,
        "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": "python",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    command = [installed_python(), field_reads.__file__, str(config_of_runs.parent)]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.fixture(scope="module")
def config_of_runs(tmp_path_factory: pytest.TempPathFactory, click_log: Path) -> Path:
    from tests.conftest import CONFIG

    path = tmp_path_factory.mktemp("reads") / "click.config"
    path.write_text(CONFIG.format(data=click_log, model_dir=path.parent / "run"))
    return path


def test_every_field_is_read_by_what_runs(read: set[str]) -> None:
    unread = NUMBERS_AND_TEXTS - read - WARNED.keys() - ON_RAY
    assert sorted(unread) == []


def test_a_field_that_is_said_to_be_read_by_nothing_is_not(read: set[str]) -> None:
    assert sorted(WARNED.keys() & read) == []


def test_fields_of_runs_on_ray_are_in_their_sources() -> None:
    package = Path(raymon.__file__).parent
    sources = [p for p in package.rglob("*.py") if p.parent.name not in ("config", "protos")]
    names = {
        node.attr
        for path in sources
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
    }
    assert [field for field in ON_RAY if field.partition(".")[2] not in names] == []


@pytest.mark.parametrize("override", WARNED.values(), ids=WARNED)
def test_what_has_no_effect_is_told(
    tmp_path: Path, override: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        load(write(tmp_path, TEXT), [override])
    assert [r.getMessage() for r in caplog.records if "has no effect" in r.getMessage()]
