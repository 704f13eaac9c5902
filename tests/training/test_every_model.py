"""Every model, layer, loss and kind of feature goes through a whole run in every precision.

Combinations are chosen so that any two choices are together in one: trained, evaluated, resumed,
exported and predicted from raw rows, in this process.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn

import raymon
from raymon.data import Batch
from raymon.errors import RunError
from raymon.models import RankingModel
from raymon.reporter import Summary
from raymon.serving import predict
from tests.pairwise import pairwise

ROOT = Path(__file__).parents[2]

FEATURES = """
feature_configs { id_feature { feature_name: "user" expression: "user:user_id"
  hash_bucket_size: 400 embedding_dim: 4 } }
feature_configs { id_feature { feature_name: "item" expression: "item:item_id"
  num_buckets: 100 embedding_dim: 4 } }
feature_configs { id_feature { feature_name: "interests" expression: "user:user_interests"
  vocab_list: ["books", "film", "food", "games"] separator: "|" pooling: "mean"
  embedding_dim: 4 } }
feature_configs { id_feature { feature_name: "liked" expression: "user:liked" weighted: true
  hash_bucket_size: 50 separator: "|" embedding_dim: 4 } }
feature_configs { combo_feature { feature_name: "user_device"
  expression: ["user:user_id", "context:device"] hash_bucket_size: 900 embedding_dim: 4 } }
feature_configs { raw_feature { feature_name: "age" expression: "user:user_age"
  boundaries: [20, 30, 40] embedding_dim: 4 } }
feature_configs { raw_feature { feature_name: "price" expression: "item:price"
  normalizer: "method=expression,expr=log1p(x)" } }
"""
SEQUENCES = """
feature_configs { sequence_feature { sequence_name: "seq" sequence_length: 4
  features { id_feature { feature_name: "item" expression: "item:item_id" num_buckets: 100
    embedding_dim: 4 embedding_name: "item" } }
  features { id_feature { feature_name: "tag" expression: "item:tag" hash_bucket_size: 20
    value_dim: 0 pooling: "mean" embedding_dim: 4 } }
  features { raw_feature { feature_name: "price" expression: "item:price"
    normalizer: "method=expression,expr=log1p(x)" } } } }
