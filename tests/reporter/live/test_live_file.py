"""`monitor/live.json` is whole, new where something happened, and gone at the end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from raymon.reporter.live.live_file import LiveFile


def status(step: int, heard_s: float) -> dict[str, Any]:
    rank = {"rank": 0, "step": step, "heard_s": heard_s, "phase": "forward", "phase_s": heard_s}
    return {"step": step, "ranks": [rank], "eta_s": 9.0, "coverage": {"oldest_s": heard_s}}


def test_a_file_in_which_only_ages_would_change_is_left_for_a_while(tmp_path: Path) -> None:
    now = [100.0]
    file = LiveFile(tmp_path, lambda: now[0])
    path = tmp_path / "monitor" / "live.json"
    assert file.write(status(1, 0.1))
    assert json.loads(path.read_text()) == {**status(1, 0.1), "time": 100.0}
    now[0] += 1
    assert not file.write(status(1, 1.1))
    assert file.write(status(2, 0.1))
    now[0] += 5
    assert file.write(status(2, 5.1))
    assert json.loads(path.read_text()) == {**status(2, 5.1), "time": 106.0}
    # A clock that was set back does not keep it from being written.
    now[0] = 3.0
    assert file.write(status(2, 6.1))


def test_a_number_that_has_no_value_is_null(tmp_path: Path) -> None:
    LiveFile(tmp_path, lambda: 1.0).write({"losses": {"total_loss": float("nan")}})
    text = (tmp_path / "monitor" / "live.json").read_text()
    assert json.loads(text)["losses"] == {"total_loss": None}


def test_at_the_end_it_is_gone(tmp_path: Path) -> None:
    file = LiveFile(tmp_path)
    file.write(status(1, 0.1))
    file.remove()
    file.remove()
    assert list((tmp_path / "monitor").iterdir()) == []
