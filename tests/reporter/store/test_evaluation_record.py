"""Evaluations go through the journal as they are."""

from __future__ import annotations

import io
from dataclasses import asdict, replace

import torch

from raymon.protos.report_pb2 import EvaluationRecord, Scalar
from raymon.reporter.store.evaluation_record import (
    WITH_CURVES,
    forget_old_curves,
    from_record,
    is_same,
    to_record,
)
from raymon.results import Evaluation
from tests.metrics.test_score_curves import clicks, drawn
from tests.sinks.evaluations import evaluation


def with_real_curves() -> Evaluation:
    return evaluation(20, metrics={"auc": 0.75}, curves={"auc": drawn(*clicks(50_000))})


def test_an_evaluation_comes_back_to_the_bit() -> None:
    there = with_real_curves()
    written = to_record(there).SerializeToString()
    assert from_record(EvaluationRecord.FromString(written)) == there
    # The rates are single floats.
    assert len(written) < 5_000


def test_a_record_of_before_there_were_curves_is_read() -> None:
    old = EvaluationRecord(step=10, metrics=[Scalar(name="auc", value=0.5)])
    assert from_record(old) == Evaluation(10, {"auc": 0.5})


def test_an_evaluation_that_is_made_again_is_the_same() -> None:
    first = to_record(evaluation(20))
    assert is_same(first, to_record(replace(evaluation(20), time=30.0, curves={})))
    assert not is_same(first, to_record(replace(evaluation(20), metrics={"auc": 0.7})))


def test_only_the_newest_evaluations_keep_their_curves() -> None:
    steps = range(10, 10 * WITH_CURVES + 40, 10)
    records = {step: to_record(evaluation(step)) for step in steps}
    forget_old_curves(records, max(steps))
    for number, step in enumerate(reversed(steps)):
        there = evaluation(step)
        kept = there if number < WITH_CURVES else there.without_curves()
        assert records[step].SerializeToString() == to_record(kept).SerializeToString()


def test_evaluations_past_the_newest_state_keep_their_curves() -> None:
    records = {step: to_record(evaluation(step)) for step in range(10, 10 * WITH_CURVES + 40, 10)}
    forget_old_curves(records, 10)
    assert [step for step, record in records.items() if not record.curves] == [10]


def test_an_evaluation_comes_back_from_a_checkpoint() -> None:
    file = io.BytesIO()
    there = replace(with_real_curves(), without_value=set())
    torch.save(asdict(there), file)
    file.seek(0)
    assert Evaluation.from_plain(torch.load(file)) == there
    old = {"step": 10, "metrics": {"auc": 0.5}}
    assert Evaluation.from_plain(old) == Evaluation(10, {"auc": 0.5})
