"""Explains a run: from what is known of it to a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from raymon.diagnosis.step_window import StepWindow
from raymon.diagnosis.stragglers import STRAGGLER, Straggler, StragglerRule, StragglerTracker
from raymon.diagnosis.verdicts.endings import STARTING, ended
from raymon.diagnosis.verdicts.reasons import Reason, computing, reasons
from raymon.diagnosis.verdicts.run_record import RunRecord
from raymon.diagnosis.verdicts.time_budget import TimeBudget
from raymon.diagnosis.verdicts.verdict import Verdict
from raymon.number_text import count_text
from raymon.results import BACKWARD, DATA, FORWARD, START, STEP, Finding

UNKNOWN = "unknown"

_RECENT_S = 120.0
"""Seconds of steps, the newest ones, that the verdict on a run that goes on is about."""

_LEAST_RECENT = 2

_BLOCKS = 20
"""Blocks that ranks are compared in, if there are as many windows; each has at most 2.5 s."""

_STRAGGLER_SHARE = 0.1
_NOTED_SHARE = 0.01
_MOST_NOTED = 3

_START_SHARE = 0.3


def explain(run: RunRecord) -> Verdict:
    """Returns why a run is slow, or how it ended, with the evidence."""
    slowness = _slowness(run)
    end = ended(run)
    if end is None:
        return slowness
    return replace(end, findings=[*end.findings, *slowness.findings], budget=slowness.budget)


def _slowness(run: RunRecord) -> Verdict:
    windows = [window for window in run.windows if window.steps > 0 and window.seconds > 0]
    if not windows:
        return _unknown("no step was reported", run.alerts)
    tracker = _tracker(windows)
    slow = {straggler.rank for straggler in tracker.on}
    recent = _recent(windows) if run.goes_on else windows
    budget = TimeBudget.of(recent, slow)
    if budget.total_s <= 0:
        return _unknown("this run has no seconds of the phases of its steps", run.alerts)
    found = reasons(budget)
    stragglers = _stragglers(tracker, windows, run)
    findings = [
        *(straggler.finding(run.hosts.get(straggler.rank)) for straggler in stragglers),
        *(reason.finding for reason in found),
        *_other_alerts(run),
        *_start(TimeBudget.of(windows)),
        *_noted(tracker, windows, run),
    ]
    worst = stragglers[0] if stragglers else None
    if worst is not None and worst.share >= max((reason.share for reason in found), default=0.0):
        return _of_straggler(stragglers, run, findings, budget)
    if found:
        return _of_reason(found[0], findings, budget)
    if budget.share(STEP) >= 0.5 and budget.share(FORWARD, BACKWARD) == 0:
        why = (
            f"the loop does not tell its phases apart: {budget.share(STEP) * 100:.0f} % of the "
            "time is in its steps as a whole"
        )
        return _unknown(why, findings, budget)
    computes = computing(budget)
    return _of_reason(computes, [computes.finding, *findings], budget)


def _tracker(windows: Sequence[StepWindow]) -> StragglerTracker:
    seconds = sum(window.seconds for window in windows)
    rule = StragglerRule()
    tracker = StragglerTracker(
        replace(rule, block_s=min(rule.block_s, seconds / _BLOCKS), known=0),
    )
    for window in windows:
        tracker.add(window)
    return tracker


def _recent(windows: Sequence[StepWindow]) -> Sequence[StepWindow]:
    seconds, count = 0.0, 0
    for window in reversed(windows):
        if count >= _LEAST_RECENT and seconds >= _RECENT_S:
            break
        seconds += window.seconds
        count += 1
    return windows[-count:]


def _stragglers(
    tracker: StragglerTracker, windows: Sequence[StepWindow], run: RunRecord
) -> list[Straggler]:
    """Returns the ranks that are slow, or were so for a good part of a run that is over."""
    seconds = sum(window.seconds for window in windows)
    past = [] if run.goes_on else tracker.past
    long = [each for each in past if each.lost_s >= _STRAGGLER_SHARE * seconds]
    return sorted([*tracker.on, *long], key=lambda straggler: -straggler.lost_s)


def _noted(
    tracker: StragglerTracker, windows: Sequence[StepWindow], run: RunRecord
) -> list[Finding]:
    """Returns what is said of ranks that were slow for a while, or once."""
    seconds = sum(window.seconds for window in windows)
    told = {(each.rank, each.first_step) for each in _stragglers(tracker, windows, run)}
    noted = [
        straggler
        for straggler in sorted([*tracker.past, *tracker.once], key=lambda each: -each.lost_s)
        if straggler.lost_s >= _NOTED_SHARE * seconds
        and (straggler.rank, straggler.first_step) not in told
    ]
    return [each.finding(run.hosts.get(each.rank)) for each in noted[:_MOST_NOTED]]


def _other_alerts(run: RunRecord) -> list[Finding]:
    return [finding for finding in run.alerts if finding.kind != STRAGGLER]


def _start(budget: TimeBudget) -> list[Finding]:
    in_all = budget.start_s + budget.total_s
    if budget.start_s < _START_SHARE * in_all:
        return []
    text = f"starting up: {budget.start_s:.1f} s went before the first step"
    return [Finding(STARTING, text, phase=START, last_step=budget.first_step)]


def _of_straggler(
    stragglers: Sequence[Straggler], run: RunRecord, findings: Sequence[Finding], budget: TimeBudget
) -> Verdict:
    worst, more = stragglers[0], len(stragglers) - 1
    finding = worst.finding(run.hosts.get(worst.rank))
    who = f"rank {worst.rank}" + (f" on {finding.host}" if finding.host else "")
    if more:
        who += f" and {more} more" if more > 1 else f" and rank {stragglers[1].rank}"
    others = f" {more} more of the ranks {'is' if more == 1 else 'are'} slow too." if more else ""
    steps = f"from step {worst.first_step:,}" + (f" to {worst.end_step:,}" if worst.is_over else "")
    return Verdict(
        finding.kind,
        f"waiting for a straggler: {finding.text}.{others} {_what_helps(worst, run)}",
        f"waiting for a straggler: {who}, slow in {worst.phase} {steps}, "
        f"{'cost' if worst.is_over or more else 'costs'} {count_text(worst.cost)} samples/s",
        findings,
        str(budget),
    )


def _what_helps(straggler: Straggler, run: RunRecord) -> str:
    where = run.hosts.get(straggler.rank) or "its machine"
    if straggler.phase == DATA:
        return f"Look at what it reads, and at the disk, the network and other load of {where}."
    return f"Look for other load, a throttled device, or fewer CPUs on {where}."


def _of_reason(reason: Reason, findings: Sequence[Finding], budget: TimeBudget) -> Verdict:
    few = "" if budget.windows > 1 else f" So far only steps {_steps(budget)} are known."
    about = "" if budget.is_exact else " Single ranks are not known."
    text = f"{reason.finding.text}. {reason.remedy}{few}{about}"
    return Verdict(reason.finding.kind, text, reason.short, findings, str(budget))


def _steps(budget: TimeBudget) -> str:
    return f"{budget.first_step:,} to {budget.end_step:,}"


def _unknown(
    why: str, findings: Sequence[Finding] = (), budget: TimeBudget | None = None
) -> Verdict:
    text = f"not known, because {why}"
    return Verdict(UNKNOWN, text, text, findings, "" if budget is None else str(budget))
