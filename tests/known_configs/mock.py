"""Configs of small encoded data: multi-task models and MultiTowerDIN on made sequences."""

from __future__ import annotations

from typing import Any

from tests.known_configs.blocks import Block, Word
from tests.known_configs.parts import AUC, BCE, SEQUENCE, feature, group, mlp, pipeline, task

BOUNDARIES = [0.1, 0.2, 0.3, 0.4]
_SIZES = {
    "id_1": (1000000, 16),
    "id_2": (10000, 16),
    "id_3": (1000, 8),
    "id_4": (100, 16),
    "id_5": (100, 16),
}
_ALL = [*_SIZES, "raw_1", "raw_2", "raw_3"]
_QUERY = ["id_2", "id_3", "raw_1", "raw_2"]


def _id(name: str, **fields: Any) -> Block:
    rows, dim = _SIZES[name]
    return feature("id_feature", name, dim, num_buckets=rows, **fields)


def _bucket(**fields: Any) -> Block:
    return feature("raw_feature", "raw_1", 16, boundaries=BOUNDARIES, **fields)


def _features(names: list[str], *, frozen: bool = False) -> list[Block]:
    kept = {"trainable": False} if frozen else {}
    known = {
        "id_1": _id("id_1", **kept),
        "id_2": _id("id_2"),
        "id_3": _id("id_3"),
        "id_4": _id("id_4", embedding_name="id_4_emb"),
        "id_5": _id("id_5", embedding_name="id_4_emb"),
        "raw_1": _bucket(**kept),
        "raw_2": feature("raw_feature", "raw_2"),
        "raw_3": feature("raw_feature", "raw_3", value_dim=4),
    }
    return [known[name] for name in names]


def _sequence(name: str, features: list[Block]) -> Block:
    head = {"sequence_name": name, "sequence_length": 50, "sequence_delim": "|"}
    return {"sequence_feature": {**head, "features": features}}


def _data(labels: list[str], **more: Any) -> Block:
    return {"dataset_type": Word("ParquetDataset"), "label_fields": labels, **more}


def _dbmtl(name: str, model: Block, *, data: Block | None = None, **tower: Any) -> Block:
    """Returns a DBMTL with two sequences beside the other features of one group."""
    sequences = ("click_50_seq", "buy_50_seq")
    of_groups = [
        {"group_name": seq, "feature_names": [*_QUERY, *(f"{seq}__{name}" for name in _QUERY)]}
        for seq in sequences
    ]
    encoders = [{"din_encoder": {"input": seq, "attn_mlp": mlp(32, 8)}} for seq in sequences]
    deep = group("deep", _ALL, sequence_groups=of_groups, sequence_encoders=encoders)
    relation = {"relation_tower_names": "ctr", "relation_mlp": mlp(64)}
    own = tower.pop("cvr", {})
    towers = [
        task("ctr", "clk", mlp(256, 128, 64), **tower),
        task("cvr", "buy", mlp(256, 128, 64), 10000, **tower, **own, **relation),
    ]
    return pipeline(
        name,
        _data(["clk", "buy"], **(data or {})),
        [*_features(_ALL), *(_sequence(seq, _features(_QUERY)) for seq in sequences)],
        {
            "feature_groups": deep,
            **model,
            "dbmtl": {"bottom_mlp": mlp(512), "task_towers": towers},
        },
    )


def _din(
    name: str,
    features: list[Block],
    deep: list[str],
    query: list[str],
    *,
    towers: tuple[Block, Block, Block] = (mlp(512, 256, 128), mlp(256, 64), mlp(64)),
    model: Block | None = None,
    **more: Any,
) -> Block:
    """Returns a MultiTowerDIN of one tower, one sequence and a final MLP."""
    sequence = [*query, *(f"click_50_seq__{name}" for name in query)]
    tower, attention, final = towers
    din = {
        "towers": {"input": "deep", "mlp": tower},
        "din_towers": {"input": "seq", "attn_mlp": attention},
        "final": final,
    }
    groups = [group("deep", deep), group("seq", sequence, SEQUENCE)]
    model = {"feature_groups": groups, "multi_tower_din": din, **AUC, **(model or {}), **BCE}
    return pipeline(name, _data(["clk"]), features, model, **more)


