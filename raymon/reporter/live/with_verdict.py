"""The verdict in the summary of a run."""

from __future__ import annotations

import logging
from dataclasses import replace

from raymon.diagnosis import explain
from raymon.errors import RunError
from raymon.reporter.live.summary import Summary
from raymon.runs import read_run
from raymon.storage import storage_path

_log = logging.getLogger("raymon")


def with_verdict(summary: Summary) -> Summary:
    """Returns the summary of a run that has ended, with its verdict where one can be had."""
    try:
        known = read_run(storage_path(summary.model_dir))
    except RunError as error:
        _log.debug("No verdict: %s", error)
        return summary
    run = replace(
        known,
        status=summary.status,
        goes_on=False,
        error=summary.error,
        diverged_since=summary.diverged_since,
    )
    return replace(summary, verdict=explain(run).short)
