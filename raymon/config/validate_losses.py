"""Checks of losses and metrics: whether each fits its label."""

from __future__ import annotations

import re
from collections.abc import Mapping

from raymon.config.names import (
    TOTAL_LOSS,
    Named,
    named_losses,
    named_metrics,
    named_train_metrics,
    trained_labels,
)
from raymon.config.retrieval import is_retrieval
from raymon.config.rules import Rules
from raymon.protos.loss_pb2 import LossConfig
from raymon.protos.metric_pb2 import MetricConfig, TrainMetricConfig
from raymon.protos.pipeline_pb2 import PipelineConfig

_BINARY, _CLASS, _REAL = "binary_cross_entropy", "softmax_cross_entropy", "l2_loss"

_NAME = re.compile(r"[A-Za-z0-9_.@-]+")

MAX_THRESHOLDS = 100_000
"""Largest number of thresholds; more would be finer than the bins that are used without them."""

_LOSSES_OF_METRICS = {
    "auc": (_BINARY,),
    "grouped_auc": (_BINARY,),
    "normalized_entropy": (_BINARY,),
    "accuracy": (_BINARY, _CLASS),
    "multiclass_auc": (_CLASS,),
    "recall_at_k": (_CLASS,),
    "mean_absolute_error": (_BINARY, _REAL),
    "mean_squared_error": (_BINARY, _REAL),
    "xauc": (_BINARY, _REAL),
    "grouped_xauc": (_BINARY, _REAL),
    "calibration": (_BINARY,),
    "pr_auc": (_BINARY,),
    "log_loss": (_BINARY,),
    "ndcg_at_k": (_BINARY, _REAL),
    "custom_metric": (_BINARY, _CLASS, _REAL),
}
"""Losses by kind of metric; the label of the metric must have one of them."""

OF_TWO_CLASSES = frozenset(
    ("auc", "grouped_auc", "pr_auc", "log_loss", "normalized_entropy", "calibration")
)
"""Metrics that score the second of two classes if a label has softmax_cross_entropy."""


def validate_losses(config: PipelineConfig, rules: Rules) -> dict[str, str]:
    """Checks the losses of a pipeline.

    Args:
        config: Config of the pipeline.
        rules: Rules of its `model_config`.

    Returns:
        The kind of loss of each label; only a custom model may leave a label without one.

    Raises:
        ConfigError: Something is wrong; the message has the first such thing.
    """
    model, labels = config.model_config, trained_labels(config)
    _require_kinds("losses", "loss", config, rules)
    losses = named_losses(model, labels)
    _require_different(losses, "losses", rules)
    kinds: dict[str, str] = {}
    for loss in losses:
        place = f"losses[{loss.position}]"
        other = kinds.setdefault(loss.label, loss.kind)
        rules.require(
            other == loss.kind,
            place,
            f"label {loss.label} has {other} already; give each loss a label_name of its own",
        )
        if loss.kind == _CLASS:
            # Models may score candidates, of which a batch can have any number.
            ok = model.num_class > 1 or model.HasField("custom") or is_retrieval(model)
            rules.require(ok, place, "needs num_class to be 2 or more")
        if loss.kind != _REAL:
            rules.inner_item("losses", loss.position).inner(loss.kind).within(
                "label_smoothing", 0, 1
            )
    if not model.HasField("custom"):
        for label in labels:
            missing = label not in kinds
            rules.require(not missing, "", f'label "{label}" has no loss; give one in losses')
        _warn_of_untrained(config, rules)
        useless = model.num_class > 1 and _CLASS not in kinds.values()
        rules.warn(useless, "num_class", f"no loss is {_CLASS}")
    return kinds


def validate_metrics(config: PipelineConfig, losses: Mapping[str, str], rules: Rules) -> None:
    """Checks the metrics and train metrics of a pipeline.

    Args:
        config: Config of the pipeline.
        losses: Kind of loss of each label.
        rules: Rules of its `model_config`.

    Raises:
        ConfigError: Something is wrong; the message has the first such thing.
    """
    model, labels = config.model_config, trained_labels(config)
    for listed in ("metrics", "train_metrics"):
        _require_kinds(listed, "metric", config, rules)
        _require_names(listed, config, rules)
    metrics, train_metrics = named_metrics(model, labels), named_train_metrics(model, labels)
    _require_fitting(metrics, "metrics", losses, model.num_class, rules)
    _require_fitting(train_metrics, "train_metrics", losses, model.num_class, rules)
    _require_different(metrics, "metrics", rules)
    _require_different(train_metrics, "train_metrics", rules)


def _warn_of_untrained(config: PipelineConfig, rules: Rules) -> None:
    trained, kind = trained_labels(config), config.model_config.WhichOneof("model")
    labels = config.data_config.label_fields
    rest = [index for index, label in enumerate(labels) if label not in trained]
    if rest:
        learnt = " and ".join(f'"{label}"' for label in trained)
        Rules(rules.source, config, "").inner("data_config").warn(
            True,
            f"label_fields[{rest[0]}]",
            f"{kind} learns {learnt} alone; losses with a label_name make it learn others",
        )


