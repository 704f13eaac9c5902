"""Verdicts on runs that failed, hang, diverged, or have not begun."""

from __future__ import annotations

from raymon.diagnosis.numbers.loss_plateau import LossPlateau
from raymon.diagnosis.numbers.loss_spike import LossSpike
from raymon.diagnosis.numbers.non_finite import NON_FINITE
from raymon.diagnosis.numbers.one_class import OneClass
from raymon.diagnosis.numbers.window_means import LowAuc
from raymon.diagnosis.numbers.zero_learning_rate import ZeroLearningRate
from raymon.diagnosis.verdicts.run_record import RunRecord
from raymon.diagnosis.verdicts.verdict import Verdict
from raymon.results import HANG, START, Finding

FAILED, HUNG, DIVERGED, SICK = "failed", "hung", "diverged", "sick"
STARTING = "starting"

_SICK = (LowAuc.kind, OneClass.kind, ZeroLearningRate.kind, LossPlateau.kind, LossSpike.kind)
"""Alerts of numbers with which it matters little how fast a run is."""


def ended(run: RunRecord) -> Verdict | None:
    """Returns the verdict on a run of which its speed says least; None for any other one."""
    if run.status == "failed" or (run.status == "running" and run.goes_on is False):
        return _failed(run)
    last_step = run.windows[-1].end_step - 1 if run.windows else None
    hang = _alert(run, HANG)
    if hang is not None and run.status in ("", "running"):
        return Verdict(HUNG, f"hung: {hang.text}", f"hung: {hang.text}", [hang])
    not_finite = _alert(run, NON_FINITE)
    if run.status == "diverged" or run.diverged_since is not None or not_finite is not None:
        since = run.diverged_since
        if since is None and not_finite is not None:
            since = not_finite.first_step
        short = "diverged: losses or gradients are NaN or infinite"
        if since is not None:
            short += f" from step {since:,} on"
        text = f"{short}. A lower learning rate or grad_clipping may help."
        finding = not_finite or Finding(DIVERGED, short, first_step=since, last_step=last_step)
        return Verdict(DIVERGED, text, short, [finding])
    for kind in _SICK:
        alert = _alert(run, kind)
        if alert is not None:
            return Verdict(SICK, f"sick: {alert.text}", f"sick: {alert.text}", [alert])
    if run.goes_on and not run.windows:
        text = "starting up: no step is reported yet"
        return Verdict(STARTING, text, text, [Finding(STARTING, text, phase=START)])
    return None


def _failed(run: RunRecord) -> Verdict:
    last = f" after step {run.windows[-1].end_step:,}" if run.windows else " before its first step"
    if run.status == "running":
        why = f"its process is gone{last}, and said nothing: it was killed, or its machine is gone"
    else:
        why = run.error or f"it failed{last}, and nothing is known of why"
    where = run.failure_file
    text = f"failed: {why}"
    if where is not None and where not in text:
        text += f"; the newest account of a failure is in {where}"
    finding = Finding(FAILED, text, last_step=run.windows[-1].end_step - 1 if run.windows else None)
    return Verdict(FAILED, text, f"failed: {why}", [finding])


def _alert(run: RunRecord, kind: str) -> Finding | None:
    return next((finding for finding in run.alerts if finding.kind == kind), None)
