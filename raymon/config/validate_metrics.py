"""Checks of metrics: whether each fits its task."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from raymon.config.names import (
    TOTAL_LOSS,
    Named,
    named_losses,
    named_metrics,
    named_train_metrics,
)
from raymon.config.rules import Rules
from raymon.config.tasks import Task, pipeline_tasks
from raymon.config.validate_losses import blocks_of, require_different, require_kinds, rules_of
from raymon.protos.metric_pb2 import MetricConfig, TrainMetricConfig
from raymon.protos.pipeline_pb2 import PipelineConfig

_BINARY, _CLASS, _REAL = "binary_cross_entropy", "softmax_cross_entropy", "l2_loss"

NAME = re.compile(r"[A-Za-z0-9_.@-]+")

_WITH_TOP_K = frozenset(("recall_at_k", "accuracy", "ndcg_at_k", "hit_rate_at_k", "mrr", "map"))

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
    "hit_rate_at_k": (_BINARY,),
    "mrr": (_BINARY,),
    "map": (_BINARY,),
    "custom_metric": (_BINARY, _CLASS, _REAL),
}
"""Losses by kind of metric; the label of the metric must have one of them."""

OF_TWO_CLASSES = frozenset(
    ("auc", "grouped_auc", "pr_auc", "log_loss", "normalized_entropy", "calibration")
)
"""Metrics that score the second of two classes if a label has softmax_cross_entropy."""


def validate_metrics(config: PipelineConfig, losses: Mapping[str, str], rules: Rules) -> None:
    """Checks the metrics and train metrics of a pipeline.

    Args:
        config: Config of the pipeline.
        losses: By task, the loss whose predictions it has.
        rules: Rules of its `model_config`.

    Raises:
        ConfigError: Something is wrong; the message has the first such thing.
    """
    of = pipeline_tasks(config)
    for listed in ("metrics", "train_metrics"):
        for block in blocks_of(of, rules).values():
            require_kinds(listed, "metric", config, block)
            _require_names(listed, of, block)
    metrics, train_metrics = named_metrics(of), named_train_metrics(of)
    _require_fitting(metrics, losses, rules)
    _require_fitting(train_metrics, losses, rules)
    require_different(metrics, rules)
    require_different(train_metrics, rules)


def _require_fitting(
    metrics: list[Named[MetricConfig]] | list[Named[TrainMetricConfig]],
    losses: Mapping[str, str],
    rules: Rules,
) -> None:
    for metric in metrics:
        own = rules_of(metric, rules.source)
        num_class = metric.task.num_class
        allowed = _LOSSES_OF_METRICS[metric.kind]
        if num_class == 2 and metric.kind in OF_TWO_CLASSES:
            allowed = (*allowed, _CLASS)
        loss = losses.get(metric.task.name)
        own.require(
            loss is None or loss in allowed,
            "",
            f"{metric.kind} is of a label with {' or '.join(allowed)}, "
            f"and {metric.label} has {loss}",
        )
        _validate_metric(metric, own, num_class)


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
    if metric.kind in _WITH_TOP_K:
        own.positive("top_k")
    if metric.kind == "xauc":
        _validate_xauc(metric, own)
    if metric.kind == "grouped_xauc":
        own.positive("max_pairs_per_group")
    if metric.kind == "recall_at_k" and num_class > 1:
        own.within("top_k", 1, num_class, with_high=True)
    if metric.kind == "multiclass_auc":
        own.require(num_class > 1, "", "needs num_class to be 2 or more")
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


def _require_names(listed: str, of: Sequence[Task], rules: Rules) -> None:
    """Checks that names of a block can be shown by every sink, and are not taken."""
    taken = {TOTAL_LOSS, "global_step", *(loss.name for loss in named_losses(of))}
    suffixes = ["", *(task.suffix for task in of if task.place == rules.path)]
    for index, entry in enumerate(rules.value(listed)):
        if entry.HasField("name"):
            place = f"{listed}[{index}].name"
            rules.require(
                NAME.fullmatch(entry.name) is not None,
                place,
                f'is "{entry.name}"; a name is of letters, digits, "_", "-", "." and "@"',
            )
            rules.require(
                not any(entry.name + suffix in taken for suffix in suffixes),
                place,
                f'is "{entry.name}", which is taken; give another',
            )
