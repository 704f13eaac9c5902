"""Every model of retrieval goes through a whole run in every precision."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import raymon
from raymon.errors import RunError, UserError
from raymon.serving import search_recall
from raymon.training.predict import predict_rows
from tests.pairwise import pairwise

SEQUENCE = """
feature_configs { sequence_feature { sequence_name: "hist" sequence_length: 6 sequence_delim: ";"
  features { id_feature { feature_name: "item" expression: "item:item" num_buckets: 60
    embedding_dim: 4 } } } }
"""
FEATURES = """
feature_configs { id_feature { feature_name: "user" expression: "user:user"
  num_buckets: 40 embedding_dim: 4 } }
feature_configs { id_feature { feature_name: "tags" expression: "user:tags" separator: "|"
  hash_bucket_size: 20 embedding_dim: 4 embedding_name: "tag" } }
feature_configs { id_feature { feature_name: "item" expression: "item:item"
  num_buckets: 60 embedding_dim: 4 } }
feature_configs { id_feature { feature_name: "kinds" expression: "item:kinds" separator: "|"
  hash_bucket_size: 20 embedding_dim: 4 embedding_name: "tag" } }
feature_configs { raw_feature { feature_name: "price" expression: "item:price" } }
"""
_GROUPS = """
  feature_groups { group_name: "u" feature_names: ["user", "tags"] group_type: DEEP }
  feature_groups { group_name: "i" feature_names: ["item", "kinds", "price"] group_type: DEEP }"""
_TOWERS = """user_tower { input: "u" mlp { hidden_units: [8] LAYERS } }
  item_tower { input: "i" mlp { hidden_units: [8] LAYERS } } output_dim: 4"""
_DAT = _TOWERS.replace('input: "u"', 'input: "u" augment_input: "ua"')
_DAT = _DAT.replace('input: "i"', 'input: "i" augment_input: "ia"')
_AUGMENTED = """
  feature_groups { group_name: "ua" feature_names: "user" group_type: DEEP }
  feature_groups { group_name: "ia" feature_names: "item" group_type: DEEP }"""
_HISTORY = 'feature_groups { group_name: "h" feature_names: "hist__item" group_type: SEQUENCE }'
_MIND = """user_tower { input: "u" history_input: "h" user_mlp { hidden_units: [8, 4] LAYERS }
    hist_seq_mlp { hidden_units: [8, 4] LAYERS }
    capsule_config { max_k: 2 max_seq_len: 4 high_dim: 4 }
    concat_mlp { hidden_units: [8] LAYERS } }
  item_tower { input: "i" mlp { hidden_units: [8] LAYERS } } output_dim: 4 simi_pow: 1"""
MODELS = {
    "dssm": f"{_GROUPS} dssm {{ {_TOWERS} NEGATIVES SIMILARITY }}",
    "dssm_v2": f"{_GROUPS} dssm_v2 {{ {_TOWERS} NEGATIVES SIMILARITY }}",
    "mind": f"{_GROUPS} {_HISTORY} mind {{ {_MIND} NEGATIVES SIMILARITY }}",
    "dat": f"{_GROUPS} {_AUGMENTED} dat {{ {_DAT} NEGATIVES SIMILARITY }}",
}
_ATTRIBUTES = 'num_sample: 20 num_eval_sample: 30 item_id_field: "item" '
_ATTRIBUTES += 'attr_fields: ["item", "kinds", "price"]'
_EDGES = 'item_input_path: "DATA/items.parquet" user_id_field: "user"'
_HARD = 'hard_neg_edge_input_path: "DATA/hard.parquet" num_hard_sample: 2'
_POSITIVE = 'pos_edge_input_path: "DATA/positive.parquet"'
NEGATIVES = {
    "in_batch": ("in_batch_negative: true", ""),
    "sampled": ("", f'negative_sampler {{ input_path: "DATA/items.parquet" {_ATTRIBUTES} }}'),
    "both": (
        "in_batch_negative: true",
        f"negative_sampler_v2 {{ {_EDGES} {_POSITIVE} {_ATTRIBUTES} }}",
    ),
    "hard": ("", f"hard_negative_sampler {{ {_EDGES} {_HARD} {_ATTRIBUTES} }}"),
    "hard_v2": ("", f"hard_negative_sampler_v2 {{ {_EDGES} {_HARD} {_POSITIVE} {_ATTRIBUTES} }}"),
}
SIMILARITY = {
    "inner": "",
    "cosine": "similarity: COSINE temperature: 0.1",
}
WEIGHTS = {"none": "", "one": 'sample_weight_fields: "w"'}
LAYERS = {"plain": "", "bn": "use_bn: true dropout_ratio: 0.1"}
PRECISION = {"float32": "", "bf16": 'mixed_precision: "BF16"', "fp16": 'mixed_precision: "FP16"'}
TABLES = {"replicated": "", "sharded": "embedding_tables: SHARDED"}
FACTORS = {
    "model": list(MODELS),
    "negatives": list(NEGATIVES),
    "similarity": list(SIMILARITY),
    "weights": list(WEIGHTS),
    "layers": list(LAYERS),
    "precision": list(PRECISION),
    "tables": list(TABLES),
    "ends": ["trained", "resumed"],
}
ITEMS = 60


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Users who choose items near their own number."""
    folder = tmp_path_factory.mktemp("chosen")
    rng = np.random.default_rng(5)
    for part, rows in (("train", 2000), ("eval", 300)):
        user = rng.integers(0, 40, rows)
        item = (user + rng.integers(0, 3, rows)) % ITEMS
        table = {
            "user": user, "tags": [f"k{u % 5}|k{u % 3}" for u in user], "item": item,
            "kinds": [f"k{i % 5}" for i in item], "price": (item % 7) / 7,
            "label": np.ones(rows), "w": rng.random(rows),
            "hist__item": [";".join(str((u + k) % ITEMS) for k in range(u % 6)) for u in user],
        }  # fmt: skip
        pq.write_table(pa.table(table), folder / f"{part}.parquet")
    ids, users = np.arange(ITEMS), np.arange(40)
    items = {
        "item": ids, "weight": 1.0 + ids % 3, "kinds": [f"k{i % 5}" for i in ids],
        "price": (ids % 7) / 7,
    }  # fmt: skip
    pq.write_table(pa.table(items), folder / "items.parquet")
    for name, shift in (("positive", 0), ("hard", 20)):
        edges = {"user": users, "item": (users + shift) % ITEMS, "weight": np.ones(40)}
        pq.write_table(pa.table(edges), folder / f"{name}.parquet")
    return folder


