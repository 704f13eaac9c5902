"""What trains and scores the labels of a first config: losses, metrics, and the model."""

from __future__ import annotations

from collections.abc import Sequence

from raymon.data import LabelKind
from raymon.errors import ConfigError
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


def check_together(labels: Sequence[Label], path: str) -> None:
    """Checks that one model can learn all labels.

    Raises:
        ConfigError: It cannot.
    """
    classes = [label for label in labels if label.kind is LabelKind.CLASS]
    if classes and len(labels) > 1:
        other = next(label for label in labels if label is not classes[0])
        raise ConfigError(
            f"{path}: --label {classes[0].name}: has {classes[0].classes} classes, which one model "
            f"does not learn beside {other.name}; give it alone"
        )


def losses(labels: Sequence[Label]) -> list[str]:
    """Returns the lines of the losses and metrics of training."""
    named = len(labels) > 1
    lines = [f"losses {{ {_LOSSES[label.kind]}{_of(label, named)} }}" for label in labels]
    lines += [
        f"train_metrics {{ {_TRAIN_METRICS[label.kind]}{_of(label, named)} decay_step: 20 }}"
        for label in labels
    ]
    return lines


def metrics(labels: Sequence[Label], user: str | None) -> list[str]:
    """Returns the lines of the metrics of the evaluation.

    Args:
        labels: Labels.
        user: Column that says which user a row is of; None if there is none.
    """
    named, lines = len(labels) > 1, []
    for label in labels:
        lines += [f"metrics {{ {metric}{_of(label, named)} }}" for metric in _METRICS[label.kind]]
        if user is not None and label.kind is not LabelKind.CLASS:
            kind = "grouped_auc" if label.kind is LabelKind.BINARY else "grouped_xauc"
            key = f"{kind} {{ grouping_key: {quoted(user)} }}"
            lines.append(f"metrics {{ {key}{_of(label, named)} }}  # within each {user}")
    return lines


def best_metric(labels: Sequence[Label]) -> str:
    """Returns the name of the metric that ranks checkpoints: one of the first label."""
    first = labels[0]
    return _BEST[first.kind] + (f"_{first.name}" if len(labels) > 1 else "")


def model(labels: Sequence[Label], sizes: Sizes) -> list[str]:
    """Returns the lines of the model, with its groups of features."""
    units = ", ".join(map(str, sizes.hidden_units))
    lines = [
        "# All features that fit each group; raymon writes their names into the run.",
        'feature_groups { group_name: "wide" group_type: WIDE feature_names: "*" }',
        'feature_groups { group_name: "fm" group_type: DEEP feature_names: "*" }',
        'feature_groups { group_name: "deep" group_type: DEEP feature_names: "*" }',
        "deepfm {",
        f"  deep {{ hidden_units: [{units}] dropout_ratio: 0.2 }}",
    ]
    # Without it the sums over all features are added up, which many features make large.
    lines += [f"  final {{ hidden_units: {sizes.hidden_units[-1]} }}", "}"]
    if labels[0].kind is LabelKind.CLASS:
        lines.append(f"num_class: {labels[0].classes}")
    return lines


def _of(label: Label, named: bool) -> str:
    return f" label_name: {quoted(label.name)}" if named else ""