_BY_ID: Block = {"metrics": [{"auc": {}}, {"grouped_auc": {"grouping_key": "id_1"}}]}
_EACH_STEP: Block = {"train_metrics": {"auc": {}, "decay_step": 1}}
_FTRL: Block = {
    "ftrl_optimizer": {
        "lr": 0.01,
        "learning_rate_power": -0.5,
        "ftrl_beta": 1.0,
        "l1_reg": 0.001,
        "l2_reg": 0.001,
        "initial_accumulator_value": 0.1,
    }
}
_SUMMARIES: Block = {
    "summaries_set": [
        {"pcoc": {"pred_name": "probs", "label_name": "clk", "epsilon": 1e-7}},
        {
            "scalars": {
                "name": "id_1_bucket_pred",
                "pred_name": "probs",
                "feature_name": "id_1",
                "feature_value": "1005",
            }
        },
    ]
}


def _plain(name: str, *, frozen: bool = False, **more: Any) -> Block:
    sequence = _sequence("click_50_seq", _features(_QUERY, frozen=frozen))
    return _din(name, [*_features(_ALL, frozen=frozen), sequence], _ALL, _QUERY, **more)


def _growing(name: str, capacity: int, score: str, **more: Any) -> Block:
    dim = 8 if name == "id_3" else 16
    emb = {"max_capacity": capacity, "score_strategy": score, **more}
    shared = "id_4_emb" if name in ("id_4", "id_5") else None
    return feature("id_feature", name, dim, embedding_name=shared, dynamicemb=emb)


_SECOND = _growing("id_2", 65536, "STEP", frequency_admission_strategy={"threshold": 2})
_THIRD = _growing("id_3", 32768, "LFU")
_KEPT = {"init_capacity_per_rank": 8192}


def _growing_ftrl() -> Block:
    names = [name for name in _ALL if name != "raw_1"]
    query = [name for name in _QUERY if name != "raw_1"]
    number = feature("raw_feature", "raw_2")
    features = [
        _growing("id_1", 200000, "TIMESTAMP", init_capacity_per_rank=16384),
        _SECOND,
        _THIRD,
        *(_growing(name, 20480, "NO_EVICTION", **_KEPT) for name in ("id_4", "id_5")),
        number,
        feature("raw_feature", "raw_3", value_dim=4),
        _sequence("click_50_seq", [_SECOND, _THIRD, number]),
    ]
    return _din(
        "multi_tower_din_dynamicemb_ftrl_mock",
        features,
        names,
        query,
        sparse=_FTRL,
        model=_EACH_STEP,
    )


def _converted(part: str, first: Block, second: Block) -> Block:
    names = ["id_1", "id_2", "id_3", "raw_1", "raw_2"]
    features = [
        feature("id_feature", "id_1", 16, **first),
        feature("id_feature", "id_2", 16, **second),
        *_features(["id_3", "raw_1", "raw_2"]),
        _sequence("click_50_seq", _features(["id_3", "raw_1"])),
    ]
    name = f"zch_to_dynamicemb_convert_{part}"
    towers = (mlp(128, 64), mlp(64), mlp(32))
    return _din(name, features, names, ["id_3", "raw_1"], towers=towers)


def _capacity(size: int, score: str) -> Block:
    emb = {"max_capacity": size, "score_strategy": score, "init_capacity_per_rank": 16384}
    return {"dynamicemb": emb}


MOCK = {
    "tests/dbmtl_has_sequence_mock": _dbmtl("dbmtl_has_sequence_mock", {}, cvr=_EACH_STEP)
    | {"model_dir": "experiments/dbmtl_has_sequence_mock"},
    "tests/dbmtl_has_sequence_mock_focal_loss": _dbmtl(
        "dbmtl_has_sequence_mock_focal_loss",
        {},
        losses={"binary_focal_loss": {"alpha": 0.5, "gamma": 2.0}},
    ),
    "tests/dbmtl_has_sequence_variational_dropout_mock": _dbmtl(
        "dbmtl_has_sequence_vdo_mock", {"variational_dropout": {}}, data={"fg_encoded": True}
    ),
    "tests/multi_tower_din_mock": _plain(
        "multi_tower_din_mock", model={**_BY_ID, **_EACH_STEP, **_SUMMARIES}
    ),
    "tests/multi_tower_din_mock_frozen": _plain(
        "multi_tower_din_mock_frozen", frozen=True, model=_BY_ID
    ),
    "tests/multi_tower_din_ftrl_mock": _plain(
        "multi_tower_din_ftrl_mock", sparse=_FTRL, model={**_BY_ID, **_EACH_STEP}
    ),
    "tests/multi_tower_din_dynamicemb_ftrl_mock": _growing_ftrl(),
    "tests/zch_to_dynamicemb_convert_src": _converted(
        "src",
        {"zch": {"zch_size": 100000, "lfu": {}}},
        {"zch": {"zch_size": 10000, "lru": {}}},
    ),
    "tests/zch_to_dynamicemb_convert_tgt": _converted(
        "tgt", _capacity(100000, "LFU"), _capacity(10000, "STEP")
    ),
}
