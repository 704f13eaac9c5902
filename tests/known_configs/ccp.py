"""Configs of Ali-CCP: clicks and conversions, with weighted ids of what users like."""

from __future__ import annotations

from typing import Any

from tests.known_configs.blocks import Block, Word
from tests.known_configs.parts import feature, group, mlp, pipeline, task

# Rows and size of an embedding.
_IDS = {
    "user_uid": (1474415, 16),
    "user_class1_id": (490, 8),
    "user_class2_id": (70, 8),
    "user_sex_id": (15, 8),
    "user_age_id": (40, 8),
    "user_cost_level1": (20, 8),
    "user_cost_level2": (20, 8),
    "user_iswork": (15, 8),
    "user_loc_id": (25, 8),
    "item_id": (15843340, 16),
    "item_shopid": (3051905, 16),
    "item_brandid": (1049955, 16),
    "item_cateid": (43010, 12),
    "c_context": (15, 8),
}
_SCORES = [f"cross_{of}_score" for of in ("shopid", "brand", "user", "cateid")]
_WEIGHTED = {
    "user_shop": (5000, 16),
    "user_brand": (5000, 16),
    "user_intent": (1000, 12),
    "user_cate": (500, 12),
    "item_user_intentid": (1000, 12),
    "cross_user_shop_item_shopid": (5000, 16),
    "cross_user_brand_item_brandid": (5000, 16),
    "cross_user_intent_item_user_intentid": (1000, 12),
    "cross_user_cate_item_cateid": (500, 12),
}
_ALL = group("all", [*_IDS, *_SCORES, *_WEIGHTED])
_LABELS = ("click_label", "conversion_label")


def _features() -> Any:
    for name, (rows, dim) in _IDS.items():
        side = "user" if name.startswith("user") else "item"
        expression = f"{side}:{name}"
        yield feature("id_feature", name, dim, expression=expression, hash_bucket_size=rows)
    for name in _SCORES:
        yield feature("raw_feature", name, expression=f"user:{name}")
    for name, (rows, dim) in _WEIGHTED.items():
        expression = f"user:{name}"
        yield feature(
            "id_feature", name, dim, expression=expression, hash_bucket_size=rows, weighted=True
        )


def _config(name: str, model: Block) -> Block:
    data = {
        "dataset_type": Word("OdpsDataset"),
        "fg_mode": Word("FG_DAG"),
        "label_fields": list(_LABELS),
        "odps_data_quota_name": "",
    }
    paths = ("odps://{PROJECT}/tables/aliccp_train", "odps://{PROJECT}/tables/aliccp_test")
    return pipeline(
        f"ccp/{name}", data, _features(), {"feature_groups": _ALL, **model}, paths=paths
    )


def _dropped(*units: int) -> Block:
    return mlp(*units, dropout_ratio=[0.1] * len(units))


def _tasks(click: Block, conversion: Block, tower: Block, other: Block) -> list[Block]:
    return [
        task("ctr", _LABELS[0], tower, **click),
        task("cvr", _LABELS[1], other, 10000, **conversion),
    ]


_TOWER, _SMALL = _dropped(256, 128, 64), _dropped(128, 64)

CCP = {
    "benchmarks/taobao_ccp/dbmtl": _config(
        "dbmtl",
        {
            "dbmtl": {
                "bottom_mlp": mlp(512),
                "task_towers": _tasks(
                    {},
                    {"relation_tower_names": "ctr", "relation_mlp": _TOWER, "weight": 10},
                    _TOWER,
                    _TOWER,
                ),
            }
        },
    ),
    "benchmarks/taobao_ccp/mmoe": _config(
        "mmoe",
        {
            "mmoe": {
                "expert_mlp": _SMALL,
                "num_expert": 3,
                "task_towers": _tasks({"weight": 24.73}, {"weight": 2402.35}, _SMALL, _SMALL),
            }
        },
    ),
    "benchmarks/taobao_ccp/ple": _config(
        "ple",
        {
            "ple": {
                "extraction_networks": [
                    {
                        "network_name": f"layer{number}",
                        "expert_num_per_task": experts,
                        "share_num": experts,
                        "task_expert_net": net,
                        "share_expert_net": net,
                    }
                    for number, experts, net in ((1, 2, _TOWER), (2, 1, _SMALL))
                ],
                "task_towers": _tasks({}, {"weight": 10}, _TOWER, _SMALL),
            }
        },
    ),
}
