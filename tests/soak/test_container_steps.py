"""The steps of the container file, in a virtual environment in place of its images."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import venv
from pathlib import Path

import pytest
from dockerfile_parse import DockerfileParser

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]

ROOT = Path(__file__).parents[2]


def test_its_steps_end_with_a_raymon_that_answers(tmp_path: Path) -> None:
    content = (ROOT / "cluster" / "Containerfile").read_bytes()
    steps = DockerfileParser(fileobj=io.BytesIO(content)).structure
    environment, source, wheels = (tmp_path / name for name in ("python", "source", "wheels"))
    venv.create(environment, with_pip=True)
    for step in steps:
        words = step["value"].split()
        if step["instruction"] == "COPY":
            *copied, target = words
            for name in copied:
                place = source / target / (Path(name).name if target.endswith("./") else "")
                place.parent.mkdir(parents=True, exist_ok=True)
                copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
                copy(ROOT / name, place)
        elif step["instruction"] == "RUN":
            # What is mounted lies there already, and arguments have what they have by default.
            command = re.sub(r"--mount=\S+|\$\{(PIP_ARGS|EXTRAS)\}", "", step["value"])
            subprocess.run(
                command.replace("/wheels", str(wheels)),
                shell=True,
                cwd=source,
                env={"PATH": f"{environment / 'bin'}:/usr/bin:/bin", "HOME": str(tmp_path)},
                check=True,
                timeout=1500,
            )
    finished = subprocess.run(
        [environment / "bin" / "raymon", "--version"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    print(f"\n{finished.stdout.strip()}, by the steps of the container file")
