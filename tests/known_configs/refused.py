"""Configs whose models raymon does not have: HSTU and its kin, and trees of items."""

from __future__ import annotations

from typing import Any

from tests.known_configs.blocks import Block, Word
from tests.known_configs.parts import AUC, RECALLS, SEQUENCE, feature, group, mlp, pipeline

_JAGGED = Word("JAGGED_SEQUENCE")
_USERS = {
    "user_id": 10000000,
    "user_active_degree": 8,
    "follow_user_num_range": 9,
    "fans_user_num_range": 9,
    "friend_user_num_range": 8,
    "register_days_range": 8,
}


def _video(name: str, inner: list[str]) -> Block:
    half = {"embedding_name": "video_id_emb", "data_type": "FP16"}
    video = feature(
        "id_feature", "video_id", 32, expression="item:video_id", num_buckets=10000000, **half
    )
    numbers = [feature("raw_feature", each, expression=f"user:{each}") for each in inner]
    head = {"sequence_name": name, "sequence_length": 8000, "sequence_delim": "|"}
    return {"sequence_feature": {**head, "features": [video, *numbers]}}


def _kuairand(name: str, kind: str, kernel: str = "TRITON", **data: Any) -> Block:
    """Returns a ranker after a long history, with a task for each bit of an action."""
    half = {"data_type": "FP16"}
    features = [
        _video("uih_seq", ["action_timestamp", "action_weight", "watch_time"]),
        _video("cand_seq", ["query_time"]),
        *(
            feature("id_feature", name, 32, expression=f"user:{name}", num_buckets=size, **half)
            for name, size in _USERS.items()
        ),
    ]
    groups = [
        group("contextual", list(_USERS)),
        group("uih", ["uih_seq__video_id"], _JAGGED),
        group("candidate", ["cand_seq__video_id"], _JAGGED),
    ]
    encoder = {
        "stu": {"embedding_dim": 512, "num_heads": 4, "hidden_dim": 128, "attention_dim": 128},
        "attn_num_layers": 3,
    }
    towers = {
        "mlp": mlp(512, activation="nn.SiLU", use_ln=True),
        "task_configs": {
            "task_name": "is_click",
            "label_name": "cand_seq__action_weight",
            "task_bitmask": 1,
            "losses": {"binary_cross_entropy": {}},
            **AUC,
        },
    }
    model = {"hstu": encoder, "fusion_mtl_tower": towers, "max_seq_len": 4096}
    labels = ["cand_seq__action_weight", "cand_seq__watch_time"]
    return pipeline(
        name,
        {"batch_size": 8, "num_workers": 2, "fg_mode": Word("FG_DAG"), "label_fields": labels}
        | data,
        features,
        {"feature_groups": groups, kind: model, "kernel": Word(kernel)},
        sparse={"rowwise_adagrad_optimizer": {"lr": 0.001}},
        train={"save_checkpoints_epochs": 1, "mixed_precision": "BF16"},
    )


def _item(**more: Any) -> Block:
    return feature(
        "id_feature",
        "item_id",
        16,
        expression="item:item_id",
        num_buckets=1000000,
        embedding_name="item_id",
        **more,
    )


def _hstu_match(name: str, kind: str) -> Block:
    sampler = {
        "input_path": "odps://{PROJECT}/tables/items",
        "num_sample": 1024,
        "attr_fields": "item_id",
        "item_id_field": "item_id",
        "attr_delimiter": "\x02",
    }
    head = {"sequence_name": "click_50_seq", "sequence_length": 50, "sequence_delim": "|"}
    encoder = {"input": "click_50_seq", "max_seq_length": 50, "num_blocks": 2, "num_heads": 1}
    model = {
        "user_tower": {"input": "user", "hstu_encoder": encoder},
        "item_tower": {"input": "item"},
        "output_dim": 64,
    }
    groups = [group("user", ["click_50_seq__item_id"], SEQUENCE), group("item", ["item_id"])]
    data = {"fg_encoded": False, "label_fields": "clk", "negative_sampler": sampler}
    features = [_item(), {"sequence_feature": {**head, "features": _item()}}]
    return pipeline(name, data, features, {"feature_groups": groups, kind: model, **RECALLS})


def _tdm(name: str, mode: str, sampler: Block) -> Block:
    model = {
        "multiwindow_din": {
            "windows_len": [1, 1, 1, 2, 2, 2, 5, 6, 10, 20],
            "attn_mlp": mlp(36, activation="nn.PReLU"),
        },
        "final": mlp(256, 128, 64, 32, use_bn=True),
    }
    paths = {f"{name}_input_path": "" for name in ("item", "edge", "predict_edge")}
    head = {"sequence_length": 50, "sequence_delim": ";", "expression": "user:click_50_seq"}
    features = [
        _item(),
        feature("sequence_id_feature", "click_50_seq", 16, **head, num_buckets=1000000),
    ]
    data = {
        "batch_size": 32,
        "fg_mode": Word(mode),
        "label_fields": "clk",
        "tdm_sampler": {**paths, "item_id_field": "item_id", **sampler},
    }
    whole = {
        "feature_groups": group("seq", ["click_50_seq", "item_id"], SEQUENCE),
        "tdm": model,
        "num_class": 2,
        **AUC,
        "losses": {"softmax_cross_entropy": {}},
    }
    return pipeline(name, data, features, whole)


_ODPS: Block = {"dataset_type": Word("OdpsDataset")}

REFUSED = {
    "examples/tdm_taobao": _tdm(
        "tdm_taobao",
        "FG_NONE",
        {"attr_fields": ["tree_level"], "layer_num_sample": [0, 1, 2], "attr_delimiter": ","},
    ),
    "benchmarks/kuairand/dlrm_hstu": _kuairand("kuairand/dlrm_hstu", "dlrm_hstu", **_ODPS),
    "tests/dlrm_hstu_kuairand_1k": _kuairand("dlrm_hstu", "dlrm_hstu"),
    "tests/dlrm_hstu_cutlass_kuairand_1k": _kuairand("dlrm_hstu_cutlass", "dlrm_hstu", "CUTLASS"),
    "tests/dlrm_hstu_rtp_kuairand_1k": _kuairand("dlrm_hstu_rtp", "dlrm_hstu"),
    "tests/dlrm_ultra_hstu_cutlass_kuairand_1k": _kuairand(
        "dlrm_ultra_hstu", "dlrm_hstu", "CUTLASS"
    ),
    "tests/hstu_fg_mock": _hstu_match("hstu_fg_mock", "hstu_match"),
    "tests/hstu_kuairand_1k": _hstu_match("hstu_kuairand_1k", "hstu_match"),
    "tests/ultra_hstu_cutlass_kuairand_1k": _hstu_match("ultra_hstu", "hstu_match"),
    "tests/tdm_fg_mock": _tdm(
        "tdm_fg_mock", "FG_DAG", {"attr_fields": ["cate_id"], "layer_num_sample": [0, 1, 2]}
    ),
}
