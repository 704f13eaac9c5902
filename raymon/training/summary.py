"""The summary of a run of raymon, by its config, its progress and its checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from raymon.config import ranking
from raymon.reporter import (
    Progress,
    Session,
    Summary,
    closed,
    newest_numbers,
    with_counts,
)
from raymon.results import (
    ROWS_LEFT_OVER_AN_EPOCH,
    ReporterStatus,
)
from raymon.runs import DIVERGED, DONE, RUNNING, read_devices
from raymon.storage import storage_path
from raymon.training.checkpoint.best import why_no_best
from raymon.training.checkpoint.manifest import Checkpoint, list_checkpoints, newest_checkpoint
from raymon.training.checkpoint.ranking import best_of
from raymon.training.prepare import RunPlan
from raymon.training.table_plans import read_parameters, read_plans


def summarise(
    plan: RunPlan,
    session: Session,
    progress: Progress,
    status: str,
    reported: ReporterStatus | None,
    error: str | None = None,
    failures: Mapping[str, int] | None = None,
) -> Summary:
    """Returns the summary of a run.

    Args:
        plan: Plan of the run.
        session: The session that goes on, or ended.
        progress: Progress of the run as the driver saw it.
        status: See `Summary`; "done" becomes "diverged" if the losses diverged.
        reported: Last status of the reporter; None if it did not answer any more.
        error: What ended it, in one line; None if that was not a failure.
        failures: Number of failures of monitoring in the process of the driver, by reason.
    """
    model_dir = storage_path(plan.config.model_dir)
    checkpoints = list_checkpoints(model_dir)
    newest = newest_checkpoint(model_dir)
    export = ranking(plan.config)
    best = best_of(checkpoints, export)
    if best is None and not any(checkpoint.metrics for checkpoint in checkpoints):
        best = newest
    no_best = None
    if best is None:
        metric = export.best_exporter_metric
        no_best = why_no_best(checkpoints, metric) if checkpoints else "there is no checkpoint"
    last = progress.last
    before = {} if last else _same_numbers(session.before, newest)
    evaluations = {evaluation.step: evaluation for evaluation in progress.evaluations}
    scored = evaluations.get(newest.step) if newest else None
    scored_best = evaluations.get(best.step) if best else None
    diverged_since = progress.diverged_since if last else before.get("diverged_since")
    if status == DONE and diverged_since is not None:
        status = DIVERGED
    attempts = progress.attempts.listed
    if status != RUNNING:
        attempts = closed(attempts, progress.attempts.reached, error)
    summary = Summary(
        status=status,
        model_dir=str(model_dir),
        start=session.start,
        total_steps=plan.total_steps,
        workers=attempts[-1].world_size if attempts else before.get("workers"),
        parameters=read_parameters(model_dir),
        attempts=attempts,
        steps=newest.step if newest else 0,
        stopped_early=newest.stopped if newest else None,
        diverged_since=diverged_since,
        epochs=newest.epoch if newest else 0,
        **newest_numbers(last, before),
        eval_metrics=dict(newest.metrics) if newest else {},
        eval_metric_bounds=dict(
            scored.metric_bounds if scored else before.get("eval_metric_bounds", {})
        ),
        eval_metric_details=dict(
            scored.metric_details if scored else before.get("eval_metric_details", {})
        ),
        no_value=dict(scored.no_value if scored else before.get("no_value", {})),
        best_checkpoint=str(best.path) if best else None,
        no_best=no_best,
        best_metrics=dict(best.metrics) if best else {},
        best_metric_bounds=dict(scored_best.metric_bounds) if scored_best else {},
        embedding_tables=read_plans(model_dir),
        devices=read_devices(model_dir),
        error=error,
    )
    if reported is not None:
        here = {**progress.hook_failures, **(failures or {})}
        summary = with_counts(summary, reported, here)
    if plan.left_over:
        left_over = {ROWS_LEFT_OVER_AN_EPOCH: plan.left_over}
        summary = replace(summary, input_counts={**summary.input_counts, **left_over})
    return _with_newer(summary, progress) if status == RUNNING else summary


def _with_newer(summary: Summary, progress: Progress) -> Summary:
    """Returns a summary with what is newer than the newest checkpoint."""
    newest = progress.evaluations[-1] if progress.evaluations else None
    newer = replace(summary, steps=max(summary.steps, progress.attempts.reached))
    if newest is None or newest.step < summary.steps:
        return newer
    return replace(
        newer,
        eval_metrics=dict(newest.metrics),
        eval_metric_bounds=dict(newest.metric_bounds),
        eval_metric_details=dict(newest.metric_details),
        no_value=dict(newest.no_value),
    )


def _same_numbers(before: Mapping[str, Any], newest: Checkpoint | None) -> Mapping[str, Any]:
    """Returns the summary of a run that was resumed when no step was left to make."""
    is_same = newest is not None and before.get("steps") == newest.step
    return before if is_same else {}
