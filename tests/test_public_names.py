import subprocess

import raymon
from tests.installed import installed_python


def test_every_public_name_is_there() -> None:
    for name in raymon.__all__:
        assert getattr(raymon, name) is not None


def test_what_works_without_ray_does_not_import_it() -> None:
    parts = ("config", "data", "metrics", "models", "monitor", "sinks", "reporter")
    code = f"""
import sys
for part in {parts!r}:
    __import__("raymon." + part)
import raymon
raymon.Monitor, raymon.ProgressLogger
assert "ray" not in sys.modules
"""
    subprocess.run([installed_python(), "-c", code], check=True)


def test_a_reporter_on_ray_does_not_import_ray_train() -> None:
    code = 'import sys, raymon.reporter.on_ray\nassert "ray.train" not in sys.modules'
    subprocess.run([installed_python(), "-c", code], check=True)