"""
_POSITIONS = '"seq__item", "seq__tag", "seq__price"'
EMBEDDED = '"user", "item", "interests", "liked", "user_device", "age"'
_WIDE_DEEP = f"""
  feature_groups {{ group_name: "wide" group_type: WIDE feature_names: [{EMBEDDED}] }}
  feature_groups {{ group_name: "deep" group_type: DEEP feature_names: [{EMBEDDED}, "price"] }}
  feature_groups {{ group_name: "fm" group_type: DEEP feature_names: [{EMBEDDED}] }}"""
_WIDE_AND_DEEP = _WIDE_DEEP.rpartition("feature_groups")[0]
_SPARSE = f'feature_groups {{ group_name: "sparse" group_type: DEEP feature_names: [{EMBEDDED}] }}'
_DENSE = 'feature_groups { group_name: "dense" group_type: DEEP feature_names: "price" }'
_ALL = (
    f'feature_groups {{ group_name: "all" group_type: DEEP feature_names: [{EMBEDDED}, "price"] }}'
)

_HISTORY = f"""feature_groups {{ group_name: "history" group_type: SEQUENCE
  feature_names: ["item", "interests", {_POSITIONS}] }}"""
_ENCODED = f"""feature_groups {{ group_name: "encoded" group_type: DEEP
  feature_names: ["user", "price"]
  sequence_groups {{ group_name: "a" feature_names: ["item", "interests", {_POSITIONS}] }}
  sequence_groups {{ group_name: "b" feature_names: ["item", "seq__item"] }}
  sequence_encoders {{ din_encoder {{ input: "a" attn_mlp {{ hidden_units: [8] LAYERS }} }} }}
  sequence_encoders {{ simple_attention {{ input: "b" max_seq_length: 2 }} }}
  sequence_encoders {{ pooling_encoder {{ input: "a" }} }}
  sequence_encoders {{ self_attention_encoder {{ input: "a" multihead_attn_dim: 8 num_heads: 2 }} }}
  sequence_encoders {{ multi_window_din_encoder {{ input: "b" windows_len: [1, 2]
    attn_mlp {{ hidden_units: [8] LAYERS }} }} }} }}"""

MODELS = {
    "dlrm": f"{_SPARSE} {_DENSE} dlrm {{ dense_mlp {{ hidden_units: [8, 4] LAYERS }} "
    "final { hidden_units: [8, 4] LAYERS } }",
    "dlrm_without_numbers": f"{_SPARSE} dlrm {{ arch_with_sparse: false "
    "final { hidden_units: [8, 4] LAYERS } }",
    "deepfm": f"{_WIDE_DEEP} deepfm {{ deep {{ hidden_units: [8, 4] LAYERS }} }}",
    "deepfm_with_final": f"{_WIDE_DEEP} deepfm {{ deep {{ hidden_units: [8, 4] LAYERS }} "
    "final { hidden_units: [8] LAYERS } }",
    "wide_and_deep": f"{_WIDE_AND_DEEP} wide_and_deep {{ deep {{ hidden_units: [8, 4] LAYERS }} }}",
    "dcn_v1": f"{_ALL} variational_dropout {{}} dcn_v1 {{ cross {{}} "
    "deep { hidden_units: [8, 4] LAYERS } final { hidden_units: [8] LAYERS } }",
    "dcn_v2": f"{_ALL} dcn_v2 {{ backbone {{ hidden_units: [8] LAYERS }} cross {{ low_rank: 4 }} "
    "deep { hidden_units: [8] LAYERS } final { hidden_units: [8] LAYERS } }",
    "xdeepfm": f"{_WIDE_AND_DEEP} xdeepfm {{ cin {{ cin_layer_size: [4, 4] }} "
    "deep { hidden_units: [8, 4] LAYERS } final { hidden_units: [8] LAYERS } }",
    "wukong": f"{_SPARSE} {_DENSE} wukong {{ dense_mlp {{ hidden_units: [8, 4] LAYERS }} "
    "wukong_layers { lcb_feature_num: 3 fmb_feature_num: 3 compressed_feature_num: 2 "
    "feature_num_mlp { hidden_units: [8] LAYERS } } final { hidden_units: [8] LAYERS } }",
    "rocket_launching": f"{_ALL} rocket_launching {{ share_mlp {{ hidden_units: [8] LAYERS }} "
    "booster_mlp { hidden_units: [8, 8, 4] LAYERS } light_mlp { hidden_units: [8, 4] LAYERS } "
    "feature_based_distillation: true }",
    "mask_net": f"{_ALL} mask_net {{ mask_net_module {{ n_mask_blocks: 2 "
    "mask_block { hidden_dim: 8 } top_mlp { hidden_units: [8] LAYERS } } }",
    "multi_tower": f"{_ENCODED} {_ALL} multi_tower {{ "
    'towers { input: "encoded" mlp { hidden_units: [8] LAYERS } } '
    'towers { input: "all" mlp { hidden_units: [8, 4] LAYERS } } }',
    "multi_tower_din": f"{_HISTORY} {_ALL} multi_tower_din {{ "
    'towers { input: "all" mlp { hidden_units: [8] LAYERS } } '
    'din_towers { input: "history" attn_mlp { hidden_units: [8, 4] LAYERS } } '
    "final { hidden_units: [8] LAYERS } }",
    "of_readme": f'{_ALL} custom {{ class_path: "my_models:Tiny" '
    'kwargs { key: "width" value: "32" } }',
}
_TOWERS = """
  task_towers { tower_name: "ctr" label_name: "click" sample_weight_name: "w"
    mlp { hidden_units: [8, 4] LAYERS } losses { binary_cross_entropy {} }
    metrics { auc {} } train_metrics { auc {} decay_step: 4 } }
  task_towers { tower_name: "liked" label_name: "like" weight: 0.5 num_class: 2
    task_space_indicator_label: "click" out_task_space_weight: 0.1
    losses { jrc_loss { session_name: "user_id" } } losses { binary_focal_loss {} weight: 2 }
    metrics { auc {} } metrics { grouped_auc { grouping_key: "device" } } }
  task_towers { tower_name: "time" label_name: "watch" mlp { hidden_units: 4 LAYERS } RELATION
    losses { l2_loss {} } metrics { mean_absolute_error {} } }"""
RELATION = 'relation_tower_names: ["ctr", "liked"] relation_mlp { hidden_units: 4 LAYERS }'
MULTI_TASK_MODELS = {
    "simple_multi_task": f"{_ALL} simple_multi_task {{ {_TOWERS} }}",
    "mmoe": f"""use_pareto_loss_weight: true {_ALL} mmoe {{
      expert_mlp {{ hidden_units: 8 LAYERS }} {_TOWERS} }}""",
    "ple": f"""{_ALL} ple {{ extraction_networks {{ expert_num_per_task: 2 share_num: 1
      task_expert_net {{ hidden_units: [8, 6] LAYERS }} share_expert_net {{ hidden_units: 6 }} }}
      extraction_networks {{ expert_num_per_task: 1 share_num: 1
      task_expert_net {{ hidden_units: 6 }} share_expert_net {{ hidden_units: 6 LAYERS }} }}
      {_TOWERS} }}""",
    "dbmtl": f"""{_ALL} dbmtl {{ mask_net {{ n_mask_blocks: 2 mask_block {{ hidden_dim: 4 }} }}
      bottom_mlp {{ hidden_units: 8 LAYERS }} {_TOWERS} }}""",
    "pepnet": f"""{_ALL} feature_groups {{ group_name: "domain" group_type: DEEP
      feature_names: ["age"] }} feature_groups {{ group_name: "uia" group_type: DEEP
      feature_names: ["user", "item"] }} pepnet {{ ppnet_hidden_units: [8, 6]
      ppnet_dropout_ratio: 0.1 domain_input_name: "age" task_domain_num: 4 {_TOWERS} }}""",
}
MULTI_TASK_CASES = pairwise(
    {
        "model": list(MULTI_TASK_MODELS),
        "layers": ["plain", "bn", "ln"],
        "precision": ["float32", "bf16", "fp16"],
        "ends": ["resumed", "exported"],
    }
)
_BINARY = "metrics { auc {} } metrics { log_loss {} } train_metrics { auc {} decay_step: 4 }"
LABELS = {
    "one": ('"click"', f"losses {{ binary_cross_entropy {{ label_smoothing: 0.1 }} }} {_BINARY}"),
    "two": (
        '["click", "like"]',
        f"""losses {{ binary_cross_entropy {{}} label_name: "click" }}
        losses {{ binary_cross_entropy {{}} label_name: "like" }} {_BINARY}""",
    ),
    "real": (
        '["click", "watch"]',
        """losses { binary_cross_entropy {} label_name: "click" }
        losses { l2_loss {} label_name: "watch" }
        metrics { auc {} label_name: "click" } metrics { mean_absolute_error {} }""",
    ),
    "classes": (
        '"stars"',
        """num_class: 3 losses { softmax_cross_entropy {} } metrics { multiclass_auc {} }
        metrics { recall_at_k { top_k: 2 } } train_metrics { accuracy {} decay_step: 4 }""",
    ),
    "towers": ('["click", "like", "watch"]', ""),
    "first": ('["click", "like"]', f"losses {{ binary_cross_entropy {{}} }} {_BINARY}"),
}
WEIGHTS = {
    "none": "",
    "one": 'sample_weight_fields: "w"',
    "each": "sample_weight_fields: EACH",
    "same": "sample_weight_fields: SAME",
}
LAYERS = {
    "plain": "",
    "bn": 'use_bn: true dropout_ratio: 0.1 activation: "Dice"',
    "ln": 'use_ln: true activation: "nn.PReLU"',
    "silu": 'activation: "nn.SiLU" bias: false',
}
PRECISION = {"float32": "", "bf16": 'mixed_precision: "BF16"', "fp16": 'mixed_precision: "FP16"'}
ENDS = {
    "trained": "",
    "resumed": 'eval_input_path: "DATA/eval.parquet"',
    "exported": 'eval_input_path: "DATA/eval.parquet" export_config {}',
}
FACTORS = {
    "model": list(MODELS),
    "labels": [labels for labels in LABELS if labels != "towers"],
    "weights": list(WEIGHTS),
    "layers": list(LAYERS),
    "precision": list(PRECISION),
    "ends": list(ENDS),
}
CASES = pairwise(FACTORS)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, click_log: Path) -> Path:
    """The click log with labels of all kinds, two columns of weights, and weighted values."""
    folder = tmp_path_factory.mktemp("labelled")
    for part, rows in (("train", 2000), ("eval", 600)):
        table = pq.read_table(click_log / part).slice(0, rows)
        rng = np.random.default_rng(rows)
        click = table["click"].to_numpy()
        more = {
            "like": np.where(rng.random(rows) < 0.8, click, 1 - click),
            "watch": click * 2 + rng.normal(size=rows),
            "stars": click + rng.integers(0, 2, rows),
            "w": rng.random(rows).astype(np.float32),
            "v": rng.integers(0, 3, rows),
            "liked": [f"a{a}:0.5|a{b}:2" for a, b in rng.integers(0, 30, (rows, 2))],
            **positions(rng, rows),
        }
        for name, values in more.items():
            table = table.append_column(name, pa.array(values))
        pq.write_table(table, folder / f"{part}.parquet")
    return folder


def positions(rng: np.random.Generator, rows: int) -> dict[str, list[object]]:
    """Returns sequences of none to five positions: lists, strings, and nulls."""
    lengths = rng.integers(0, 6, rows)
    return {
        "seq__item_id": [list(rng.integers(0, 100, length)) or None for length in lengths],
        "seq__tag": [";".join(rng.choice(["a", "b\x1dc", "d"], length)) for length in lengths],
        "seq__price": [list(rng.random(length)) for length in lengths],
    }


@pytest.fixture
def guide_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the module of the model in the guide importable."""
    guide = (ROOT / "docs" / "guides" / "models.md").read_text()
    (code,) = re.findall(r"```python\n(# my_models.py\n.*?)```", guide, re.S)
    (tmp_path / "my_models.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)


def text_of(case: dict[str, str], data: Path, model_dir: Path) -> str:
    labels, losses = LABELS[case["labels"]]
    is_list = labels.startswith("[")
    each, same = ('["w", "v"]', '["w", "w"]') if is_list else ('["w"]', '["w"]')
    return f"""
      train_input_path: "{data}/train.parquet" {ENDS[case["ends"]].replace("DATA", str(data))}
      model_dir: "{model_dir}"
      train_config {{ num_steps: 16 log_step_count_steps: 4 save_checkpoints_steps: 8
        {PRECISION[case["precision"]]} use_tensorboard: false
        dense_optimizer {{ adam_optimizer {{ lr: 0.01 }} constant_learning_rate {{}} }}
        sparse_optimizer {{ adam_optimizer {{ lr: 0.01 }} constant_learning_rate {{}} }} }}
      data_config {{ batch_size: 128 num_workers: 0 label_fields: {labels} fg_mode: FG_DAG
        {WEIGHTS[case["weights"]].replace("EACH", each).replace("SAME", same)} }}
      {FEATURES} {SEQUENCES if "seq__" in model_of(case) else ""}
      model_config {{ {model_of(case)} {losses} }}
      ray_config {{ num_workers: 0 }}"""


def model_of(case: dict[str, str]) -> str:
    text = {**MODELS, **MULTI_TASK_MODELS}[case["model"]]
    text = text.replace("RELATION", RELATION if case["model"] == "dbmtl" else "")
    return text.replace("LAYERS", LAYERS[case["layers"]])


def losses_of(run: Path) -> list[float]:
    lines = (run / "monitor" / "windows.jsonl").read_text().splitlines()
    return [sum(json.loads(line)["losses"].values()) for line in lines]


@pytest.mark.usefixtures("guide_model")
@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(case.values()))
def test_a_model_goes_through_a_whole_run(case: dict[str, str], data: Path, tmp_path: Path) -> None:
    config, run = tmp_path / "run.config", tmp_path / "run"
    config.write_text(text_of(case, data, run))
    summary = raymon.train(config)
    assert np.isfinite([*summary.train_metrics.values(), *summary.eval_metrics.values()]).all()
    losses = losses_of(run)
    assert losses[-1] < losses[0]
    if case["ends"] == "exported":
        check_predictions(case, summary, data, tmp_path)
    elif case["ends"] == "resumed":
        resumed = raymon.train(config, {"train_config.num_steps": 18}, resume=True)
        assert (resumed.status, resumed.steps) == ("done", 18)


