"""Messages about names that a config has and raymon does not know."""

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
        "eval_initializer_args",
        "cache_load_factor",
        "init_capacity_per_rank",
        "init_table",
        "counter_bucket_capacity",
        "SEQUENCE",
        "JAGGED_SEQUENCE",
    }
)
"""Names that are common in such configs and that raymon does not have yet."""

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
"""Optimizers of embedding tables that raymon does not have yet."""

_OF_TABLES = frozenset({"rowwise_adagrad_optimizer", "partial_rowwise_adam_optimizer"})
"""Optimizers for embedding tables only."""

_OF_EVALUATION = frozenset({"grouped_auc", "grouped_xauc", "ndcg_at_k"})
"""Metrics that keep rows, and so are for evaluations only."""


def describe_unknown(name: str, known: Iterable[str], what: str, message: str = "") -> str:
    """Returns a message about a name that is not known.

    Args:
        name: Name as it was given.
        known: All known names of this kind.
        what: Kind of the names, such as `field`.
        message: Type of the message that has the field; "" if the name is not that of a field.
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
