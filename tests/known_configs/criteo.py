"""Configs of Criteo's click log: 13 numbers and 26 ids."""

from __future__ import annotations

from typing import Any

from tests.known_configs.blocks import Block, Word
from tests.known_configs.parts import AUC, BCE, WIDE, feature, group, mlp, pipeline

_SIZES = [
    *(40000000, 39060, 17295, 7424, 20265, 3, 7122, 1543, 63, 40000000, 3067956, 405282, 10),
    *(2209, 11938, 155, 4, 976, 14, 40000000, 40000000, 40000000, 590152, 12973, 108, 36),
]
_NUMBERS = [f"int_{index}" for index in range(13)]
_IDS = [f"cat_{index}" for index in range(26)]
_LOG = "method=expression,expr=log(x+3)"
_RAW: Block = {"fg_mode": Word("FG_DAG")}
_QUOTA: Block = {"odps_data_quota_name": ""}
_PATHS = ("odps://{PROJECT}/tables/criteo_train", "odps://{PROJECT}/tables/criteo_val_test")


def _features(raw: bool, dim: int = 16, size: str = "num_buckets", side: str = "user") -> Any:
    for name in _NUMBERS:
        if raw:
            # Numbers with an embedding_dim and no boundaries are numbers.
            dims = dim if size == "hash_bucket_size" else None
            yield feature("raw_feature", name, dims, expression=f"user:{name}", normalizer=_LOG)
        else:
            yield feature("raw_feature", name)
    for name, rows in zip(_IDS, _SIZES, strict=True):
        expression = {"expression": f"{side}:{name}"} if raw else {}
        yield feature("id_feature", name, dim, **expression, **{size: rows})


def _config(name: str, data: Block, features: Any, model: Block, **more: Any) -> Block:
    data = {"dataset_type": Word("OdpsDataset"), "label_fields": "label", **data}
    return pipeline(name, data, features, {**AUC, **BCE, **model}, **more)


_HUNDRED: Block = {"evaluation": {"num_steps": 100}, "paths": _PATHS}
_DENSE_SPARSE = [group("dense", _NUMBERS), group("sparse", _IDS)]
_DEEPFM: Block = {
    "feature_groups": [
        group("wide", _IDS, WIDE),
        group("fm", _IDS),
        group("deep", [*_NUMBERS, *_IDS]),
    ],
    "deepfm": {"deep": mlp(512, 256, 128), "final": mlp(64)},
}
_WUKONG_LAYER: Block = {
    "lcb_feature_num": 16,
    "fmb_feature_num": 16,
    "compressed_feature_num": 24,
    "feature_num_mlp": mlp(512),
}


def _dlrm(bottom: Block, top: Block, with_sparse: bool) -> Block:
    model = {"dense_mlp": bottom, "final": top, "arch_with_sparse": with_sparse}
    return {"feature_groups": _DENSE_SPARSE, "dlrm": model, "num_class": 1}


def _rocket(booster: Block, **more: Any) -> Block:
    model = {
        "booster_mlp": booster,
        "light_mlp": mlp(96, 64, 32),
        "feature_based_distillation": True,
        **more,
    }
    return {"feature_groups": group("deep", [*_NUMBERS, *_IDS]), "rocket_launching": model}


CRITEO = {
    "examples/deepfm_criteo": _config(
        "deepfm_criteo", {"fg_mode": Word("FG_NONE")}, _features(raw=False), _DEEPFM, **_HUNDRED
    ),
    "examples/dlrm_criteo": _config(
        "dlrm_criteo",
        {**_RAW, **_QUOTA},
        _features(raw=True),
        _dlrm(mlp(64, 16), mlp(64, 32), True),
        **_HUNDRED,
    ),
    "examples/masknet_criteo": _config(
        "masknet_criteo",
        _RAW,
        _features(raw=True, size="hash_bucket_size", side="item"),
        {
            "feature_groups": group("all_features", [*_IDS, *_NUMBERS]),
            "mask_net": {
                "mask_net_module": {
                    "n_mask_blocks": 3,
                    "mask_block": {"reduction_ratio": 3, "hidden_dim": 512},
                    "use_parallel": True,
                    "top_mlp": mlp(256, 128, 64),
                }
            },
        },
        sparse={"adagrad_optimizer": {"lr": 0.0001}},
        dense={"adam_optimizer": {"lr": 0.0001}},
        train={"save_checkpoints_epochs": 1},
    ),
    "examples/rocket_launching_criteo": _config(
        "rocket_launching_criteo",
        {**_RAW, **_QUOTA},
        _features(raw=True),
        _rocket(mlp(256, 128, 64, 32)),
        **_HUNDRED,
    ),
    "examples/wukong_criteo": _config(
        "wukong_criteo",
        {**_RAW, **_QUOTA},
        _features(raw=True),
        {
            "feature_groups": _DENSE_SPARSE,
            "wukong": {
                "dense_mlp": mlp(512, 256, 128),
                "wukong_layers": [_WUKONG_LAYER, _WUKONG_LAYER],
                "final": mlp(512, 64),
            },
            "num_class": 1,
        },
        **_HUNDRED,
    ),
    "benchmarks/criteo/deepfm": _config(
        "criteo/deepfm",
        {"fg_encoded": True, **_QUOTA},
        _features(raw=False),
        _DEEPFM,
        train={"save_checkpoints_steps": 50000},
        paths=_PATHS,
    ),
    "benchmarks/criteo/dlrm": _config(
        "criteo/dlrm",
        {**_RAW, **_QUOTA, "num_workers": 2, "odps_data_compression": "ZSTD"},
        _features(raw=True, dim=128),
        _dlrm(mlp(512, 256, 128), mlp(1024, 1024, 512, 256), False),
        sparse={"adagrad_optimizer": {"lr": 0.006}},
        dense={"adagrad_optimizer": {"lr": 0.006}},
        train={"save_checkpoints_steps": 0},
        paths=_PATHS,
    ),
    "benchmarks/criteo/rocket_launching": _config(
        "criteo/rocket_launching",
        {**_RAW, **_QUOTA},
        _features(raw=True),
        {
            **_rocket(mlp(1024, 512, 128, 64, 32), feature_distillation_function=Word("COSINE")),
            "num_class": 2,
            "losses": {"softmax_cross_entropy": {}},
        },
        train={"save_checkpoints_steps": 0},
        paths=_PATHS,
    ),
}
