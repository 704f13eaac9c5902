"""Models whose losses and metrics are those of the config."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, Self

import torch
from torch import Tensor
from torchmetrics import Metric

from raymon.config import (
    OF_TWO_CLASSES,
    Named,
    Task,
    named_losses,
    named_metrics,
    named_train_metrics,
    pipeline_tasks,
    tasks_of,
)
from raymon.data import Batch, Feature, LabelKind
from raymon.metrics import (
    CheckedMetric,
    GroupedMetric,
    ScoreHistogram,
    TrainMetricWrapper,
    build_metric,
    build_train_metric,
    takes_weights,
)
from raymon.models.contract import Expected, check_predictions, error_of
from raymon.models.layers.variational_dropout import dropout_losses
from raymon.models.losses import row_losses, task_kinds, weighted_mean
from raymon.models.model import Model
from raymon.models.row_weights import loss_weights, sample_weights
from raymon.protos.loss_pb2 import LossConfig
from raymon.protos.metric_pb2 import MetricConfig, TrainMetricConfig
from raymon.protos.model_pb2 import ModelConfig
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.results import GroupFigures, ScoreCurves


def grouping_keys(config: PipelineConfig) -> list[str]:
    """Returns the columns of grouping keys that the metrics of a pipeline need, each once."""
    keys = (_grouping_key(metric.config) for metric in named_metrics(pipeline_tasks(config)))
    return list(dict.fromkeys(key for key in keys if key))


def _grouping_key(config: MetricConfig | TrainMetricConfig) -> str | None:
    # In the block that is set; every grouped metric has the field.
    block = getattr(config, config.WhichOneof("metric") or "", None)
    return getattr(block, "grouping_key", None)


class _Updatable(Protocol):
    def update(self, *args: Tensor, **kwargs: Tensor) -> None: ...


class RankingModel(Model):
    """A model that predicts every task; losses and metrics come from the config.

    A subclass only has to write `predict`. It returns `logits` and `probs` for a binary label
    (`[B]`), or a label of classes or candidates (`[B, C]`), and `y` (`[B]`) for a real label; with
    several labels, each name has the suffix `_{label}`. A `Head` over `self.kinds` makes them. With
    task towers the suffix is `_{tower_name}`.

    Args:
        config: The model_config of the pipeline.
        features: All features of the pipeline, in the order of the config.
        labels: Columns of labels.
        sample_weights: Columns of sample weights: none, one for all labels, or one for each.

    Attributes:
        tasks: What the model learns: each label, or each tower.
        kinds: Kind of the predictions of each task, by its name; without towers, by its label.
    """

    def __init__(
        self,
        config: ModelConfig,
        features: Sequence[Feature],
        labels: Sequence[str],
        sample_weights: Sequence[str] = (),
    ) -> None:
        super().__init__(config, features, labels, sample_weights)
        self.tasks = tuple(tasks_of(config, labels, sample_weights))
        self.kinds = task_kinds(self.tasks)
        self._losses = named_losses(self.tasks)
        self._weighs_rows = any(task.sample_weight or task.indicator for task in self.tasks)
        # In plain dicts, not submodules: metrics are no part of the model's state.
        self._metrics: dict[str, tuple[Named[MetricConfig], Metric]] = {}
        self._train_metrics: dict[str, TrainMetricWrapper] = {}
        self._train_named = named_train_metrics(self.tasks)
        # Custom metrics that take no weights.
        self._unweighted: set[str] = set()
        # The predictions that losses and metrics take, by name.
        self._loss_inputs = {self._output(loss.task): self._expected(loss) for loss in self._losses}
        self._metric_inputs = {
            self._score(metric.task): self._expected(metric)
            for metrics in (named_metrics(self.tasks), self._train_named)
            for metric in metrics
        }

    def target(self, label: str, batch: Batch) -> Tensor:
        """Returns the targets of a label for losses and metrics: its column, `[B]`.

        A model that scores candidates may override it: if the candidates of each row are the items
        of the whole batch, the right ones are `torch.arange(batch.size)`.
        """
        return batch.labels[label]

    def check_predictions(self, predictions: Mapping[str, Tensor], batch: Batch) -> None:
        """Checks that the predictions that metrics take are there.

        Raises:
            ModelError: One is missing, or has another shape or type.
        """
        check_predictions(self, predictions, batch.size, self._metric_inputs)

    def loss(self, predictions: Mapping[str, Tensor], batch: Batch) -> dict[str, Tensor]:
        """Returns the losses of the config by name, float32 scalars.

        Raises:
            ModelError: A prediction that a loss takes is missing, or has another shape or type.
        """
        check_predictions(self, predictions, batch.size, self._loss_inputs)
        losses = {loss.name: self._loss(loss, predictions, batch) for loss in self._losses}
        return losses | dropout_losses(self, batch.size) if self._drops_features() else losses

    def _loss(
        self, loss: Named[LossConfig], predictions: Mapping[str, Tensor], batch: Batch
    ) -> Tensor:
        output, task = predictions[self._output(loss.task)], loss.task
        sessions = None
        if loss.kind == "jrc_loss":
            sessions = batch.keys[loss.config.jrc_loss.session_name]
        try:
            rows = row_losses(loss.config, output, self.target(loss.label, batch), sessions)
        except IndexError as error:
            # Raised on the CPU only. The label could not be checked before, because the number of
            # candidates was not known.
            what = f"has {output.shape[1]} scores a row for label {loss.label}: {error}"
            raise error_of(self, "predict", what) from None
        mean = weighted_mean(rows, loss_weights(task, batch))
        return mean if task.weight == 1 else mean * task.weight

    def batch_weight(self, batch: Batch) -> float | dict[str, Tensor]:
        """Returns the number of rows, or the sums of the weights of rows by loss name, scalars."""
        if not self._weighs_rows:
            return float(batch.size)
        weights = {}
        for loss in self._losses:
            of_rows = loss_weights(loss.task, batch)
            if of_rows is None:
                # Filled on the device: a copy would wait.
                device = self.target(loss.label, batch).device
                weights[loss.name] = torch.full((), float(batch.size), device=device)
            else:
                weights[loss.name] = of_rows.sum()
        if self._drops_features():
            device = next(iter(weights.values())).device
            for name in dropout_losses(self, batch.size):
                weights[name] = torch.full((), float(batch.size), device=device)
        return weights

    def _drops_features(self) -> bool:
        return self.training and self.config.HasField("variational_dropout")

    def init_metric(self) -> None:
        """Makes the metrics of the config, on the device of the model."""
        device = next(self.parameters()).device
        self._metrics = {
            metric.name: (metric, build_metric(metric.config, metric.task.num_class).to(device))
            for metric in named_metrics(self.tasks)
        }
        self._train_metrics = {
            metric.name: build_train_metric(metric.config, metric.task.num_class).to(device)
            for metric in self._train_named
        }
        self._unweighted = {
            *(name for name, (_, metric) in self._metrics.items() if not takes_weights(metric)),
            *(
                name
                for name, wrapper in self._train_metrics.items()
                if not takes_weights(wrapper.metric)
            ),
        }

    def update_metric(self, predictions: Mapping[str, Tensor], batch: Batch) -> None:
        """Adds a batch to the metrics of the evaluation."""
        for named, metric in self._metrics.values():
            self._update(metric, named, predictions, batch)

    def compute_metric(self) -> dict[str, Tensor]:
        """Returns the metrics of the evaluation by name, scalars."""
        for metric in self._curve_metrics().values():
            metric.draws_curves = self.draws_curves
        return {name: metric.compute() for name, (_, metric) in self._metrics.items()}

    def metric_bounds(self) -> dict[str, Tensor]:
        """Returns the error bounds of raymon's metrics that have one, by name."""
        bounds = {}
        for name, (_, metric) in self._metrics.items():
            if isinstance(metric, CheckedMetric) and metric.error_bound is not None:
                bounds[name] = metric.error_bound
        return bounds

    def metric_input_errors(self) -> dict[str, dict[str, int]]:
        """Returns what was wrong with the input of raymon's metrics, by metric."""
        errors = {
            name: metric.input_errors()
            for name, (_, metric) in self._metrics.items()
            if isinstance(metric, CheckedMetric)
        }
        return {name: found for name, found in errors.items() if found}

    def metric_details(self) -> dict[str, dict[str, float]]:
        """Returns what raymon's metrics counted along with their values, by metric."""
        details = {
            name: metric.details()
            for name, (_, metric) in self._metrics.items()
            if isinstance(metric, CheckedMetric)
        }
        return {name: figures for name, figures in details.items() if figures}

    def metric_curves(self) -> dict[str, ScoreCurves]:
        """Returns what plots show of the scores of each binary label, by one of its metrics."""
        drawn = {name: metric.curves() for name, metric in self._curve_metrics().items()}
        return {name: curves for name, curves in drawn.items() if curves is not None}

    def metric_groups(self) -> dict[str, GroupFigures]:
        """Returns how the figures of groups are distributed, by grouped metric."""
        found = {
            name: metric.figures()
            for name, (_, metric) in self._metrics.items()
            if isinstance(metric, GroupedMetric)
        }
        return {name: figures for name, figures in found.items() if figures is not None}

    def metric_no_value(self) -> dict[str, str]:
        """Returns why metrics were NaN when they were computed last, by name."""
        reasons = {
            name: metric.why_no_value()
            if isinstance(metric, CheckedMetric)
            else f"{type(metric).__name__} gives NaN"
            for name, (_, metric) in self._metrics.items()
        }
        return {name: why for name, why in reasons.items() if why}

    def metric_without_value(self) -> set[str]:
        """Returns raymon's metrics that are NaN without an error in their input."""
        return {
            name
            for name, (_, metric) in self._metrics.items()
            if isinstance(metric, CheckedMetric)
            and metric.why_no_value() is not None
            and not metric.input_errors()
        }

    def reset_metric(self) -> None:
        """Resets the metrics of the evaluation."""
        for _, metric in self._metrics.values():
            metric.reset()

    def update_train_metric(self, predictions: Mapping[str, Tensor], batch: Batch) -> None:
        """Adds a batch to the decayed metrics of the training."""
        for named in self._train_named:
            self._update(self._train_metrics[named.name], named, predictions, batch)

    @property
    def train_metrics(self) -> Mapping[str, TrainMetricWrapper]:
        """The decayed metrics of the config by name."""
        return self._train_metrics

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        # Metrics move to another device with the model.
        for metric in (
            *(metric for _, metric in self._metrics.values()),
            *self._train_metrics.values(),
        ):
            metric._apply(fn)
        # Annotated, because torch does not.
        apply: Callable[[Callable[[Tensor], Tensor], bool], Self] = super()._apply
        return apply(fn, recurse)

    def _update(
        self,
        metric: _Updatable,
        named: Named[MetricConfig] | Named[TrainMetricConfig],
        predictions: Mapping[str, Tensor],
        batch: Batch,
    ) -> None:
        task = named.task
        preds = predictions[self._score(task)].detach()
        if named.kind in OF_TWO_CLASSES and self.kinds[task.name] is LabelKind.CLASS:
            preds = preds.select(1, 1)
        target = self.target(named.label, batch)
        if named.kind == "custom_metric" and self.kinds[task.name] is not LabelKind.REAL:
            target = target.long()
        arguments = {}
        key, weights = _grouping_key(named.config), sample_weights(task, batch)
        if key is not None:
            arguments["grouping_key"] = batch.keys[key]
        if weights is not None and named.name not in self._unweighted:
            arguments["weights"] = weights
        metric.update(preds, target, **arguments)

    def _curve_metrics(self) -> dict[str, ScoreHistogram]:
        """Returns for each task the metric with the finest counts of its scores, by name."""
        finest: dict[str, tuple[float, str, ScoreHistogram]] = {}
        for name, (named, metric) in self._metrics.items():
            if isinstance(metric, ScoreHistogram):
                fineness = math.inf if metric.thresholds is None else metric.thresholds
                task = named.task.name
                if task not in finest or fineness > finest[task][0]:
                    finest[task] = fineness, name, metric
        return {name: metric for _, name, metric in finest.values()}

    def _output(self, task: Task) -> str:
        return ("y" if self.kinds[task.name] is LabelKind.REAL else "logits") + task.suffix

    def _score(self, task: Task) -> str:
        return ("y" if self.kinds[task.name] is LabelKind.REAL else "probs") + task.suffix

    def _expected(
        self, named: Named[LossConfig] | Named[MetricConfig] | Named[TrainMetricConfig]
    ) -> Expected:
        if self.kinds[named.task.name] is not LabelKind.CLASS:
            return Expected(named.name, 1)
        classes = named.task.num_class
        return Expected(named.name, 2, classes if classes > 1 else None)