def text_of(case: dict[str, str], data: Path, model_dir: Path) -> str:
    model = MODELS[case["model"]].replace("LAYERS", LAYERS[case["layers"]])
    in_batch, sampler = NEGATIVES[case["negatives"]]
    model = model.replace("NEGATIVES", in_batch)
    return f"""
      train_input_path: "{data}/train.parquet" eval_input_path: "{data}/eval.parquet"
      model_dir: "{model_dir}"
      train_config {{ num_steps: 16 log_step_count_steps: 4 save_checkpoints_steps: 8
        {PRECISION[case["precision"]]} use_tensorboard: false
        dense_optimizer {{ adam_optimizer {{ lr: 0.02 }} constant_learning_rate {{}} }}
        {TABLES[case["tables"]]}
        sparse_optimizer {{ adagrad_optimizer {{ lr: 0.2 }} constant_learning_rate {{}} }} }}
      data_config {{ batch_size: 64 num_workers: 0 label_fields: "label" fg_mode: FG_DAG
        {WEIGHTS[case["weights"]]} {sampler.replace("DATA", str(data))} }}
      {FEATURES} {SEQUENCE if case["model"] == "mind" else ""}
      model_config {{ {model.replace("SIMILARITY", SIMILARITY[case["similarity"]])}
        losses {{ softmax_cross_entropy {{}} }} metrics {{ recall_at_k {{ top_k: 5 }} }}
        train_metrics {{ recall_at_k {{ top_k: 5 }} decay_step: 4 }} }}
      ray_config {{ num_workers: 0 }}"""


