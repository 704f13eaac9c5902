"""What is known of a failure is kept where there is room."""

from __future__ import annotations

from pathlib import Path

import pytest

from raymon.run_dir import naming, write_failure


def test_it_is_in_the_run_or_in_a_temporary_file_or_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert write_failure("why", tmp_path / "run", 3) == str(tmp_path / "run/monitor/failure-3.txt")
    assert (tmp_path / "run/monitor/failure-3.txt").read_text() == "why"
    # A path that is a file is no directory of a run.
    (tmp_path / "file").write_text("")
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    for model_dir in (tmp_path / "file" / "run", None):
        kept = write_failure("why", model_dir, "export")
        assert kept is not None
        assert Path(kept).parent == tmp_path / "temporary"
        assert Path(kept).read_text() == "why"
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    assert write_failure("why", None, "export") is None


def test_a_line_names_the_file_if_there_is_one() -> None:
    assert naming("ValueError: no", "/runs/a/failure-1.txt") == (
        "ValueError: no; details are in /runs/a/failure-1.txt"
    )
    assert naming("ValueError: no", None) == "ValueError: no"
