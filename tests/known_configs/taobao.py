"""Configs of Taobao's display advertising: clicks and purchases, and what was clicked before."""

from __future__ import annotations

from typing import Any

from tests.known_configs.blocks import Block, Word
from tests.known_configs.parts import (
    AUC,
    BCE,
    RECALLS,
    SEQUENCE,
    feature,
    group,
    match_tower,
    mlp,
    pipeline,
    task,
)

_USER = {
    "user_id": 1141730,
    "cms_segid": 98,
    "cms_group_id": 14,
    "final_gender_code": 3,
    "age_level": 8,
    "pvalue_level": 5,
    "shopping_level": 5,
    "occupation": 3,
    "new_user_class_level": 6,
}
_ITEM = {
    "adgroup_id": 846812,
    "cate_id": 12961,
    "campaign_id": 423438,
    "customer": 255877,
    "brand": 461498,
}
# The boundaries are fewer here than the 97 there.
_PRICES = [1.1, 5.2, 10.5, 19, 29.8, 39, 49, 68, 88, 108, 158, 198, 298, 599, 1480, 8720]
_WITH_PURCHASES = ["clk", "buy"]
_CLICKED = ["adgroup_id", "cate_id", "brand"]
_OF_SEQUENCE = [f"click_50_seq__{name}" for name in _CLICKED]
_USERS = [*_USER, "pid"]
_ITEMS = [*_ITEM, "price"]
_ALL = [*_USERS, *_ITEMS]
_ODPS = Word("OdpsDataset")
_PATHS = tuple(f"odps://{{PROJECT}}/tables/taobao_{part}" for part in ("train", "eval/ds=20170513"))
_QUOTA = {"odps_data_quota_name": ""}
_DEEP_TOWER = mlp(256, 128, 64)


def _features(raw: bool, dims: dict[str, int] | None = None) -> list[Block]:
    """Returns the features of users, items and the context, encoded or from raw columns."""
    features = []
    for side, sizes in (("user", _USER), ("item", _ITEM)):
        for name, size in sizes.items():
            expression = f"{side}:{name}" if raw else None
            dim = (dims or {}).get(name, 16)
            features.append(
                feature("id_feature", name, dim, expression=expression, num_buckets=size)
            )
    if not raw:
        encoded = {"price": 101, "pid": 2}
        more = [feature("id_feature", name, 16, num_buckets=n) for name, n in encoded.items()]
        return [*features, *more]
    price = feature("raw_feature", "price", 16, expression="item:price", boundaries=_PRICES)
    pid = feature("id_feature", "pid", 16, expression="context:pid", hash_bucket_size=20)
    return [*features, price, pid]


def _sequence(raw: bool) -> Block:
    inner = [
        feature(
            "id_feature",
            name,
            16,
            expression=f"item:{name}" if raw else None,
            num_buckets=_ITEM[name],
        )
        for name in _CLICKED
    ]
    head = {"sequence_name": "click_50_seq", "sequence_length": 100, "sequence_delim": "|"}
    return {"sequence_feature": {**head, "features": inner}}


def _clicks(query: bool, encoder: Block) -> Block:
    names = [*(_CLICKED if query else []), *_OF_SEQUENCE]
    return {
        "sequence_groups": {"group_name": "click_50_seq", "feature_names": names},
        "sequence_encoders": encoder,
    }


_DIN = _clicks(query=True, encoder={"din_encoder": {"attn_mlp": mlp(32, 8)}})
_POOLED = _clicks(
    query=False, encoder={"pooling_encoder": {"input": "click_50_seq", "pooling_type": "mean"}}
)


def _data(labels: list[str], **more: Any) -> Block:
    return {"dataset_type": _ODPS, "label_fields": labels, **more}


def _rank(name: str, model: Block, raw: Block, labels: list[str], *, clicks: bool = False) -> Block:
    """Returns a config; `raw` says by its fields whether columns are raw."""
    is_raw = raw.get("fg_mode") == "FG_DAG" or raw.get("fg_encoded") is False
    features = _features(is_raw) + ([_sequence(is_raw)] if clicks else [])
    return pipeline(name, _data(labels, **raw), features, model, paths=(_PATHS[0], _PATHS[1]))


_DAG: Block = {"fg_mode": Word("FG_DAG")}
_NONE: Block = {"fg_mode": Word("FG_NONE")}
_ENCODED: Block = {"fg_encoded": True, **_QUOTA}
_RELATION: Block = {"relation_tower_names": "ctr", "relation_mlp": mlp(64)}
_BY_USER: Block = {"grouped_auc": {"grouping_key": "user_id"}}
_JRC: Block = {"num_class": 2, "losses": {"jrc_loss": {"session_name": "user_id"}}}


