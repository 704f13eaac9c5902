"""Configs of MultiTowerDIN on small raw data, with each kind of feature."""

from __future__ import annotations

from typing import Any

from tests.known_configs.blocks import Block, Word
from tests.known_configs.mock import BOUNDARIES
from tests.known_configs.parts import AUC, BCE, SEQUENCE, feature, group, mlp, pipeline

_AUTODIS: Block = {"autodis": {"num_channels": 3, "temperature": 0.1, "keep_prob": 0.8}}
_SHARED = "id_4_emb"
_BUCKETS: Block = {"boundaries": BOUNDARIES}


def _id(name: str, dim: int = 16, side: str = "user", **fields: Any) -> Block:
    return feature("id_feature", name, dim, expression=f"{side}:{name}", **fields)


def _raw(name: str, dim: int | None = None, side: str = "user", **fields: Any) -> Block:
    return feature("raw_feature", name, dim, **{"expression": f"{side}:{name}", **fields})


def _lookup(number: int, dim: int | None = None, *, of: int = 0, **fields: Any) -> Block:
    """Returns a lookup of `item:id_2` in the map of its number, or in the map `of`."""
    name = f"user:map_{of or number}"
    fields = {"map": name, "key": "item:id_2", **fields}
    return feature("lookup_feature", f"lookup_{number}", dim, **fields)


def _match(number: int, dim: int | None = None, **fields: Any) -> Block:
    keys = {"pkey": "item:id_2", "skey": "item:id_3"}
    fields = {"nested_map": f"user:nested_map_{number}", **keys, **fields}
    return feature("match_feature", f"match_{number}", dim, **fields)


_LISTED: Block = {"vocab_list": ["e", "f", "g"]}
_LOOKUPS = [
    _lookup(1),
    _lookup(2, 8, hash_bucket_size=10000),
    _lookup(3, 8, num_buckets=1000),
    _lookup(4, 16, **_LISTED),
]
_OF_BUCKET = _lookup(5, 16, key="feature:raw_6_id", **_LISTED)
_BY_MLP = _lookup(6, 8, of=1, mlp={})
_OF_NUMBER = _lookup(7, 16, of=5, key="feature:raw_7", **_LISTED)
_MATCHES = [
    _match(1),
    _match(2, 16, hash_bucket_size=100000),
    _match(3, 8, num_buckets=10000),
    _match(4, 16, **_LISTED),
]
_COMBO = feature(
    "combo_feature",
    "combo_1",
    16,
    expression=["user:id_1", "item:id_2"],
    hash_bucket_size=1000000,
)
_SUM = feature(
    "expr_feature", "expr_1", expression="raw_1 + raw_2", variables=["item:raw_1", "item:raw_2"]
)
_DISTANCE = feature(
    "custom_feature",
    "custom_1",
    16,
    operator_name="EditDistance",
    operator_lib_file="pyfg/lib/libedit_distance.so",
    expression=["user:query", "item:title"],
    operator_params={"fields": {"key": "encoding", "value": {"string_value": "utf-8"}}},
    **_AUTODIS,
)
_DENSE = [
    _raw("raw_7", 16, **_AUTODIS),
    _raw("raw_8", 12, **_AUTODIS),
    _raw("raw_9", 16, mlp={}),
]
_LFU: Block = {"zch": {"zch_size": 1000000, "eviction_interval": 2, "lfu": {}}}
_LRU: Block = {"zch": {"zch_size": 10000, "eviction_interval": 2, "lru": {}}}
_USERS: Block = {"hash_bucket_size": 1000000}
_ITEMS: Block = {"num_buckets": 10000}


def _numbers(side: str) -> list[Block]:
    """Returns raw_1 to raw_6_id; raw_3 is of the side."""
    return [
        _raw("raw_1", 16, "item", **_BUCKETS),
        _raw("raw_2", side="item"),
        _raw("raw_3", side=side, value_dim=4),
        _raw("raw_4", 16, value_dim=4, **_BUCKETS),
        _raw("raw_5"),
        _raw("raw_6_id", 16, expression="item:raw_6", **_BUCKETS),
    ]


