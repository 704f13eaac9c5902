"""Names that a config has and raymon does not: which was meant, or what is still to come."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_NOT_YET = frozenset(
    {
        "wide_and_deep",
        "dcn_v2",
        "multi_tower",
        "mmoe",
        "binary_focal_loss",
        "jrc_loss",
        "weight",
        "sample_weight_name",
        "linear_decay_learning_rate",
        "lookup_feature",
        "match_feature",
        "expr_feature",
        "overlap_feature",
        "tokenize_feature",
        "custom_feature",
        "sequence_feature",
        "sequence_id_feature",
        "sequence_raw_feature",
        "sequence_length",
        "sequence_delim",
        "init_fn",
        "dynamicemb",
        "zch",
        "SEQUENCE",
        "JAGGED_SEQUENCE",
    }
)
"""Names of the field that are still to come."""

_NOT_YET_OF_TABLES = frozenset(
    {
        "lars_sgd_optimizer",
        "lamb_optimizer",
        "partial_rowwise_lamb_optimizer",
        "adadelta_optimizer",
        "rmsprop_optimizer",
        "ftrl_optimizer",
    }
)
"""Optimizers of embedding tables that are still to come."""

_OF_TABLES = frozenset({"rowwise_adagrad_optimizer", "partial_rowwise_adam_optimizer"})
"""Optimizers that only embedding tables have."""

_OF_EVALUATION = frozenset({"grouped_auc", "grouped_xauc", "ndcg_at_k"})
"""Metrics that keep rows."""


def describe_unknown(name: str, known: Iterable[str], what: str, message: str = "") -> str:
    """What a message says of a name that is not known.

    Args:
        name: as given.
        known: the names that there are.
        what: what they are names of, as in `field`.
        message: the message of a field.
    """
    names = list(known)
    if message == "TrainMetricConfig" and name in _OF_EVALUATION:
        return f"{name} keeps all rows, so it is a metric of the evaluation; give it in metrics"
    if message == "SparseOptimizer" and name in _NOT_YET_OF_TABLES:
        return f"raymon does not have {name} for embedding tables yet; give one of {_listed(names)}"
    if message in ("DenseOptimizer", "PartOptimizer") and name in _OF_TABLES:
        return f"{name} is for embedding tables; give it in sparse_optimizer"
    if name in _NOT_YET:
        return f"raymon does not have {name} yet; leave it out"
    nearest = difflib.get_close_matches(name, names, n=1)
    if nearest:
        return f'unknown {what} "{name}"; did you mean "{nearest[0]}"?'
    return f'unknown {what} "{name}"; there are {", ".join(names) or "none"}'


def _listed(names: Iterable[str]) -> str:
    return ", ".join(name for name in names if name.endswith("_optimizer"))