@pytest.mark.parametrize("case", pairwise(FACTORS), ids=lambda case: "-".join(case.values()))
def test_a_model_of_retrieval_learns_saves_resumes_and_is_evaluated(
    case: dict[str, str], data: Path, tmp_path: Path
) -> None:
    config, run = tmp_path / "run.config", tmp_path / "run"
    config.write_text(text_of(case, data, run))
    summary = raymon.train(config)
    assert np.isfinite([*summary.train_metrics.values(), *summary.eval_metrics.values()]).all()
    lines = (run / "monitor" / "windows.jsonl").read_text().splitlines()
    losses = [json.loads(line)["losses"]["softmax_cross_entropy"] for line in lines]
    assert losses[-1] < losses[0]
    if case["ends"] == "resumed":
        resumed = raymon.train(config, {"train_config.num_steps": 18}, resume=True)
        assert (resumed.status, resumed.steps) == ("done", 18)


@pytest.mark.parametrize("model", MODELS)
def test_towers_on_their_own_make_the_vectors_of_the_model_of_rows_with_less(
    model: str, data: Path, tmp_path: Path
) -> None:
    config, run = tmp_path / "run.config", tmp_path / "run"
    case = {**{name: values[-1] for name, values in FACTORS.items()}, "model": model}
    config.write_text(text_of({**case, "precision": "float32"}, data, run))
    raymon.train(config, {"train_config.num_steps": 8, "export_config.export_at_end": True})
    rows, items = data / "eval.parquet", data / "items.parquet"
    users = pq.read_table(rows, columns=["user", "tags", "item", "hist__item"])
    pq.write_table(users, tmp_path / "users.parquet")
    both, user, item = (tmp_path / f"{name}_emb.parquet" for name in ("both", "user", "item"))
    assert predict_rows(run, str(rows), both) == 300
    export, of_users = run / "export", str(tmp_path / "users.parquet")
    assert predict_rows(export / "user", of_users, user, keep=["item"]) == 300
    assert predict_rows(export / "item", str(items), item, keep=["item"]) == ITEMS
    expected, found = pq.read_table(both), pq.read_table(user)
    vectors = np.stack(found["user_tower_emb"].to_numpy())
    assert np.stack(expected["user_tower_emb"].to_numpy()) == pytest.approx(vectors, abs=1e-5)
    interests = vectors.reshape(300, -1, 4)
    of_items = np.stack(pq.read_table(item)["item_tower_emb"].to_numpy())
    of_rows = np.stack(expected["item_tower_emb"].to_numpy())
    own = users["item"].to_numpy()
    assert of_items[own] == pytest.approx(of_rows, abs=1e-5)
    there = np.where((interests == 0).all(2), -np.inf, 0)[:, :, None]
    scores = (interests @ of_items.T + there).max(1)
    ranks = (scores > scores[np.arange(300), own][:, None]).sum(1)
    recall = search_recall(str(user), str(item), "item", [1, 5])
    # Products of equal vectors may differ by a rounding.
    assert recall == pytest.approx({k: (ranks < k).mean() for k in (1, 5)}, abs=0.03)
    with pytest.raises(RunError, match=r"is an export of two towers; give .*/user or .*/item"):
        predict_rows(export, str(rows), tmp_path / "none.parquet")


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("items.parquet", "none.parquet", ".input_path: "),
        ("items.parquet", "empty.parquet", ".input_path: DATA/empty.parquet: has no items"),
        ('item_id_field: "item"', 'item_id_field: "it"', "train.parquet: has no column it"),
        (', "kinds", "price"] }', ', "kinds"] }', ".attr_fields: have no price, of which"),
    ],
)
def test_what_is_wrong_with_a_sampler_is_told_in_one_line_before_the_run(
    data: Path, tmp_path: Path, before: str, after: str, message: str
) -> None:
    pq.write_table(pq.read_table(data / "items.parquet").slice(0, 0), data / "empty.parquet")
    case = {name: values[0] for name, values in FACTORS.items()}
    text = text_of({**case, "negatives": "sampled"}, data, tmp_path / "run")
    config = tmp_path / "run.config"
    config.write_text(text.replace(before, after))
    with pytest.raises(UserError) as raised:
        raymon.train(config)
    told = str(raised.value)
    assert message.replace("DATA", str(data)) in told
    assert "\n" not in told
    place = f"{config}:10: data_config.negative_sampler."
    assert told.startswith(place if message.startswith(".") else str(data))
    assert not (tmp_path / "run").exists()
