"""Configs of retrieval on small made data: users, items, and items that nobody clicked."""

from __future__ import annotations

from typing import Any

from tests.known_configs.blocks import Block, Twice, Word
from tests.known_configs.mock import BOUNDARIES
from tests.known_configs.parts import RECALLS, SEQUENCE, feature, group, match_tower, mlp, pipeline

_USERS = [f"user_{name}" for name in ("id", "id_1", "id_2", "id_3", "id_4")]
_USERS += [f"user_raw_{number}" for number in (1, 2, 3)]
_ITEMS = ["item_id", "item_id_1", "item_id_2", "item_raw_1", "item_raw_2", "item_raw_3"]
_NUMBER = ("user_raw_2", "item_raw_2")
_WIDE = ("user_raw_3", "item_raw_3")


def _feature(name: str, raw: bool, more: Block) -> Block:
    fields = {"expression": f"{name[:4]}:{name}", **more} if raw else more
    if name in _NUMBER:
        return feature("raw_feature", name, **fields)
    if name in _WIDE:
        return feature("raw_feature", name, value_dim=4, **fields)
    if name.endswith("raw_1"):
        return feature("raw_feature", name, 16, boundaries=BOUNDARIES, **fields)
    dim = 8 if name.endswith("id_2") else 16
    sizes: dict[str, Block] = {
        "user_id": {"hash_bucket_size": 1000000} if raw else {"num_buckets": 1000000},
        "item_id": {"num_buckets": 1000000},
        "user_id_1": {"num_buckets": 10000},
        "item_id_1": {"num_buckets": 10000},
        "user_id_2": {"vocab_list": ["a", "b", "c"]} if raw else {"num_buckets": 1000},
        "item_id_2": {"num_buckets": 1000},
        "user_id_3": {"num_buckets": 100, "embedding_name": "user_id_3_emb"},
        "user_id_4": {"num_buckets": 100, "embedding_name": "user_id_3_emb"},
    }
    return feature("id_feature", name, dim, **{**sizes[name], **fields})


def _features(raw: bool, more: dict[str, Block] | None = None) -> list[Block]:
    return [_feature(name, raw, (more or {}).get(name, {})) for name in [*_USERS, *_ITEMS]]


_TITLE = feature(
    "tokenize_feature",
    "item_title",
    8,
    expression="item:title",
    vocab_file="./data/test/tokenizer.json",
    text_normalizer={},
)


def _sampler(fields: list[str]) -> Block:
    return {
        "negative_sampler": {
            "input_path": "odps://{PROJECT}/tables/taobao_ad_feature_gl_bucketized_v1",
            "num_sample": 1024,
            "attr_fields": fields,
            "item_id_field": "item_id",
            "attr_delimiter": "\x02",
        }
    }


def _hard_sampler(fields: list[str]) -> Block:
    inner = {**_sampler(fields)["negative_sampler"], "user_id_field": "user_id"}
    del inner["input_path"]
    paths = {f"{name}_input_path": "" for name in ("user", "item", "hard_neg_edge")}
    return {"hard_negative_sampler": {**paths, **inner}}


def _data(sampler: Block, **more: Any) -> Block:
    return {"dataset_type": Word("ParquetDataset"), "label_fields": "clk", **more, **sampler}


_TOWERS: Block = {
    "user_tower": match_tower("user", mlp(512, 256, 128)),
    "item_tower": match_tower("item", mlp(512, 256, 128)),
    "output_dim": 64,
}


def _match(
    name: str, kind: str, data: Block, features: list[Block], groups: Any, **more: Any
) -> Block:
    model = {"feature_groups": list(groups), **more, kind: _TOWERS, **RECALLS}
    return pipeline(name, data, features, model, train={"num_epochs": 8})


def _encoded(name: str, data: Block, **more: Any) -> Block:
    groups = [group("user", _USERS), group("item", _ITEMS)]
    return _match(
        name, "dssm", _data(_sampler(_ITEMS), **data), _features(raw=False), groups, **more
    )


_CLICKED = ["item_id", "item_id_1", "item_raw_1", "item_raw_2"]


def _sequence(names: list[str], delim: str = "|", **more: Block) -> Block:
    head = {"sequence_name": "click_50_seq", "sequence_length": 50, "sequence_delim": delim}
    features = [_feature(name, True, more.get(name, {})) for name in names]
    return {"sequence_feature": {**head, "features": features}}


_POOLED: Block = {
    "sequence_groups": {
        "group_name": "click_50_seq",
        "feature_names": [f"click_50_seq__{name}" for name in _CLICKED],
    },
    "sequence_encoders": {"pooling_encoder": {"input": "click_50_seq", "pooling_type": "mean"}},
}


def _raw(
    name: str,
    kind: str,
    data: Block,
    sequence: Block,
    *,
    pooled: bool,
    more: dict[str, Block] | None = None,
) -> Block:
    features = [*_features(raw=True, more=more), sequence, _TITLE]
    groups = [
        group("user", _USERS, **(_POOLED if pooled else {})),
        group("item", [*_ITEMS, "item_title"]),
    ]
    return _match(name, kind, data, features, groups)


