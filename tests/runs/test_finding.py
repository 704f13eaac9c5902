"""Runs are found wherever they are below a directory, each once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from raymon import Run
from raymon.runs import find_runs, finding
from tests.runs.written import write_checkpoint, write_summary, write_windows
from tests.storage.objects import Objects


def names(root: Path, *roots: Path) -> list[str]:
    found = find_runs(roots or [root])
    return [str(path.relative_to(root)) for path in found.paths]


def test_runs_are_found_at_any_depth_by_either_of_their_files(tmp_path: Path) -> None:
    write_summary(tmp_path / "b")
    write_windows(tmp_path / "a" / "deep" / "er", 10)
    (tmp_path / "monitor").mkdir()
    (tmp_path / "c" / "monitor").mkdir(parents=True)
    assert names(tmp_path) == ["a/deep/er", "b"]


def test_a_root_may_be_a_run(tmp_path: Path) -> None:
    write_summary(tmp_path)
    assert names(tmp_path) == ["."]


def test_what_is_in_directories_of_a_run_itself_is_no_run(tmp_path: Path) -> None:
    write_summary(tmp_path / "run")
    write_summary(write_checkpoint(tmp_path / "run", 10))
    for own in ("monitor", "logs", "export", ".hidden"):
        write_summary(tmp_path / "run" / own)
    assert names(tmp_path) == ["run"]


def test_monitors_with_names_are_runs_in_the_directory_of_another(tmp_path: Path) -> None:
    write_windows(tmp_path / "run", 10)
    write_windows(tmp_path / "run" / "teacher", 10)
    assert names(tmp_path) == ["run", "run/teacher"]


def test_links_are_followed_and_circles_are_not(tmp_path: Path) -> None:
    write_summary(tmp_path / "elsewhere" / "run")
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to(tmp_path / "elsewhere")
    (root / "circle").symlink_to(root)
    (root / "itself").symlink_to(root / "itself")
    (root / "nowhere").symlink_to(tmp_path / "missing")
    assert names(root) == ["link/run"]


def test_a_run_that_is_met_twice_is_there_once(tmp_path: Path) -> None:
    write_summary(tmp_path / "run")
    (tmp_path / "link").symlink_to(tmp_path / "run")
    assert len(names(tmp_path, tmp_path, tmp_path / "run", tmp_path)) == 1


def test_what_cannot_be_searched_is_noted_and_hides_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_summary(tmp_path / "a")
    (tmp_path / "secret").mkdir()
    scandir = os.scandir

    def refuse(path: str) -> object:
        if path.endswith("secret"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(finding.os, "scandir", refuse)
    found = find_runs([tmp_path, tmp_path / "missing", "no-such-scheme://x", "a\0b"])
    assert found.paths == [tmp_path / "a"]
    assert found.notes[0] == (
        f"1 directory cannot be searched: {tmp_path}/secret (Permission denied)"
    )
    assert found.notes[1] == (f"{tmp_path}/missing: cannot be searched: No such file or directory")
    assert len(found.notes) == 4
    assert all("\n" not in note for note in found.notes)


def test_a_search_of_too_much_ends_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "_MOST_DIRECTORIES", 5)
    for number in range(9):
        write_summary(tmp_path / f"run-{number}")
    found = find_runs([tmp_path])
    assert len(found.paths) == 4
    assert found.notes == [
        f"{tmp_path}: has more than 5 directories; the others are not searched: give a directory "
        "further down"
    ]


def test_nothing_of_a_run_is_read_to_find_it(tmp_path: Path) -> None:
    (tmp_path / "run" / "run.json").mkdir(parents=True)
    (path,) = find_runs([tmp_path]).paths
    (tmp_path / "run" / "run.json").rmdir()
    (tmp_path / "run" / "run.json").write_text("{")
    assert Run(path).notes == ["run.json: it is half written, or no JSON object"]


def test_runs_on_object_storage_are_found_by_their_objects() -> None:
    objects = Objects()
    for key in (
        "runs/a/run.json",
        "runs/a/model.ckpt-1/run.json",
        "runs/b/c/monitor/windows.jsonl/part-1-0",
        "runs/d/notes.txt",
    ):
        objects.objects[f"bucket/{key}"] = b"{}"
    found = find_runs([objects.path("runs"), objects.path("missing")])
    assert [str(path) for path in found.paths] == ["mem://bucket/runs/a", "mem://bucket/runs/b/c"]
    assert found.notes == ["mem://bucket/missing: there is nothing"]