def _dbmtl(thresholds: int, of_group: Block | None = None, **more: Any) -> Block:
    towers = [
        task("ctr", "clk", _DEEP_TOWER, **more),
        task("cvr", "buy", _DEEP_TOWER, thresholds, **more, **_RELATION),
    ]
    model = {"bottom_mlp": mlp(512), "task_towers": towers}
    return {"feature_groups": group("all", _ALL, **(of_group or {})), "dbmtl": model}


def _by_user_as_well(model: Block) -> Block:
    for tower in model["dbmtl"]["task_towers"]:
        tower["metrics"] = [tower["metrics"], _BY_USER]
    return model


def _mmoe(experts: int, thresholds: int, of_group: Block | None = None, **space: Any) -> Block:
    towers = [
        task("ctr", "clk", _DEEP_TOWER),
        task("cvr", "buy", _DEEP_TOWER, thresholds, **space),
    ]
    model = {"expert_mlp": mlp(512, 256, 128), "num_expert": experts, "task_towers": towers}
    return {"feature_groups": group("all", _ALL, **(of_group or {})), "mmoe": model}


_IN_SPACE: Block = {
    "task_space_indicator_label": "clk",
    "in_task_space_weight": 1,
    "out_task_space_weight": 0,
}


def _ple(
    layers: list[tuple[int, int, Block]], thresholds: int, of_group: Block | None = None
) -> Block:
    networks = [
        {
            "network_name": f"layer{number}",
            "expert_num_per_task": own,
            "share_num": shared,
            "task_expert_net": net,
            "share_expert_net": net,
        }
        for number, (own, shared, net) in enumerate(layers, 1)
    ]
    towers = [task("ctr", "clk", _DEEP_TOWER), task("cvr", "buy", _DEEP_TOWER, thresholds)]
    model = {"extraction_networks": networks, "task_towers": towers}
    return {"feature_groups": group("all", _ALL, **(of_group or {})), "ple": model}


_LAYERS = [
    (2, 2, mlp(1024, 512, 256)),
    (3, 3, mlp(256, 128, 64)),
    (4, 4, mlp(128, 64, 32)),
]
_FEWER_LAYERS = [(2, 1, mlp(1024, 512, 256)), (2, 1, mlp(256, 128, 64))]


def _pepnet() -> Block:
    uia = [name for name in _ALL if name not in ("occupation", "pid", "customer")]
    towers = [
        task("ctr", "clk", _DEEP_TOWER),
        task("cvr", "buy", _DEEP_TOWER, 1000, **_IN_SPACE),
    ]
    groups = [group("all", _ALL), group("domain", ["occupation"]), group("uia", uia)]
    model = {
        "main_group_name": "all",
        "domain_group_name": "domain",
        "epnet_hidden_unit": 128,
        "uia_group_name": "uia",
        "ppnet_hidden_units": [512, 256],
        "ppnet_dropout_ratio": [0.1, 0.1],
        "task_towers": towers,
    }
    return {"feature_groups": groups, "pepnet": model}


_TOWERS = [
    {"input": "user", "mlp": mlp(512, 256, 128)},
    {"input": "item", "mlp": mlp(512, 256, 128)},
]


def _multi_tower() -> Block:
    groups = [group("user", _USERS), group("item", _ITEMS)]
    model = {"towers": _TOWERS, "final": mlp(64)}
    return {"feature_groups": groups, "multi_tower": model, **AUC, **BCE}


def _multi_tower_din() -> Block:
    groups = [group("deep", _ALL), group("seq", [*_CLICKED, *_OF_SEQUENCE], SEQUENCE)]
    model = {
        "towers": {"input": "deep", "mlp": mlp(512, 256, 128)},
        "din_towers": {"input": "seq", "attn_mlp": mlp(256, 64)},
        "final": mlp(64),
    }
    return {"feature_groups": groups, "multi_tower_din": model, **AUC, **BCE}


def _sampler(**more: Any) -> Block:
    return {
        "negative_sampler": {
            "input_path": "odps://{PROJECT}/tables/taobao_ad_feature_gl_v1",
            "num_sample": 1024,
            **more,
            "attr_fields": _ITEMS,
            "item_id_field": "adgroup_id",
            "attr_delimiter": "\x02",
        }
    }


def _dssm(kind: str, name: str, **data: Any) -> Block:
    model = {
        "user_tower": match_tower("user", mlp(512, 256, 128)),
        "item_tower": match_tower("item", mlp(512, 256, 128)),
        "output_dim": 64,
    }
    groups = [group("user", _USERS, **_POOLED), group("item", _ITEMS)]
    return pipeline(
        name,
        _data(["clk"], **_DAG, **data, **_sampler()),
        [*_features(raw=True), _sequence(raw=True)],
        {"feature_groups": groups, kind: model, **RECALLS},
        train={"num_epochs": 8},
        paths=(_PATHS[0], _PATHS[1]),
    )


