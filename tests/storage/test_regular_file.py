"""Files that are read, and what is no file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from raymon.storage import open_file, read_file


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"\x00 text\r\n")
    with open_file(path) as file:
        assert file.read() == b"\x00 text\r\n"
    assert read_file(path) == b"\x00 text\r\n"


def test_a_file_of_the_size_allowed_is_read_and_a_larger_one_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 100)
    assert read_file(path, most_bytes=100) == b"x" * 100
    with pytest.raises(OSError, match="more than"):
        read_file(path, most_bytes=99)


def test_a_pipe_without_a_writer_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="it is no file"):
        open_file(tmp_path / "pipe")
    with pytest.raises(OSError, match="it is no file"):
        read_file(tmp_path / "pipe")


def test_a_device_without_an_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / "zeros").symlink_to("/dev/zero")
    with pytest.raises(OSError, match="it is no file"):
        read_file(tmp_path / "zeros")


def test_a_directory_and_a_file_that_is_missing_are_said_as_by_python(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        open_file(tmp_path)
    with pytest.raises(FileNotFoundError):
        open_file(tmp_path / "missing")


def test_what_is_refused_leaves_no_file_open(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        with pytest.raises(OSError, match="it is no file"):
            open_file(tmp_path / "pipe")
    assert len(os.listdir("/proc/self/fd")) == before
