"""The steps of the image, as far as they can be seen without building it."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest
from dockerfile_parse import DockerfileParser
from packaging.specifiers import SpecifierSet

from tests.cluster.files import CLUSTER, ROOT


@pytest.fixture
def steps(tmp_path: Path) -> list[dict]:
    """The instructions, in order."""
    text = (CLUSTER / "Containerfile").read_text()
    parser = DockerfileParser(str(tmp_path / "Dockerfile"))
    parser.content = text
    return parser.structure


def stages(steps: list[dict]) -> list[list[dict]]:
    found: list[list[dict]] = []
    for step in steps:
        if step["instruction"] == "FROM":
            found.append([])
        if found:
            found[-1].append(step)
    return found


def values(stage: list[dict], instruction: str) -> list[str]:
    return [step["value"] for step in stage if step["instruction"] == instruction]


def test_every_instruction_is_one(steps: list[dict]) -> None:
    known = {"ARG", "FROM", "WORKDIR", "COPY", "RUN", "COMMENT"}
    assert {step["instruction"] for step in steps} <= known


def test_the_wheel_is_made_of_files_that_there_are_and_all_that_it_needs(
    steps: list[dict],
) -> None:
    build, _ = stages(steps)
    copied = [word for value in values(build, "COPY") for word in value.split()[:-1]]
    assert all((ROOT / name).exists() for name in copied)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {"pyproject.toml", project["readme"], "raymon"} <= set(copied)
    (image,) = [v for v in values(steps, "ARG") if v.startswith("PYTHON_IMAGE=")]
    assert values(build, "FROM")[0].split()[0] == "${PYTHON_IMAGE}"
    version = image.rsplit(":", 1)[1].split("-")[0]
    assert SpecifierSet(project["requires-python"]).contains(version)
    (command,) = values(build, "RUN")
    words = shlex.split(command)
    assert words[:2] == ["pip", "wheel"]
    assert words[words.index("--wheel-dir") + 1] == "/wheels"


def test_the_image_has_the_wheel_and_tries_it(steps: list[dict]) -> None:
    build, image = stages(steps)
    name = values(build, "FROM")[0].split()[-1]
    assert values(image, "FROM") == ["${RAY_IMAGE}"]
    # No layer has the wheel, or what pip has downloaded.
    assert values(image, "COPY") == []
    (command,) = values(image, "RUN")
    mount, command = command.split(maxsplit=1)
    assert mount == f"--mount=type=bind,from={name},source=/wheels,target=/wheels"
    install, _, trial = command.partition("&&")
    assert "$(echo /wheels/*.whl)${EXTRAS}" in shlex.split(install)
    assert "--no-cache-dir" in install
    assert trial.strip().startswith("raymon ")


def test_the_image_takes_the_extras_that_there_are(steps: list[dict]) -> None:
    _, image = stages(steps)
    assert 'EXTRAS=""' in values(image, "ARG")
    text = (CLUSTER / "Containerfile").read_text()
    (named,) = re.findall(r'EXTRAS="\[([\w,]+)\]"', text)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert set(named.split(",")) <= set(project["optional-dependencies"])


def test_the_image_has_one_version_of_ray_and_no_moving_tag(steps: list[dict]) -> None:
    _, image = stages(steps)
    (base,) = [v for v in values(steps, "ARG") if v.startswith("RAY_IMAGE=")]
    version = base.rsplit(":", 1)[1].split("-")[0]
    assert f"ray[default,train]=={version}" in shlex.split(values(image, "RUN")[0].split("&&")[0])
    assert "latest" not in "".join(step["content"] for step in steps)
    # The image of Ray runs as a user of its own, and so do pods.
    assert not values(image, "USER")
