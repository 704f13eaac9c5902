"""The session of a run, and what was before it."""

from __future__ import annotations

import json
from pathlib import Path

from raymon.reporter import find_session
from raymon.results import RANK_GONE, Alert, Finding


def test_an_attempt_that_was_killed_names_the_rank_that_was_gone_before(tmp_path: Path) -> None:
    attempt = {"attempt": 2, "time": 1.0, "world_size": 2, "step": 0}
    (tmp_path / "run.json").write_text(json.dumps({"attempts": [attempt], "steps": 40}))
    (tmp_path / "monitor").mkdir()
    assert "without a word" in str(find_session(tmp_path, is_resumed=True).attempts[0].failure)
    found = Finding(RANK_GONE, "rank 1 (a, pid 7) is gone", rank=1, host="a")
    alerts = (Alert(found, attempt=number, step=40, time=2.0) for number in (1, 2))
    lines = "".join(json.dumps(alert.to_json()) + "\n" for alert in alerts)
    (tmp_path / "monitor" / "alerts.jsonl").write_text(lines)
    (closed,) = find_session(tmp_path, is_resumed=True).attempts
    assert (closed.end_step, closed.failure) == (40, "killed: rank 1 (a, pid 7) is gone")
