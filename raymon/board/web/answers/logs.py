"""`/api/runs/{id}/logs` and `/log`: the log lines of the processes of a run."""

from __future__ import annotations

from typing import Any

from raymon.board.web.query import Query, QueryError
from raymon.runs import Run

_MOST_LINES = 10_000


def logs(run: Run, query: Query) -> dict[str, Any]:
    """Returns the names of the log files."""
    return {"files": run.log_files()}


def log(run: Run, query: Query) -> dict[str, Any]:
    """Returns the last lines of a log file, by default of the first one."""
    files, lines = run.log_files(), query.whole("lines", 500, 1, _MOST_LINES)
    name = query.text("file") or next(iter(files), "")
    if name not in files:
        raise QueryError(f"file is {name[:80]!r}, which is no log file of the run")
    return {"file": name, "lines": [dict(vars(line)) for line in run.log_tail(name, lines)]}
