"""The scores of an evaluation, as the journal keeps them."""

from __future__ import annotations

from collections.abc import Mapping

from raymon.protos.report_pb2 import (
    EvaluationRecord,
    GroupFiguresRecord,
    InputError,
    MetricDetail,
    Scalar,
    ScoreCurvesRecord,
)
from raymon.results import Evaluation, GroupFigures, ScoreCurves, short

WITH_CURVES = 8
"""Number of the newest evaluations whose curves the reporter keeps."""


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
        time=evaluation.time,
        curves=[
            ScoreCurvesRecord(metric=metric, **vars(curves))
            for metric, curves in evaluation.curves.items()
        ],
        groups=[
            GroupFiguresRecord(metric=metric, **vars(figures))
            for metric, figures in evaluation.groups.items()
        ],
        seconds=evaluation.seconds,
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
        time=record.time,
        curves={curves.metric: _curves(curves) for curves in record.curves},
        groups={
            found.metric: GroupFigures(list(found.edges), list(found.groups), dict(found.quantiles))
            for found in record.groups
        },
        seconds=record.seconds,
    )


def is_same(one: EvaluationRecord, other: EvaluationRecord) -> bool:
    """Returns whether two records have the same scores, whatever their times and curves are."""
    # As bytes, since NaN is not equal to itself.
    return _bare(one).SerializeToString() == _bare(other).SerializeToString()


def forget_old_curves(records: Mapping[int, EvaluationRecord], state_step: int) -> None:
    """Takes the curves out of all records but the newest few.

    Every state of the reporter has all evaluations, and would grow with their curves. Those of
    older ones are in `monitor/evaluations.jsonl`, which after a restart keeps the lines up to the
    state that it begins from; later ones are written again from their records.

    Args:
        records: Evaluations by step.
        state_step: Step of the newest state; records past it keep their curves.
    """
    for step in sorted(records)[:-WITH_CURVES]:
        if step <= state_step and (records[step].curves or records[step].groups):
            bare = _bare(records[step])
            bare.time, bare.seconds = records[step].time, records[step].seconds
            records[step].CopyFrom(bare)


def _bare(record: EvaluationRecord) -> EvaluationRecord:
    """Returns a copy without time, length and what only plots show, as `Evaluation.bare`."""
    bare = EvaluationRecord()
    bare.CopyFrom(record)
    for field in ("time", "seconds", "curves", "groups"):
        bare.ClearField(field)
    return bare


def _curves(record: ScoreCurvesRecord) -> ScoreCurves:
    return ScoreCurves(
        list(record.edges),
        list(record.negative),
        list(record.positive),
        list(record.predicted),
        list(record.observed),
        list(record.weight),
        [short(rate) for rate in record.false_positive_rate],
        [short(rate) for rate in record.true_positive_rate],
        [short(rate) for rate in record.recall],
        [short(rate) for rate in record.precision],
    )
