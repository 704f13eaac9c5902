"""Requests as files: each comes once, those of an earlier session never."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyarrow import fs

from raymon.reporter.on_ray.letterbox import Letterbox
from raymon.storage import ObjectPath, StoragePath, write_whole
from raymon.training.on_demand.mailbox import FileMailbox, answer_path, clear_requests, request_path
from raymon.training.on_demand.request import DONE, STACK, STATUS, Answer, Request
from tests.storage.objects import Objects


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(params=["files", "objects"])
def run(request: pytest.FixtureRequest, tmp_path: Path) -> StoragePath:
    """The directory of a run, on this machine or on object storage."""
    if request.param == "files":
        return tmp_path
    return ObjectPath(fs.PyFileSystem(Objects()), "bucket/run", "fake://bucket/run")


def post(directory: StoragePath, request: Request) -> None:
    write_whole(request_path(directory, request.id), request.to_bytes())


def test_a_request_is_seen_once(run: StoragePath) -> None:
    clock, early, late = Clock(), Request(STATUS), Request(STACK, {"ranks": [1]})
    clear_requests(run)
    post(run, early)
    clear_requests(run)
    box = FileMailbox(run, clock)
    assert box.posted() == {}
    post(run, late)
    # It looks only every so often.
    assert box.posted() == {}
    clock.now = 10.0
    ((id, body),) = box.posted().items()
    assert Request.from_bytes(id, body) == late
    answer = Answer(DONE, result={"1": "at the coffee machine"})
    box.reply(id, answer.to_bytes())
    assert Answer.from_bytes(answer_path(run, id).read_bytes()) == answer
    clock.now = 20.0
    assert box.posted() == {}


def test_who_does_not_wait_gets_no_answer(run: StoragePath) -> None:
    clock, asked = Clock(), Request(STATUS)
    box = FileMailbox(run, clock)
    post(run, asked)
    assert list(box.posted()) == [asked.id]
    request_path(run, asked.id).unlink()
    box.reply(asked.id, Answer(DONE).to_bytes())
    assert not answer_path(run, asked.id).exists()


def test_other_files_are_no_requests(tmp_path: Path) -> None:
    clock = Clock()
    box = FileMailbox(tmp_path, clock)
    for name in ("a.json", "x" * 32 + ".json", ".tmp", "0" * 32 + ".answer.json"):
        write_whole(tmp_path / "monitor" / "requests" / name, b"{}")
    write_whole(request_path(tmp_path, "1" * 32), b"{" * 100_000)
    clock.now = 10.0
    assert box.posted() == {}


@pytest.mark.parametrize("body", [b"", b"[]", b'{"kind": "status"}', b"\xff", b'{"options": {}}'])
def test_what_is_no_request_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"^(not a request|the run knows no|Expecting|'utf-8')"):
        Request.from_bytes("id", body)
    with pytest.raises(ValueError, match=r"^(not an answer|Expecting|'utf-8')"):
        Answer.from_bytes(body)


def test_a_letterbox_keeps_the_newest() -> None:
    box = Letterbox(most=2)
    assert box.post("a", b"1") is None
    box.reply("a", b"yes")
    assert box.post("a", b"1") == b"yes"
    box.post("b", b"2")
    box.post("c", b"3")
    assert box.posted() == {"b": b"2", "c": b"3"}


def test_what_cannot_be_read_holds_up_no_other_request(tmp_path: Path) -> None:
    clock, first, last = Clock(), Request(STATUS), Request(STACK)
    box = FileMailbox(tmp_path, clock)
    # A directory can be read by nobody, whoever runs this.
    rubbish = [request_path(tmp_path, id) for id in ("0" * 32, "8" * 32, "f" * 32)]
    for path in rubbish:
        assert isinstance(path, Path)
        path.mkdir(parents=True)
    post(tmp_path, first)
    assert list(box.posted()) == [first.id]
    clock.now = 10.0
    post(tmp_path, last)
    assert list(box.posted()) == [last.id]
