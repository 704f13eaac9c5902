"""`/api/runs/{id}/logs` and `/log`: the log lines of the processes of a run."""

from __future__ import annotations

import json
from typing import Any

from raymon.board.web.query import Query, QueryError
from raymon.runs import Run
from raymon.storage import StoragePath

_MOST_LINES = 10_000


def logs(run: Run, query: Query) -> dict[str, Any]:
    """Returns the names of the log files."""
    return {"files": _files(run)}


def log(run: Run, query: Query) -> dict[str, Any]:
    """Returns the last lines of a log file, by default of the first one."""
    files, lines = _files(run), query.whole("lines", 500, 1, _MOST_LINES)
    name = query.text("file") or next(iter(files), "")
    if name not in files:
        raise QueryError(f"file is {name[:80]!r}, which is no log file of the run")
    return {"file": name, "lines": _tail(run, name, lines)}


def _files(run: Run) -> list[str]:
    directory: StoragePath = run.path / "logs"
    try:
        return sorted(path.name for path in directory.iterdir() if path.is_file())
    except OSError:
        return []


def _tail(run: Run, name: str, count: int) -> list[dict[str, Any]]:
    lines = (run.path / "logs" / name).read_bytes().splitlines()[-count:]
    found = []
    for line in lines:
        try:
            record = json.loads(line)
            found.append({k: record.get(k) for k in ("time", "level", "message")})
        except ValueError:
            found.append({"time": None, "level": None, "message": line.decode(errors="replace")})
    return [{"time": e["time"], "level": e["level"], "text": e["message"]} for e in found]