def _click_sequence(item: Block, listed: Block, *, wide: bool) -> Block:
    features = [
        _id("item_id", side="item", **item),
        _id("id_3", 8, "item", vocab_list=["a", "b", "c"], **listed),
        _raw("raw_1", 16, "item", **_BUCKETS),
        _raw("raw_2", side="item"),
    ]
    if wide:
        features.append(_raw("raw_3", side="item", value_dim=4))
    return _sequence(features)


def _sequence(features: list[Block]) -> Block:
    head = {"sequence_name": "click_50_seq", "sequence_length": 50, "sequence_delim": "|"}
    return {"sequence_feature": {**head, "features": features}}


def _bought(name: str, dim: int | None = None, **fields: Any) -> Block:
    kind = "sequence_raw_feature" if dim is None else "sequence_id_feature"
    head = {"sequence_length": 50, "sequence_delim": "|", "expression": f"item:{name}"}
    return feature(kind, name, dim, **head, **fields)


def _names(features: list[Block]) -> list[str]:
    """Returns the names of the features that are no sequences."""
    blocks = [(kind, block) for one in features for kind, block in one.items()]
    return [block["feature_name"] for kind, block in blocks if "sequence" not in kind]


def _config(
    name: str,
    features: list[Block],
    *,
    left_out: tuple[str, ...] = ("raw_6_id",),
    wide: bool = False,
    weighted: bool = False,
    attention: Block | None = None,
    kind: str = "multi_tower_din",
    data: Block | None = None,
    **more: Any,
) -> Block:
    """Returns a MultiTowerDIN of a tower and two sequences, of clicks and of purchases."""
    query = ["item_id", "id_3", "raw_1", "raw_2", *(["raw_3"] if wide else [])]
    bought = ["user_id", *(["id_6"] if weighted else []), "raw_5"]
    groups = [
        group("deep", [name for name in _names(features) if name not in left_out]),
        group("seq", [*query, *(f"click_50_seq__{name}" for name in query)], SEQUENCE),
        group("seq_item", [*bought, *(f"buy_50_{name}_seq" for name in bought)], SEQUENCE),
    ]
    model = {
        "towers": {"input": "deep", "mlp": mlp(512, 256, 128)},
        "din_towers": [
            {"input": "seq", "attn_mlp": attention or mlp(256, 64)},
            {"input": "seq_item", "attn_mlp": mlp(256, 64)},
        ],
        "final": mlp(64),
    }
    data = {
        "dataset_type": Word("ParquetDataset"),
        "label_fields": "clk",
        **(data or {"fg_mode": Word("FG_DAG")}),
    }
    whole = {"feature_groups": groups, kind: model, **AUC, **BCE}
    return pipeline(name, data, features, whole, **more)


def _first(user: Block, item: Block, *, dense: bool, bucket: bool = True) -> list[Block]:
    """Returns the features of the configs of the first kind, without weights and lists."""
    numbers = _numbers("user")
    return [
        _id("user_id", **user),
        _id("item_id", side="item", **item),
        _id("id_3", 8, "item", vocab_list=["a", "b", "c"]),
        *(
            _id(name, side="item", hash_bucket_size=100, embedding_name=_SHARED)
            for name in ("id_4", "id_5")
        ),
        *(numbers if bucket else numbers[:-1]),
        *(_DENSE if dense else []),
        _COMBO,
        *_LOOKUPS,
        *([_OF_BUCKET] if bucket else []),
        *([_BY_MLP] if dense else []),
        *_MATCHES,
        _SUM,
        _click_sequence(item, {}, wide=False),
        _bought("buy_50_user_id_seq", 16, **(user if "zch" in user else {"num_buckets": 1000000})),
        _bought("buy_50_raw_5_seq"),
    ]


_WEIGHTED = _id("id_7", hash_bucket_size=100, weighted=True)


def _with_weights(features: list[Block]) -> list[Block]:
    return [*features[:5], _WEIGHTED, *features[5:]]


