from __future__ import annotations

import socket

import pytest

from raymon.board.web.serve import BoardError, serve


def _say(line: str) -> None:
    raise KeyboardInterrupt(line)


def test_a_port_in_use_is_said_in_one_line(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BoardError, match=f"^port {port} is in use: [^\n]*$"):
            serve([str(tmp_path)], "127.0.0.1", port, _say)


def test_a_host_that_is_none_is_said_in_one_line(tmp_path):
    with pytest.raises(BoardError, match=r"^--host no\.such\.host\.invalid: [^\n]*$"):
        serve([str(tmp_path)], "no.such.host.invalid", 0, _say)


def test_the_link_of_this_machine_needs_no_token_and_any_other_does(tmp_path):
    with pytest.raises(KeyboardInterrupt, match=r"http://127\.0\.0\.1:\d+/ \(Ctrl-C ends it\)"):
        serve([str(tmp_path)], "127.0.0.1", 0, _say)
    with pytest.raises(KeyboardInterrupt, match=r"http://0\.0\.0\.0:\d+/\?token=[\w-]{20,}$"):
        serve([str(tmp_path)], "0.0.0.0", 0, _say)


def test_a_directory_that_there_is_not_is_said_and_waited_for(tmp_path):
    said = []

    def say(line):
        said.append(line)
        if len(said) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        serve([str(tmp_path), str(tmp_path / "runs")], "127.0.0.1", 0, say)
    assert said[2] == f"{tmp_path / 'runs'}: there is no such directory yet"
