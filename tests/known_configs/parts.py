"""What the known configs are put together from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tests.known_configs.blocks import Block, Word

DEEP, WIDE, SEQUENCE = Word("DEEP"), Word("WIDE"), Word("SEQUENCE")
ADAGRAD: Block = {"adagrad_optimizer": {"lr": 0.001}}
ADAM: Block = {"adam_optimizer": {"lr": 0.001}}
AUC: Block = {"metrics": {"auc": {}}}
BCE: Block = {"losses": {"binary_cross_entropy": {}}}
RECALLS: Block = {
    "metrics": [{"recall_at_k": {"top_k": 1}}, {"recall_at_k": {"top_k": 5}}],
    "losses": {"softmax_cross_entropy": {}},
}
_BATCH = 8192


def pipeline(
    name: str,
    data: Block,
    features: Iterable[Block],
    model: Block,
    *,
    train: Block | None = None,
    sparse: Block = ADAGRAD,
    dense: Block = ADAM,
    evaluation: Block | None = None,
    paths: tuple[str, str] = ("", ""),
) -> Block:
    """Returns a whole config; `train`, `data` and `evaluation` are further fields of the blocks."""
    return {
        "train_input_path": paths[0],
        "eval_input_path": paths[1],
        "model_dir": f"experiments/{name}",
        "train_config": {
            "sparse_optimizer": {**sparse, "constant_learning_rate": {}},
            "dense_optimizer": {**dense, "constant_learning_rate": {}},
            "num_epochs": 1,
            **(train or {}),
        },
        "eval_config": evaluation or {},
        "data_config": {"batch_size": _BATCH, "num_workers": 8, **data},
        "feature_configs": list(features),
        "model_config": model,
    }


def feature(kind: str, name: str, dim: int | None = None, **fields: Any) -> Block:
    """Returns a feature; a field that is None is left out."""
    block: Block = {"feature_name": name, **fields}
    if dim is not None:
        block["embedding_dim"] = dim
    return {kind: {field: value for field, value in block.items() if value is not None}}


def group(name: str, features: Sequence[str], kind: Word = DEEP, **more: Any) -> Block:
    return {"group_name": name, "feature_names": list(features), "group_type": kind, **more}


def mlp(*units: int, **more: Any) -> Block:
    return {"hidden_units": list(units), **more}


def task(name: str, label: str, tower: Block, thresholds: int | None = None, **more: Any) -> Block:
    """Returns a tower with an AUC and a binary loss, unless `more` has others."""
    auc: Block = {} if thresholds is None else {"thresholds": thresholds}
    metrics: Block = {"metrics": {"auc": auc}}
    return {"tower_name": name, "label_name": label, "mlp": tower, **metrics, **BCE, **more}


def match_tower(name: str, tower: Block, **more: Any) -> Block:
    return {"input": name, **more, "mlp": tower}
