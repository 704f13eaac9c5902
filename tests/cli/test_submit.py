"""`raymon submit`: its lines, exit codes and JSON, on what Ray's REST API answers."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from raymon.cli.main import main
from tests.cli.job_server import JobServer, job_server

LOG = ["one\ntw", "o\n", "three\n"]
DONE = {"status": "SUCCEEDED", "driver_exit_code": 0}
COMMANDS = ["follow it", "save and stop", "stop at once"]


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[JobServer]:
    # Whatever token this machine has.
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    monkeypatch.setattr("raymon.training.on_ray.submitted_job.time.sleep", lambda _: None)
    with job_server() as server:
        server.log, server.ends = LOG, DONE
        yield server


@pytest.fixture
def raymon(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Any:
    handlers = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["raymon", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0), *capfd.readouterr()

    yield run
    for number, handler in handlers.items():
        signal.signal(number, handler)


def submission(config: Path, server: JobServer) -> list[object]:
    return ["submit", config, "--working-dir", config.parent, "--address", server.address]


def test_the_lines_are_shown_until_the_run_ends_unless_it_is_asked_otherwise(
    raymon: Any, config_file: Path, cluster: JobServer
) -> None:
    cluster.cuts = [1, 2]
    code, output, errors = raymon(*submission(config_file, cluster))
    assert (code, errors) == (0, "")
    assert output.splitlines()[-3:] == ["one", "two", "three"]
    assert "--wait" not in cluster.submitted[0]["entrypoint"]


@pytest.mark.parametrize("option", ["--detach", "--no-follow"])
def test_a_detached_job_is_told_with_how_to_come_back_to_it(
    raymon: Any, config_file: Path, cluster: JobServer, option: str
) -> None:
    code, output, errors = raymon(*submission(config_file, cluster), option)
    assert (code, errors) == (0, "")
    name = cluster.submitted[0]["submission_id"]
    first, *_, follow, save, stop = output.splitlines()
    assert first == f"{name}: submitted to {cluster.address}"
    assert follow.split("it  ")[1].split() == [
        "raymon", "submit", "--logs", name, "--address", cluster.address,
    ]  # fmt: skip
    assert save.endswith(f"raymon stop {config_file.parent / 'run'}")
    assert stop.endswith(f"  ray job stop --address {cluster.address} {name}")
    assert "three" not in output


@pytest.mark.parametrize(
    ("ends", "code", "status", "line"),
    [
        (DONE, 0, "done", ""),
        ({"status": "FAILED", "driver_exit_code": 2}, 2, "failed", "failed: exit code 2"),
        ({"status": "FAILED", "driver_exit_code": -9}, 137, "failed", "failed: exit code 137"),
        ({"status": "STOPPED"}, 130, "stopped", "stopped"),
        ({"status": "FAILED", "message": "no room"}, 1, "failed", "failed: no room"),
    ],
)
def test_a_job_of_earlier_is_shown_from_its_start_and_ends_the_command_as_it_ended(
    raymon: Any, cluster: JobServer, ends: dict, code: int, status: str, line: str
) -> None:
    cluster.ends = {}
    cluster.add("earlier", **ends, metadata={"model_dir": "/runs/a"})
    cluster.cuts = [2]
    words = ["submit", "--logs", "earlier", "--address", cluster.address]
    assert raymon(*words) == (
        code, "one\ntwo\nthree\n", f"raymon: earlier: {line}\n" if line else "",
    )  # fmt: skip
    given, output, errors = raymon(*words, "--json")
    assert (given, "one\ntwo\nthree\n" in errors) == (code, True)
    assert json.loads(output) == {
        "job_id": "earlier", "address": cluster.address, "model_dir": "/runs/a",
        "status": status, "exit_code": code, "why": ends.get("message"), "commands": {},
    }  # fmt: skip


def test_a_program_reads_the_id_of_a_detached_job(
    raymon: Any, config_file: Path, cluster: JobServer
) -> None:
    code, output, errors = raymon(*submission(config_file, cluster), "--detach", "--json")
    job = json.loads(output)
    assert code == 0
    assert job["job_id"] == cluster.submitted[0]["submission_id"]
    assert (job["status"], job["exit_code"]) == ("submitted", None)
    assert job["model_dir"] == str(config_file.parent / "run")
    assert set(job["commands"]) == {name.replace(" ", "_") for name in COMMANDS}
    assert "submitted to" in errors


def test_a_job_that_waits_and_then_cannot_begin_says_so(raymon: Any, cluster: JobServer) -> None:
    cluster.add("waiting", status="PENDING", message="waits for room")
    cluster.log, cluster.cuts = [], [0]
    cluster.ends = {"status": "FAILED", "message": "pip failed\nno such package: x"}
    code, output, errors = raymon("submit", "--logs", "waiting", "--address", cluster.address)
    assert code == 1
    assert output == "pip failed\nno such package: x\n"
    assert errors.splitlines() == [
        "waiting waits to begin: waits for room", "raymon: waiting: failed: pip failed",
    ]  # fmt: skip


def test_a_connection_that_was_cut_without_a_word_is_made_again(
    raymon: Any, cluster: JobServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("raymon.training.on_ray.submitted_job._SILENCE_S", (0.2, 0.2))
    cluster.add("silent")
    cluster.cuts, cluster.silent = [1, 2], True
    code, output, _ = raymon("submit", "--logs", "silent", "--address", cluster.address)
    assert (code, output) == (0, "one\ntwo\nthree\n")


def test_ctrl_c_leaves_a_job_running_and_is_not_done(
    raymon: Any, cluster: JobServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    cluster.add("long")
    cluster.cuts, cluster.silent = [1] * 9, True
    threading.Timer(0.7, os.kill, [os.getpid(), signal.SIGINT]).start()
    code, output, errors = raymon("submit", "--logs", "long", "--address", cluster.address)
    assert code == 130
    assert output == "one\ntw"
    first, *commands = errors.splitlines()
    assert first == "long goes on; to"
    assert [line.split("  ")[1] for line in commands] == ["follow it", "stop at once"]


def test_a_job_that_the_cluster_forgot_is_no_job_to_wait_for(
    raymon: Any, cluster: JobServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "raymon.training.on_ray.submitted_job.time.sleep", lambda _: cluster.jobs.clear()
    )
    cluster.add("lost")
    cluster.cuts = [1]
    code, _, errors = raymon("submit", "--logs", "lost", "--address", cluster.address)
    assert code == 1
    assert errors.startswith("raymon: lost: the cluster does not know this job any more")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--logs", "nobody"], "--logs nobody: no such job at {address}; `ray job list` has"),
        (["--logs", "a/b"], "--logs a/b: no such job at {address}"),
        ([], "Missing CONFIG to train, or --logs JOB to follow."),
        (["--logs", "x", "a.config"], "--logs x is of a job that there is; leave out CONFIG."),
        (["--logs", "x", "--detach"], "leave out --detach."),
        (["--logs", "x", "--set", "a=1"], "leave out --set."),
        (["nowhere.config"], "nowhere.config"),
    ],
)
def test_wrong_input_is_one_line(
    raymon: Any, cluster: JobServer, words: list[str], line: str
) -> None:
    code, output, errors = raymon("submit", *words, "--address", cluster.address)
    assert (code, output, len(errors.splitlines())) == (2, "", 1), errors
    assert line.format(address=cluster.address) in errors


@pytest.mark.parametrize(
    ("address", "line"),
    [
        ("http://127.0.0.1:9", "no Ray dashboard there: "),
        ("nosuch://127.0.0.1:9", "no Ray dashboard there: "),
        (None, "no answer within 0 s"),
    ],
)
def test_an_address_that_does_not_answer_is_one_line(
    raymon: Any, monkeypatch: pytest.MonkeyPatch, address: str | None, line: str
) -> None:
    monkeypatch.setattr("raymon.training.on_ray.job_client._ANSWER_WITHIN_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        given = address or f"http://127.0.0.1:{deaf.getsockname()[1]}"
        code, output, errors = raymon("submit", "--logs", "x", "--address", given)
    assert (code, output, len(errors.splitlines())) == (2, "", 1), errors
    assert f"--address {given}: {line}" in errors
