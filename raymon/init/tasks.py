"""What trains and scores the labels of a first config: losses, metrics, and the model."""

from __future__ import annotations

from collections.abc import Sequence

from raymon.data import LabelKind
from raymon.init.feature_text import quoted
from raymon.init.labels import Label
from raymon.init.sizes import Sizes

_LOSSES = {
    LabelKind.BINARY: "binary_cross_entropy {}",
    LabelKind.CLASS: "softmax_cross_entropy {}",
    LabelKind.REAL: "l2_loss {}",
}
_METRICS = {
    LabelKind.BINARY: ("auc {}", "log_loss {}", "calibration {}"),
    LabelKind.CLASS: ("multiclass_auc {}", "accuracy {}"),
    LabelKind.REAL: ("mean_squared_error {}", "mean_absolute_error {}", "xauc {}"),
}
_TRAIN_METRICS = {
    LabelKind.BINARY: "auc {}",
    LabelKind.CLASS: "accuracy {}",
    LabelKind.REAL: "mean_absolute_error {}",
}
_BEST = {
    LabelKind.BINARY: "auc",
    LabelKind.CLASS: "multiclass_auc",
    LabelKind.REAL: "mean_squared_error",
}


def best_metric(labels: Sequence[Label]) -> str:
    """Returns the name of the metric that ranks checkpoints: one of the first label."""
    first = labels[0]
    return _BEST[first.kind] + (f"_{first.name}" if len(labels) > 1 else "")


def model(labels: Sequence[Label], sizes: Sizes, user: str | None, evaluated: bool) -> list[str]:
    """Returns the lines of the model, with groups of features, losses and metrics.

    Of one label it is DeepFM, of several MMoE with a tower each.

    Args:
        labels: Labels.
        sizes: Sizes of the model.
        user: Column that says which user a row is of; None if there is none.
        evaluated: Whether there is evaluation data.
    """
    return (
        _of_one(labels[0], sizes, user, evaluated)
        if len(labels) == 1
        else _of_several(labels, sizes, user, evaluated)
    )


def _of_one(label: Label, sizes: Sizes, user: str | None, evaluated: bool) -> list[str]:
    units = ", ".join(map(str, sizes.hidden_units))
    return [
        "# All features that fit each group; raymon writes their names into the run.",
        'feature_groups { group_name: "wide" group_type: WIDE feature_names: "*" }',
        'feature_groups { group_name: "fm" group_type: DEEP feature_names: "*" }',
        'feature_groups { group_name: "deep" group_type: DEEP feature_names: "*" }',
        "deepfm {",
        f"  deep {{ hidden_units: [{units}] dropout_ratio: 0.2 }}",
        # Without it the sums over all features are added up, which many features make large.
        f"  final {{ hidden_units: {sizes.hidden_units[-1]} }}",
        "}",
        *_task(label, user, evaluated),
    ]


def _of_several(
    labels: Sequence[Label], sizes: Sizes, user: str | None, evaluated: bool
) -> list[str]:
    units = ", ".join(map(str, sizes.hidden_units))
    lines = [
        "# All features; raymon writes their names into the run.",
        'feature_groups { group_name: "all" group_type: DEEP feature_names: "*" }',
        "mmoe {",
        f"  expert_mlp {{ hidden_units: [{units}] dropout_ratio: 0.2 }}",
        "  num_expert: 4",
    ]
    for label in labels:
        lines += [
            "  task_towers {",
            f"    tower_name: {quoted(label.name)} label_name: {quoted(label.name)}",
            f"    mlp {{ hidden_units: {sizes.hidden_units[-1]} }}",
            "    weight: 1  # of its losses, beside those of the others",
            *(f"    {line}" for line in _task(label, user, evaluated)),
            "  }",
        ]
    return [*lines, "}"]


def _task(label: Label, user: str | None, evaluated: bool) -> list[str]:
    """Returns the lines of what trains and scores a label."""
    lines = [f"num_class: {label.classes}"] if label.kind is LabelKind.CLASS else []
    lines += [f"losses {{ {_LOSSES[label.kind]} }}"]
    lines += [f"train_metrics {{ {_TRAIN_METRICS[label.kind]} decay_step: 20 }}"]
    if not evaluated:
        return lines
    lines += [f"metrics {{ {metric} }}" for metric in _METRICS[label.kind]]
    if user is not None and label.kind is not LabelKind.CLASS:
        kind = "grouped_auc" if label.kind is LabelKind.BINARY else "grouped_xauc"
        own = f"{kind} {{ grouping_key: {quoted(user)} }}"
        lines.append(f"metrics {{ {own} }}  # within each {user}")
    return lines
