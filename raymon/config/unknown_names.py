"""Messages about names that a config has and raymon does not know, or does not have yet."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from raymon.config.known_names import known_fields, known_values

_OF_TABLES = frozenset({"rowwise_adagrad_optimizer", "partial_rowwise_adam_optimizer"})
"""Optimizers for embedding tables only."""

_OF_EVALUATION = frozenset(
    {"grouped_auc", "grouped_xauc", "ndcg_at_k", "hit_rate_at_k", "mrr", "map"}
)
"""Metrics that keep rows, and so are for evaluations only."""

_PARQUET = (
    "write what it reads to Parquet, and give its path and "
    "--set data_config.dataset_type=ParquetDataset"
)

_REMEDIES = {
    "OdpsDataset": _PARQUET,
    "OdpsDatasetV1": _PARQUET,
    "KafkaDataset": _PARQUET,
}
"""What would be right in place of names that are not simply left out."""


_NO, _NONE, _TORCH = ("false",), ("0", "0.0"), ("PYTORCH",)

_HAD_WITHOUT = {
    "use_mask": _NO,
    "enable_hstu": _NO,
    "eval_online": _NO,
    "sample_mask_prob": _NONE,
    "negative_sample_mask_prob": _NONE,
    "save_checkpoints_timestamp_interval": _NONE,
    "batch_cost_size": _NONE,
    "kernel": _TORCH,
}
"""Values of fields that raymon does not have, with which they ask for nothing that it lacks."""


def is_had_without(name: str, value: str) -> bool:
    """Whether a field that raymon does not have asks for what it does anyway.

    Args:
        name: Name of the field.
        value: Its value, as it is written.
    """
    return value in _HAD_WITHOUT.get(name, ())


def not_yet(message: str, name: str, had: Iterable[str] = ()) -> str | None:
    """Returns why a field of the vocabulary is refused; None if the message does not know it.

    Args:
        message: Name of the message.
        name: Name of a field that raymon's schema does not have.
        had: Names of the fields that it has.
    """
    if name not in known_fields(message):
        return None
    if message == "SparseOptimizer" and name.endswith("_optimizer"):
        optimizers = ", ".join(each for each in had if each.endswith("_optimizer"))
        return f"raymon does not have {name} for embedding tables yet; give one of {optimizers}"
    return f"raymon does not have {name} yet; {_REMEDIES.get(name, 'leave it out')}"


def value_not_yet(enum: str, name: str) -> str | None:
    """Returns why a value of the vocabulary is refused; None if the enum does not know it."""
    if name not in known_values(enum):
        return None
    return f"raymon does not have {name} yet; {_REMEDIES.get(name, 'give another one')}"


def unknown_field(message: str, name: str, had: Iterable[str]) -> str:
    """Returns a message about a field that no schema knows, with the nearest one that fits there.

    Args:
        message: Name of the message.
        name: Name as it was given.
        had: Names of the fields that raymon's schema has.
    """
    fields = list(had)
    if message == "TrainMetricConfig" and name in _OF_EVALUATION:
        return f"{name} keeps all rows, so it is a metric of the evaluation; give it in metrics"
    if message in ("DenseOptimizer", "PartOptimizer") and name in _OF_TABLES:
        return f"{name} is for embedding tables; give it in sparse_optimizer"
    nearest = difflib.get_close_matches(name, [*fields, *known_fields(message)], n=1)
    if nearest and nearest[0] not in fields:
        return f'unknown field "{name}"; "{nearest[0]}" is near, but raymon does not have it yet'
    return describe_unknown(name, fields, "field")


def describe_unknown(name: str, known: Iterable[str], what: str) -> str:
    """Returns a message about a name that is not known.

    Args:
        name: Name as it was given.
        known: All known names of this kind.
        what: Kind of the names, such as `field`.
    """
    names = list(known)
    nearest = difflib.get_close_matches(name, names, n=1)
    if nearest:
        return f'unknown {what} "{name}"; did you mean "{nearest[0]}"?'
    return f'unknown {what} "{name}"; there are {", ".join(names) or "none"}'
