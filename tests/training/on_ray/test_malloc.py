"""Memory freed at the end of a step is reused in the next one."""

from __future__ import annotations

import os
import subprocess

import pytest

from raymon.training.on_ray.malloc import malloc_settings
from tests.installed import installed_python

SCRIPT = """
import resource, threading
import torch

faults = []

def train():
    for _ in range(20):
        # Like the temporaries of a step, 4,096 rows of 27 x 27 products; more than a heap.
        products = [torch.ones(4096, 729) for _ in range(20)]
        del products
        faults.append(resource.getrusage(resource.RUSAGE_THREAD).ru_minflt)

torch.set_num_threads(1)
thread = threading.Thread(target=train)
thread.start()
thread.join()
print(faults[-1] - faults[9])
"""


def new_pages(settings: dict[str, str]) -> int:
    """Returns the pages that 10 steps of a thread took from the system."""
    # With a fixed threshold glibc does not adapt it to the sizes it sees, which varies by chance.
    environment = {**os.environ, "MALLOC_TRIM_THRESHOLD_": str(128 << 10), **settings}
    command = [installed_python(), "-c", SCRIPT]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=120, check=True
    )
    return int(done.stdout)


def test_a_thread_that_trains_takes_no_new_pages_in_each_step() -> None:
    pages_of_an_array = 4096 * 729 * 4 // 4096
    assert new_pages(malloc_settings()) < pages_of_an_array / 4 < new_pages({}) / 40


def test_what_the_environment_says_already_is_left_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MALLOC_TOP_PAD_", "4096")
    assert malloc_settings().keys() == {"MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"}
