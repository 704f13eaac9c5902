"""What is measured here."""

from __future__ import annotations

import os
import platform
import socket
import sys
from pathlib import Path

import torch

from raymon.training.doctor import Listener, look_for_mark, node_facts, send, try_storage
from raymon.training.doctor.probes.gpus import gpus_of


def test_this_machine_is_as_python_sees_it() -> None:
    facts = node_facts()
    assert facts.host == platform.node()
    assert facts.versions["python"] == ".".join(map(str, sys.version_info[:3]))
    assert facts.versions["torch"] == torch.__version__
    assert facts.cpus == len(os.sched_getaffinity(0))


def test_storage_is_tried_and_left_as_it_was(tmp_path: Path) -> None:
    facts, mark = try_storage(tmp_path / "not" / "there", "here")
    assert mark is not None
    assert facts.error is None
    assert (facts.write_bytes_per_s or 0) > 0
    assert (facts.read_bytes_per_s or 0) > 0
    assert (facts.free_bytes or 0) > 0
    seen = look_for_mark("run", mark, "there", measures=False)
    assert (seen.is_shared, seen.error, seen.host) == (True, None, "there")
    mark.remove()
    assert list(tmp_path.iterdir()) == []
    assert not look_for_mark("run", mark, "there").is_shared


def test_storage_that_takes_nothing_says_why() -> None:
    facts, mark = try_storage(Path("/proc/run"), "here")
    assert mark is None
    assert str(facts.error).startswith("cannot be written: ")


def test_bytes_go_to_who_listens_and_nowhere_else() -> None:
    listener = Listener("127.0.0.1")
    rate = send(listener.address, most_s=0.01)
    assert isinstance(rate, float)
    assert rate > 0
    listener.close()
    with socket.create_server(("127.0.0.1", 0)) as server:
        nobody = server.getsockname()
    assert send(nobody) == "Connection refused"


def test_gpus_are_those_that_the_driver_lists() -> None:
    told = "NVIDIA H100, 81559, 4, 37, 570.86\nNVIDIA H100, 81559, [N/A], [N/A], 570.86\n\n"
    first, second = gpus_of(told)
    assert (first.name, first.memory_bytes, first.busy) == ("NVIDIA H100", 81559 << 20, 0.37)
    assert (second.used_bytes, second.busy, second.driver) == (0, None, "570.86")