def _halved(features: list[Block]) -> list[Block]:
    """Returns the features with their tables in FP16, but those that are dense there."""
    kept = ("raw_6_id", "raw_7", "raw_8", "raw_9", "lookup_6", "custom_1")

    def halve(one: Block) -> Block:
        ((kind, block),) = one.items()
        if kind == "sequence_feature":
            inner = [each if "raw_feature" in each else halve(each) for each in block["features"]]
            return {kind: {**block, "features": inner}}
        has_table = "embedding_dim" in block and block["feature_name"] not in kept
        return {kind: {**block, "data_type": "FP16"}} if has_table else one

    return [halve(one) for one in features]


def _second(
    user: Block | None = None, sixth: Block | None = None, more: list[Block] | None = None
) -> list[Block]:
    """Returns the features of the configs of the second kind, with all there is."""
    any_number: Block = {"value_dim": 0}
    vocabulary = {"vocab_file": "data/test/id_vocab_list_1", "default_bucketize_value": 1}
    return [
        _id("user_id", **(user or _USERS)),
        _id("item_id", side="item", **_ITEMS),
        _id("id_3", 8, "item", vocab_list=["a", "b", "c"], **any_number),
        *(
            _id(
                name,
                side="item",
                hash_bucket_size=100,
                embedding_name=_SHARED,
                pooling="mean",
                **any_number,
            )
            for name in ("id_4", "id_5")
        ),
        _id("id_6", hash_bucket_size=100, **(sixth or {})),
        _id("id_7", **vocabulary),
        *(more or []),
        *_numbers("item"),
        *_DENSE,
        _COMBO,
        *_LOOKUPS,
        _OF_BUCKET,
        _BY_MLP,
        _OF_NUMBER,
        *_MATCHES,
        _SUM,
        _DISTANCE,
        _click_sequence(_ITEMS, any_number, wide=True),
        _bought("buy_50_user_id_seq", 16, num_buckets=1000000),
        _bought("buy_50_id_6_seq", 16, hash_bucket_size=100, **any_number),
        _bought("buy_50_raw_5_seq"),
    ]


def _capacity(size: int, **more: Any) -> Block:
    normal = {"mode": "NORMAL", "std_dev": 0.05}
    head = {"max_capacity": size, "initializer_args": normal, "score_strategy": "STEP"}
    return {"dynamicemb": {**head, "init_capacity_per_rank": 16384, **more}}


_FREQUENT: Block = {"frequency_admission_strategy": {"threshold": 5}}
_PROBABLE: Block = {"probabilistic_admission_strategy": {"probability": 0.5}}
_STARTED: Block = {"adagrad_optimizer": {"lr": 0.001, "initial_accumulator_value": 0.1}}
_CLIPPED: Block = {
    "adagrad_optimizer": {"lr": 0.001, "gradient_clipping": True, "max_gradient": 1.0}
}


def _whole(name: str, features: list[Block] | None = None, **more: Any) -> Block:
    return _config(name, features or _second(), wide=True, weighted=True, **more)


def _growing() -> Block:
    more = [
        _id("id_8", **_capacity(100000, **_PROBABLE)),
        # Of no group, and so without an embedding.
        feature("id_feature", "id_9", expression="user:id_9", num_buckets=100),
    ]
    features = _second(
        _capacity(1000000, **_FREQUENT), {"weighted": True, "use_weight": True}, more
    )
    name = "multi_tower_din_fg_dynamicemb_mock"
    return _whole(name, features, left_out=("raw_6_id", "id_9"), sparse=_STARTED)