_WITH_TITLE = [*_ITEMS, "title"]
_DAG: Block = {"fg_mode": Word("FG_DAG")}
_BY_MLP: Block = {"mlp": {}}
_DENSE: dict[str, Block] = dict.fromkeys(
    ("user_raw_1", "user_raw_2", "user_raw_3", "item_raw_2", "item_raw_3"), _BY_MLP
)
_OF_ITEM: Block = {"embedding_name": "item_id"}
_SHARING = _sequence(_CLICKED, item_id=_OF_ITEM, item_id_1={"embedding_name": "item_id_1"})


def _dat() -> Block:
    towers: Block = {
        "user_tower": match_tower("user", mlp(512, 256, 128), augment_input="user_augment"),
        "item_tower": match_tower("item", mlp(512, 256, 128), augment_input="item_augment"),
        "output_dim": 16,
        "amm_i_weight": 0.5,
        "amm_u_weight": 0.5,
        "temperature": 0.1,
        "similarity": Word("COSINE"),
    }
    groups = [
        group("user", _USERS),
        group("item", _ITEMS),
        group("user_augment", ["user_id"]),
        group("item_augment", ["item_id"]),
    ]
    model = {"feature_groups": groups, "dat": towers, **RECALLS}
    data = _data(_sampler(_ITEMS))
    return pipeline("dat_mock", data, _features(raw=False), model, train={"num_epochs": 8})


def _mind() -> Block:
    normed = mlp(256, 128, use_bn=True)
    capsules = {
        "max_k": 5,
        "max_seq_len": 64,
        "high_dim": 64,
        "squash_pow": 0.2,
        "const_caps_num": False,
    }
    model = {
        "user_tower": {
            "input": "user",
            "history_input": "hist",
            "user_mlp": normed,
            "hist_seq_mlp": normed,
            "capsule_config": capsules,
            "concat_mlp": normed,
        },
        "item_tower": match_tower("item", normed),
        "simi_pow": 20,
        "in_batch_negative": False,
    }
    sizes = {"id_1": 1000000, "id_2": 10000, "id_3": 1000, "id_4": 100, "id_5": 100}
    users = [
        feature(
            "id_feature",
            name,
            8 if name == "id_3" else 16,
            num_buckets=size,
            embedding_name=f"{name}_emb" if size == 100 else None,
        )
        for name, size in sizes.items()
    ]
    items = ["item_id", "item_id_1", "item_id_2"]
    head = {"sequence_name": "click_50_seq", "sequence_length": 50, "sequence_delim": "|"}
    features = [
        *users,
        *(feature("id_feature", name, 16, num_buckets=100) for name in items),
        {"sequence_feature": {**head, "features": users[1:3]}},
    ]
    groups = [
        group("user", list(sizes)),
        group("item", items),
        group("hist", ["click_50_seq__id_2", "click_50_seq__id_3"], SEQUENCE),
    ]
    sampler = _sampler(items)
    # As it is there.
    sampler["negative_sampler"]["attr_delimiter"] = Twice(["\x02", "\x02"])
    whole = {"feature_groups": groups, "mind": model, "losses": RECALLS["losses"]}
    return pipeline("mind_mock", _data(sampler), features, whole, train={"num_epochs": 2})


MOCK_MATCH = {
    "tests/dat_mock": _dat(),
    "tests/dssm_mock": _encoded("dssm_mock", {"fg_encoded": True}),
    "tests/dssm_variational_dropout_mock": _encoded(
        "dssm_variational_dropout_mock", {"fg_encoded": True}, variational_dropout={}
    ),
    "tests/dssm_fg_mock": _raw(
        "dssm_fg_mock",
        "dssm",
        _data(_sampler(_WITH_TITLE), fg_encoded=False),
        _sequence(["item_id"], ",", item_id={"num_buckets": 10000}),
        pooled=False,
    ),
    "tests/dssm_fg_hard_negative_mock": _raw(
        "dssm_fg_hard_negative_mock",
        "dssm",
        _data(_hard_sampler(_WITH_TITLE), **_DAG),
        _sequence(_CLICKED),
        pooled=True,
    ),
    "tests/dssm_v2_fg_mock": _raw(
        "dssm_v2_fg_mock",
        "dssm_v2",
        _data(_sampler(_WITH_TITLE), fg_encoded=False),
        _SHARING,
        pooled=True,
        more={"item_id": _OF_ITEM},
    ),
    "tests/dssm_v2_mlpemb_fg_mock": _raw(
        "dssm_v2_mlpemb_fg_mock",
        "dssm_v2",
        _data(_sampler(_WITH_TITLE), **_DAG, force_base_data_group=True),
        _SHARING,
        pooled=True,
        more={"item_id": _OF_ITEM, **_DENSE},
    ),
    "tests/mind_mock": _mind(),
}
