"""The scores of an evaluation, as the journal keeps them."""

from __future__ import annotations

from raymon.protos.report_pb2 import EvaluationRecord, InputError, MetricDetail, Scalar
from raymon.results import Evaluation


def to_record(evaluation: Evaluation) -> EvaluationRecord:
    """Returns the record that `from_record` reads."""
    return EvaluationRecord(
        step=evaluation.step,
        metrics=[Scalar(name=name, value=value) for name, value in evaluation.metrics.items()],
        bounds=[Scalar(name=name, value=value) for name, value in evaluation.metric_bounds.items()],
        input_errors=[
            InputError(metric=metric, what=what, count=count)
            for metric, found in evaluation.input_errors.items()
            for what, count in found.items()
        ],
        details=[
            MetricDetail(metric=metric, name=name, value=value)
            for metric, details in evaluation.metric_details.items()
            for name, value in details.items()
        ],
        no_value=evaluation.no_value,
    )


def from_record(record: EvaluationRecord) -> Evaluation:
    """Returns the evaluation of a record."""
    errors: dict[str, dict[str, int]] = {}
    for error in record.input_errors:
        errors.setdefault(error.metric, {})[error.what] = error.count
    details: dict[str, dict[str, float]] = {}
    for detail in record.details:
        details.setdefault(detail.metric, {})[detail.name] = detail.value
    return Evaluation(
        record.step,
        {metric.name: metric.value for metric in record.metrics},
        {bound.name: bound.value for bound in record.bounds},
        errors,
        details,
        dict(record.no_value),
    )
