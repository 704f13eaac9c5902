"""What Ray's client of jobs logs of itself is not shown."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import logging
from raymon.training.on_ray import job_client
try:
    job_client.job_client("http://127.0.0.1:9")
except Exception as error:
    print(type(error).__name__)
from ray.dashboard.modules import dashboard_sdk
from ray.dashboard.modules.job import sdk
dashboard_sdk.logger.info("Uploading package")
sdk.logger.info("closed")
dashboard_sdk.logger.warning("trouble")
"""


def test_lines_of_ray_itself_are_left_out_whenever_it_is_imported() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout == "RunError\n"
    assert "trouble" in done.stderr
    assert "Uploading" not in done.stderr
    assert "closed" not in done.stderr
