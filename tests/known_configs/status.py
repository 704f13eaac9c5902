"""Which known configs train, and what the others are refused for."""

from __future__ import annotations

from tests.known_configs.corpus import KNOWN

REFUSED = {
    "benchmarks/kuairand/dlrm_hstu": "dlrm_hstu",
    "examples/tdm_taobao": "tdm",
    # Nor does the system that it is of: its embeddings are of 16 numbers.
    "examples/wukong_criteo": "ends in 128; must end in 16",
    "tests/dlrm_hstu_cutlass_kuairand_1k": "dlrm_hstu",
    "tests/dlrm_hstu_kuairand_1k": "dlrm_hstu",
    "tests/dlrm_hstu_rtp_kuairand_1k": "dlrm_hstu",
    "tests/dlrm_ultra_hstu_cutlass_kuairand_1k": "dlrm_hstu",
    "tests/hstu_fg_mock": "hstu_match",
    "tests/hstu_kuairand_1k": "hstu_match",
    "tests/multi_tower_din_dynamicemb_ftrl_mock": "ftrl_optimizer",
    "tests/multi_tower_din_ftrl_mock": "ftrl_optimizer",
    "tests/multi_tower_din_zch_trt_fg_mock": "multi_tower_din_trt",
    "tests/tdm_fg_mock": "tdm",
    "tests/ultra_hstu_cutlass_kuairand_1k": "hstu_match",
}
"""Configs that are refused, and a name that the refusal says."""

PENDING = frozenset(
    [
        "benchmarks/criteo/rocket_launching",
        "benchmarks/taobao/dbmtl",
        "benchmarks/taobao/dbmtl_has_sequence",
        "benchmarks/taobao/dbmtl_jrc",
        "benchmarks/taobao/dssm_taobao",
        "benchmarks/taobao/mmoe_has_sequence",
        "benchmarks/taobao/ple",
        "benchmarks/taobao/ple_has_sequence",
        "benchmarks/taobao_ccp/dbmtl",
        "benchmarks/taobao_ccp/ple",
        "examples/dbmtl_taobao",
        "examples/dbmtl_taobao_jrc",
        "examples/dbmtl_taobao_seq",
        "examples/dssm_taobao",
        "examples/dssm_v2_taobao",
        "examples/mind_taobao",
        "examples/multi_tower_din_taobao",
        "examples/multi_tower_taobao",
        "examples/pepnet_taobao",
        "examples/ple_taobao",
        "examples/rocket_launching_criteo",
        "tests/dbmtl_has_sequence_mock",
        "tests/dbmtl_has_sequence_mock_focal_loss",
        "tests/dbmtl_has_sequence_variational_dropout_mock",
        "tests/dssm_fg_hard_negative_mock",
        "tests/dssm_fg_mock",
        "tests/dssm_v2_fg_mock",
        "tests/dssm_v2_mlpemb_fg_mock",
        "tests/dssm_variational_dropout_mock",
        "tests/mind_mock",
        "tests/multi_tower_din_fg_dynamicemb_mock",
        "tests/multi_tower_din_fg_mock",
        "tests/multi_tower_din_fg_mock_adagrad_init_acc",
        "tests/multi_tower_din_fg_mock_bf16_emb_fp16",
        "tests/multi_tower_din_fg_mock_fp16_ga",
        "tests/multi_tower_din_fg_mock_gradient_clipping",
        "tests/multi_tower_din_fg_rtp_mock",
        "tests/multi_tower_din_mock",
        "tests/multi_tower_din_mock_frozen",
        "tests/multi_tower_din_trt_fg_mock",
        "tests/multi_tower_din_zch_fg_mock",
        "tests/multi_tower_din_zch_fg_mock_nodice",
        "tests/zch_to_dynamicemb_convert_src",
        "tests/zch_to_dynamicemb_convert_tgt",
    ]
)
"""Configs whose parts are being built."""

TRAINED = frozenset(KNOWN) - frozenset(REFUSED) - PENDING
"""Configs that train, are resumed, evaluated, exported and predict."""