def _require_fitting(
    metrics: list[Named[MetricConfig]] | list[Named[TrainMetricConfig]],
    listed: str,
    losses: Mapping[str, str],
    num_class: int,
    rules: Rules,
) -> None:
    for metric in metrics:
        place = f"{listed}[{metric.position}]"
        allowed = _LOSSES_OF_METRICS[metric.kind]
        if num_class == 2 and metric.kind in OF_TWO_CLASSES:
            allowed = (*allowed, _CLASS)
        loss = losses.get(metric.label)
        rules.require(
            loss is None or loss in allowed,
            place,
            f"{metric.kind} is of a label with {' or '.join(allowed)}, "
            f"and {metric.label} has {loss}",
        )
        _validate_metric(metric, rules.inner_item(listed, metric.position), num_class)


def _validate_metric(
    metric: Named[MetricConfig] | Named[TrainMetricConfig], rules: Rules, num_class: int
) -> None:
    own = rules.inner(metric.kind)
    if metric.kind in ("auc", "multiclass_auc", "pr_auc"):
        own.within("thresholds", 2, MAX_THRESHOLDS, with_high=True)
    if metric.kind == "multiclass_auc":
        own.one_of("average", ("macro", "weighted"))
    if metric.kind == "normalized_entropy":
        own.positive("eta")
        own.within("eta", 0, 0.5)
    if metric.kind == "accuracy":
        own.within("threshold", 0, 1, with_high=True)
    if metric.kind in ("recall_at_k", "accuracy", "ndcg_at_k"):
        own.positive("top_k")
    if metric.kind == "xauc":
        _validate_xauc(metric, own)
    if metric.kind == "grouped_xauc":
        own.positive("max_pairs_per_group")
    if metric.kind == "recall_at_k" and num_class > 1:
        own.within("top_k", 1, num_class, with_high=True)
    if metric.kind == "multiclass_auc":
        own.require(num_class > 1, "", "needs model_config.num_class to be 2 or more")
    if isinstance(metric.config, TrainMetricConfig):
        rules.positive("decay_step")
        rules.within("decay_rate", 0, 1)


def _validate_xauc(metric: Named[MetricConfig] | Named[TrainMetricConfig], own: Rules) -> None:
    own.positive("sample_ratio", "max_pairs")
    own.within("sample_ratio", 0, 1, with_high=True)
    xauc = metric.config.xauc
    for name in ("sample_ratio", "max_pairs"):
        own.warn(xauc.HasField(name) and xauc.in_batch, name, "in_batch is true")
        own.require(
            not xauc.HasField(name)
            or xauc.in_batch
            or not isinstance(metric.config, TrainMetricConfig),
            name,
            "draws from all rows, so it is for metrics, the evaluation; leave it out in "
            "train_metrics, or set in_batch: true",
        )
    useless = xauc.HasField("sample_ratio") and xauc.HasField("max_pairs") and not xauc.in_batch
    own.warn(useless, "sample_ratio", "max_pairs is given")


def _require_kinds(listed: str, oneof: str, config: PipelineConfig, rules: Rules) -> None:
    """Checks that every entry has a kind, and a label that is trained."""
    labels, trained = config.data_config.label_fields, trained_labels(config)
    for index, entry in enumerate(getattr(config.model_config, listed)):
        names = ", ".join(field.name for field in entry.DESCRIPTOR.oneofs_by_name[oneof].fields)
        given = entry.WhichOneof(oneof) is not None
        rules.require(given, f"{listed}[{index}]", f"is empty; give one of {names}")
        if entry.HasField("label_name"):
            place = f"{listed}[{index}].label_name"
            rules.known(entry.label_name, place, labels, "label")
            rules.require(
                entry.label_name in trained,
                place,
                f"{entry.label_name} is not trained; give it a loss with this label_name",
            )


def _require_names(listed: str, config: PipelineConfig, rules: Rules) -> None:
    """Checks that names can be shown by every sink, and are not taken."""
    losses = named_losses(config.model_config, trained_labels(config))
    taken = {TOTAL_LOSS, "global_step", *(loss.name for loss in losses)}
    for index, entry in enumerate(getattr(config.model_config, listed)):
        if entry.HasField("name"):
            place = f"{listed}[{index}].name"
            rules.require(
                _NAME.fullmatch(entry.name) is not None,
                place,
                f'is "{entry.name}"; a name is of letters, digits, "_", "-", "." and "@"',
            )
            rules.require(
                entry.name not in taken, place, f'is "{entry.name}", which is taken; give another'
            )


def _require_different(
    entries: list[Named[LossConfig]] | list[Named[MetricConfig]] | list[Named[TrainMetricConfig]],
    listed: str,
    rules: Rules,
) -> None:
    names: set[str] = set()
    for entry in entries:
        place = f"{listed}[{entry.position}]"
        remedy = (
            "give each loss a label_name of its own"
            if isinstance(entry.config, LossConfig)
            else f'give one of them a name of its own, as name: "{entry.name}_2"'
        )
        rules.require(entry.name not in names, place, f"{entry.name} is given twice; {remedy}")
        names.add(entry.name)
