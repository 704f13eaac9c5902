"""Only workers of Ray are ended."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

from raymon.training.rank.processes import kill_process


def test_a_worker_of_ray_is_ended_even_if_it_is_stopped() -> None:
    worker = subprocess.Popen(["ray::RayTrainWorker", "60"], executable="/bin/sleep")
    # It has its command line a moment after it was started.
    while not Path(f"/proc/{worker.pid}/cmdline").read_bytes():
        time.sleep(0.001)
    os.kill(worker.pid, signal.SIGSTOP)
    assert kill_process(worker.pid) is None
    assert worker.wait() == -signal.SIGKILL


def test_another_process_is_left_alone() -> None:
    other = subprocess.Popen(["/bin/sleep", "60"])
    try:
        assert kill_process(other.pid) == f"process {other.pid} is no worker of Ray"
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_process_that_is_gone_needs_no_end() -> None:
    gone = subprocess.Popen(["/bin/true"])
    gone.wait()
    assert kill_process(gone.pid) is None
