"""`run.json`, the summary of a run: its name, and what its status can be."""

from __future__ import annotations

RUN_FILE = "run.json"
"""Name of the file, in the directory of the run."""

DONE, DIVERGED, STOPPED = "done", "diverged", "stopped"
RUNNING, FAILED, INTERRUPTED = "running", "failed", "interrupted"
"""Values of its `status`."""

STARTING = "starting"
"""Status of a run before its workers train."""

KILLED = "killed"
"""Status of a run that did not say that it ended, and whose process is gone."""

UNKNOWN = "unknown"
"""Status of a run without a summary, such as one of an earlier version."""
