"""Memory freed at the end of a step is reused in the next one."""

from __future__ import annotations

import os
import subprocess
import sys

SCRIPT = """
import resource, sys, threading
import torch
from raymon.training.on_ray.malloc import keep_memory

if sys.argv[1] == "kept":
    keep_memory()
faults = []

def train():
    for _ in range(50):
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


def new_pages(how: str) -> int:
    """Returns the pages that 40 steps of a thread took from the system."""
    # With a fixed threshold glibc does not adapt it to the sizes it sees, which varies by chance.
    environment = {**os.environ, "MALLOC_TRIM_THRESHOLD_": str(128 << 10)}
    command = [sys.executable, "-c", SCRIPT, how]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=120, check=True
    )
    return int(done.stdout)


def test_a_thread_that_trains_takes_no_new_pages_in_each_step() -> None:
    pages_of_an_array = 4096 * 729 * 4 // 4096
    assert new_pages("kept") < pages_of_an_array < new_pages("as it comes") / 10