def _of_rtp() -> Block:
    """Returns the config whose sequences are named for another system of serving."""
    item = {**_ITEMS, "embedding_name": "item_id_seq_emb"}
    bucket = {**_BUCKETS, "embedding_name": "raw_1_seq_emb"}
    kept = {"raw_1", "raw_2", "raw_3", "raw_4", "raw_5", "raw_7", "raw_8", "raw_9", "combo_1"}
    kept |= {"lookup_1", "lookup_2", "lookup_3", "lookup_6", "match_1", "match_2", "match_3"}
    kept |= {"id_4", "id_5", "id_6", "raw_6_id"}
    plain = [one for one in _second() if kept & set(_names([one]))]
    features = [
        _id("user_id", **_capacity(1000000)),
        _id("item_id", side="item", **_ITEMS),
        feature("id_feature", "item_id_seq", 16, expression="item:item_id", **item),
        _id("id_8", **_capacity(100000)),
        feature("raw_feature", "raw_1_seq", 16, expression="item:raw_1", **bucket),
        *plain,
        _sequence(
            [
                _id("item_id", side="item", **item),
                _raw("raw_1", 16, "item", **bucket),
                _raw("raw_2", side="item"),
                _raw("raw_3", side="item", value_dim=4),
            ]
        ),
    ]
    left_out = ("item_id_seq", "raw_1_seq", "id_6", "raw_6_id")
    config = _config("multi_tower_din_fg_rtp_mock", features, left_out=left_out)
    query = ["item_id", "raw_1", "raw_2", "raw_3"]
    sequence = [*["item_id_seq", "raw_1_seq", "raw_2", "raw_3"]]
    sequence += [f"click_50_seq_{name}" for name in query]
    model = config["model_config"]
    model["feature_groups"] = [model["feature_groups"][0], group("seq", sequence, SEQUENCE)]
    model["multi_tower_din"]["din_towers"].pop()
    return config


_LATER: Block = {"fg_encoded": False}
_CLIP: Block = {"grad_clipping": {"clipping_type": "norm", "max_gradient": 1.0, "norm_type": 2.0}}
_WAYS: Block = {"global_embedding_constraints": {"sharding_types": ["table_wise", "row_wise"]}}

MOCK_RAW = {
    "tests/multi_tower_din_fg_mock": _config(
        "multi_tower_din_fg_mock", _first(_USERS, _ITEMS, dense=True)
    ),
    "tests/multi_tower_din_fg_mock_adagrad_init_acc": _whole(
        "multi_tower_din_fg_mock_adagrad_init_acc", sparse=_STARTED, train=_WAYS
    ),
    "tests/multi_tower_din_fg_mock_bf16_emb_fp16": _whole(
        "multi_tower_din_fg_mock_bf16_emb_fp16",
        _halved(_second()),
        train={"mixed_precision": "BF16"},
    ),
    "tests/multi_tower_din_fg_mock_fp16_ga": _whole(
        "multi_tower_din_fg_mock_fp16_ga",
        train={"mixed_precision": "FP16", "grad_scaler": {}, "gradient_accumulation_steps": 4},
    ),
    "tests/multi_tower_din_fg_mock_gradient_clipping": _whole(
        "multi_tower_din_fg_mock_gradient_clipping", sparse=_CLIPPED, train=_CLIP
    ),
    "tests/multi_tower_din_fg_dynamicemb_mock": _growing(),
    "tests/multi_tower_din_fg_rtp_mock": _of_rtp(),
    "tests/multi_tower_din_trt_fg_mock": _config(
        "multi_tower_din_trt_fg_mock", _first(_USERS, _ITEMS, dense=False, bucket=False)
    ),
    "tests/multi_tower_din_zch_fg_mock": _config(
        "multi_tower_din_zch_fg_mock",
        _with_weights(_first(_LFU, _LRU, dense=False)),
        attention=mlp(256, 64, activation="Dice"),
    ),
    "tests/multi_tower_din_zch_fg_mock_nodice": _config(
        "multi_tower_din_zch_fg_mock_nodice",
        _with_weights(_first({**_LFU, "pooling": "mean"}, _LRU, dense=False)),
    ),
    "tests/multi_tower_din_zch_trt_fg_mock": _config(
        "multi_tower_din_zch_trt_fg_mock",
        _first(_LFU, _LRU, dense=False),
        kind="multi_tower_din_trt",
        data=_LATER,
    ),
}