@pytest.mark.parametrize("case", MULTI_TASK_CASES, ids=lambda case: "-".join(case.values()))
def test_a_model_with_towers_goes_through_a_whole_run(
    case: dict[str, str], data: Path, tmp_path: Path
) -> None:
    case = {**case, "labels": "towers", "weights": "one"}
    config, run = tmp_path / "run.config", tmp_path / "run"
    best = 'export_config { exporter_type: "best" best_exporter_metric: "auc_ctr" }'
    config.write_text(text_of(case, data, run).replace("export_config {}", best))
    summary = raymon.train(config)
    assert "auc_ctr" in summary.train_metrics
    names = {"auc_ctr", "auc_liked", "grouped_auc_liked", "mean_absolute_error_time"}
    losses = {"binary_cross_entropy_ctr", "jrc_loss_liked", "binary_focal_loss_liked"}
    assert set(summary.eval_metrics) == {*names, *losses, "l2_loss_time", "total_loss"}
    assert np.isfinite([*summary.train_metrics.values(), *summary.eval_metrics.values()]).all()
    assert losses_of(run)[-1] < losses_of(run)[0]
    if case["ends"] == "exported":
        check_predictions(case, summary, data, tmp_path)
    else:
        resumed = raymon.train(config, {"train_config.num_steps": 18}, resume=True)
        assert (resumed.status, resumed.steps) == ("done", 18)


