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
    # Its embeddings of numbers have no size, which the system that it is of refuses too.
    "tests/dssm_v2_mlpemb_fg_mock": "embedding_dim: must be given and at least 1, for mlp",
    "tests/hstu_fg_mock": "hstu_match",
    "tests/hstu_kuairand_1k": "hstu_match",
    # Another system of serving names sequences otherwise.
    "tests/multi_tower_din_fg_rtp_mock": "click_50_seq_item_id",
    "tests/multi_tower_din_zch_trt_fg_mock": "multi_tower_din_trt",
    "tests/tdm_fg_mock": "tdm",
    "tests/ultra_hstu_cutlass_kuairand_1k": "hstu_match",
}
"""Configs that are refused, and a name that the refusal says."""

TRAINED = frozenset(KNOWN) - frozenset(REFUSED)
"""Configs that train, are resumed, evaluated, exported and predict."""