def _mind() -> Block:
    dropped = {"dropout_ratio": 0.2}
    capsules = {
        "max_k": 8,
        "num_iters": 3,
        "max_seq_len": 50,
        "high_dim": 64,
        "squash_pow": 0.2,
        "const_caps_num": False,
        "routing_logits_stddev": 1,
        "routing_logits_scale": 20,
    }
    model = {
        "user_tower": {
            "input": "user",
            "history_input": "hist",
            "user_mlp": mlp(256, 128, **dropped),
            "hist_seq_mlp": mlp(256, 128, bias=False, **dropped),
            "capsule_config": capsules,
            "concat_mlp": mlp(256, 128, bias=False, **dropped),
        },
        "item_tower": match_tower("item", mlp(256, 128, **dropped)),
        "output_dim": 32,
        "simi_pow": 20,
        "in_batch_negative": False,
        "similarity": Word("COSINE"),
        "temperature": 0.01,
    }
    groups = [group("user", _USERS), group("item", _ITEMS), group("hist", _OF_SEQUENCE, SEQUENCE)]
    wide = ("user_id", "adgroup_id")
    dims = {name: 8 for name in [*_USER, *_ITEM] if name not in wide}
    clicked = [
        feature(
            "sequence_id_feature",
            f"click_50_seq__{name}",
            dims.get(name, 16),
            sequence_length=50,
            sequence_delim="|",
            expression=f"user:click_50_seq__{name}",
            num_buckets=_ITEM[name],
        )
        for name in _CLICKED
    ]
    data = _data(["clk"], **_DAG, **_sampler(num_eval_sample=1024))
    return pipeline(
        "mind_taobao",
        {**data, "batch_size": 2048},
        [*_features(raw=True, dims=dims), *clicked],
        {"feature_groups": groups, "mind": model, **RECALLS},
        train={"num_epochs": 2},
        paths=(_PATHS[0], _PATHS[1]),
    )


TAOBAO = {
    "examples/dbmtl_taobao": _rank("dbmtl_taobao", _dbmtl(1000), _DAG, _WITH_PURCHASES),
    "examples/dbmtl_taobao_jrc": _rank(
        "dbmtl_taobao_jrc", _dbmtl(10000, **_JRC), _NONE, _WITH_PURCHASES
    ),
    "examples/dbmtl_taobao_seq": _rank(
        "dbmtl_taobao_seq", _dbmtl(10000, _DIN), _NONE, _WITH_PURCHASES, clicks=True
    ),
    "examples/dssm_taobao": _dssm("dssm", "dssm_taobao"),
    "examples/dssm_v2_taobao": _dssm("dssm_v2", "dssm_v2_taobao", force_base_data_group=True),
    "examples/mind_taobao": _mind(),
    "examples/mmoe_taobao": _rank("mmoe_taobao", _mmoe(3, 1000), _DAG, _WITH_PURCHASES),
    "examples/multi_tower_din_taobao": _rank(
        "multi_tower_din_taobao", _multi_tower_din(), {"fg_encoded": False}, ["clk"], clicks=True
    ),
    "examples/multi_tower_taobao": _rank("multi_tower_taobao", _multi_tower(), _DAG, ["clk"]),
    "examples/pepnet_taobao": _rank("pepnet_taobao", _pepnet(), _DAG, _WITH_PURCHASES),
    "examples/ple_taobao": _rank("ple_taobao", _ple(_LAYERS, 1000), _DAG, _WITH_PURCHASES),
    "benchmarks/taobao/dbmtl": _rank(
        "taobao/dbmtl", _by_user_as_well(_dbmtl(10000)), _ENCODED, _WITH_PURCHASES
    ),
    "benchmarks/taobao/dbmtl_has_sequence": _rank(
        "taobao/dbmtl_has_sequence", _dbmtl(10000, _DIN), _ENCODED, _WITH_PURCHASES, clicks=True
    ),
    "benchmarks/taobao/dbmtl_jrc": _rank(
        "taobao/dbmtl_jrc", _dbmtl(10000, **_JRC, metrics=_BY_USER), _QUOTA, _WITH_PURCHASES
    ),
    "benchmarks/taobao/dssm_taobao": _dssm("dssm", "taobao/dssm", **_QUOTA),
    "benchmarks/taobao/mmoe": _rank(
        "taobao/mmoe", _mmoe(6, 10000, **_IN_SPACE), _QUOTA, _WITH_PURCHASES
    ),
    "benchmarks/taobao/mmoe_has_sequence": _rank(
        "taobao/mmoe_has_sequence", _mmoe(6, 10000, _DIN), _QUOTA, _WITH_PURCHASES, clicks=True
    ),
    "benchmarks/taobao/ple": _rank(
        "taobao/ple", _ple(_FEWER_LAYERS, 10000), _ENCODED, _WITH_PURCHASES
    ),
    "benchmarks/taobao/ple_has_sequence": _rank(
        "taobao/ple_has_sequence",
        _ple(_FEWER_LAYERS, 10000, _DIN),
        _ENCODED,
        _WITH_PURCHASES,
        clicks=True,
    ),
}
