"""The output of a command, wherever it goes."""

import io
import os
import subprocess
import sys

import pytest

from raymon.cli.streams import prepare_streams, say


def test_what_an_encoding_lacks_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="latin-1"))
    prepare_streams()
    say("損失 0.5")
    assert raw.getvalue() == b"\\u640d\\u5931 0.5\n"


@pytest.mark.parametrize("stream", [None, io.StringIO(), object()], ids=["none", "text", "bare"])
def test_streams_of_any_kind_stay_as_they_are(
    stream: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(sys, "stderr", stream)
    prepare_streams()
    assert sys.stdout is stream


SAYS = """
import sys
from raymon.cli.streams import say
for line in range(20_000):
    say("a line " * 10)
sys.exit(7)
"""


@pytest.mark.parametrize("reads", ["pipe", "full disk", "nobody"])
def test_output_that_nobody_takes_changes_no_exit_code(reads: str) -> None:
    command = [sys.executable, "-c", SAYS]
    if reads == "full disk":
        with open("/dev/full", "w") as full:
            ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)
        code, errors = ended.returncode, ended.stderr
    elif reads == "nobody":
        closes = ["bash", "-c", 'exec "$@" >&-', "bash", *command]
        ended = subprocess.run(closes, stderr=subprocess.PIPE, check=False)
        code, errors = ended.returncode, ended.stderr
    else:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert process.stdout is not None
        os.read(process.stdout.fileno(), 10)
        process.stdout.close()
        assert process.stderr is not None
        errors = process.stderr.read()
        process.stderr.close()
        code = process.wait()
    assert (code, errors) == (7, b"")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;title\x07\x1b[2J\x9b31m\r", "\\x1b]0;title\\x07\\x1b[2J\\x9b31m\\r"),
        ("a \u202e turned name", "a \\u202e turned name"),
        ("two\nlines, été 日本 \N{NO-BREAK SPACE}", "two\nlines, été 日本 \N{NO-BREAK SPACE}"),
        ('{"a": "\\u001b"}', '{"a": "\\u001b"}'),
    ],
)
def test_what_a_run_says_does_nothing_to_a_terminal(
    text: str, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    say(text)
    assert capsys.readouterr().out == f"{shown}\n"