def check_predictions(case: dict[str, str], summary: Summary, data: Path, tmp_path: Path) -> None:
    """Checks that predictions from raw rows have the scores of the evaluation."""
    scores = tmp_path / "scores.parquet"
    assert summary.export is not None
    rows = str(data / "eval.parquet")
    assert predict(Path(summary.export), rows, scores, keep=["click", "w"], threads=0) == 600
    table = pq.read_table(scores)
    for name in set(table.column_names) - {"click", "w"}:
        assert np.isfinite(np.stack(table[name].to_numpy())).all(), name
    if case["labels"] == "classes":
        return
    # With several labels, towers or networks, names end in those.
    columns = [n for n in table.column_names if re.fullmatch("probs(_click|_ctr)?(_light)?", n)]
    several = columns[0].removeprefix("probs")
    weights = None if case["weights"] == "none" else table["w"].to_numpy()
    auc = roc_auc_score(table["click"], table[f"probs{several}"], sample_weight=weights)
    rounding = 1e-3 if case["precision"] == "float32" else 0.02
    metrics = summary.best_metrics if case["labels"] == "towers" else summary.eval_metrics
    assert metrics[f"auc{several}"] == pytest.approx(auc, abs=rounding)


class OfTheBatch(RankingModel):
    """Scores the items of all rows of a batch for the user of each row."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.users, self.prices = nn.Embedding(400, 4), nn.Linear(1, 4)

    def predict(self, batch: Batch) -> dict[str, Tensor]:
        users, prices = batch.sparse["user"].values, batch.dense["price"]
        scores = self.users(users) @ self.prices(prices).T
        return {"logits": scores, "probs": scores.softmax(1)}

    def target(self, label: str, batch: Batch) -> Tensor:
        return torch.arange(batch.size)


def test_a_model_that_scores_a_batch_against_itself_trains_and_predicts_one_batch(
    data: Path, tmp_path: Path
) -> None:
    case = {**CASES[0], "model": "of_readme", "labels": "classes", "ends": "exported"}
    text = text_of(case, data, tmp_path / "run").replace("num_class: 3", "")
    text = text.replace("my_models:Tiny", f"{__name__}:OfTheBatch").replace(
        "multiclass_auc", "accuracy"
    )
    text = text.replace('kwargs { key: "width" value: "32" }', "")
    (tmp_path / "run.config").write_text(text)
    summary = raymon.train(tmp_path / "run.config")
    assert set(summary.eval_metrics) >= {"recall_at_k", "accuracy", "softmax_cross_entropy"}
    losses = losses_of(tmp_path / "run")
    assert losses[-1] < losses[0]
    assert summary.export is not None
    exported, rows = Path(summary.export), str(data / "eval.parquet")
    assert predict(exported, rows, tmp_path / "one.parquet", threads=0) == 600
    with pytest.raises(RunError, match=r"\[400\] in one batch and .*\[200\] in another: the model"):
        predict(exported, rows, tmp_path / "two.parquet", batch_size=400, threads=0)
    assert not (tmp_path / "two.parquet").exists()


def test_a_parameter_without_use_is_told_in_this_process_too(
    data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    text = text_of({**CASES[0], "model": "of_readme"}, data, tmp_path / "run")
    text = text.replace("my_models:Tiny", "tests.training.scored_model:WithUnused")
    text = text.replace('kwargs { key: "width" value: "32" }', "")
    (tmp_path / "run.config").write_text(text)
    raymon.train(tmp_path / "run.config")
    told = [message for message in caplog.messages if "has no use for nothing.weight" in message]
    assert len(told) == 1


def test_a_run_whose_steps_fp16_leaves_out_says_so(
    data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    text = text_of({**CASES[0], "precision": "fp16"}, data, tmp_path / "run")
    config = tmp_path / "run.config"
    config.write_text(
        text.replace("use_tensorboard", "grad_scaler { init_scale: 1e30 } use_tensorboard")
    )
    summary = raymon.train(config)
    told = [
        message for message in caplog.messages if "FP16: 8 of 8 steps of the optimizer" in message
    ]
    assert len(told) == 2
    assert summary.skipped_steps == 16
    run = json.loads((tmp_path / "run" / "run.json").read_text())
    assert run["skipped_steps"] == 16
    lines = (tmp_path / "run" / "monitor" / "windows.jsonl").read_text().splitlines()
    windows = [json.loads(line) for line in lines]
    assert [window["skipped_steps"] for window in windows] == [4, 4, 4, 4]
    # Each step that is skipped halves the scale.
    scales = [np.float32(1e30) / 2**steps for steps in (4, 8, 12, 16)]
    assert [window["loss_scale"] for window in windows] == scales
