"""The image of `cluster/Containerfile`, built for real, and the recipe to run it on one machine.

Needs root, Debian's packages `podman`, `runc`, `catatonit` and `debootstrap`
(`apt-get install --no-install-recommends podman runc catatonit debootstrap`), a mirror of Debian
and a registry of Python packages, but no registry of images: a Debian with Python stands in for
both images that the file begins with.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.harness.free_port import free_port
from tests.cluster.files import CLUSTER, ROOT
from tests.conftest import CONFIG

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]

# As Ray's image is: a user of its own, whose Python comes first.
RAY_LIKE = """
FROM scratch
COPY . /
RUN useradd --uid 1000 --gid 100 --create-home ray && python3 -m venv /home/ray/python \
    && chown -R ray:100 /home/ray
ENV PATH=/home/ray/python/bin:/usr/bin:/bin HOME=/home/ray
USER 1000:100
"""

# Of the machine, so that pip in a container finds what pip outside of it finds.
PIP = ("/opt", "/etc/xdg/pip", "/etc/ssl/certs")

# Runs in this version of podman where cgroups are mounted as on older systems, and limits are low.
RUN = ["podman", "run", "--runtime=runc", "--ulimit=nproc=4096:4096", "--ulimit=nofile=4096:4096"]


def call(*words: object, seconds: float = 900) -> str:
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, timeout=seconds)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    directory = tmp_path_factory.mktemp("image")
    packages = "python3,python3-pip,python3-venv,ca-certificates,procps"
    root, empty, name = directory / "root", directory / "empty", f"localhost/{uuid.uuid4().hex}"
    call("debootstrap", "--variant=minbase", f"--include={packages}", "bookworm", root)
    empty.mkdir()
    build = ["podman", "build", "--isolation=chroot", "--network=host", "--layers"]
    (directory / "ray").write_text(RAY_LIKE)
    (directory / "python").write_text(f"FROM {name}:ray\nUSER root\n")
    mounts = [f"--volume={path}:{path}:ro" for path in PIP if Path(path).is_dir()]
    arguments = [f"--build-arg={what.upper()}_IMAGE={name}:{what}" for what in ("python", "ray")]
    try:
        call(*build, "-f", directory / "ray", "-t", f"{name}:ray", root)
        call(*build, "-f", directory / "python", "-t", f"{name}:python", empty)
        file = CLUSTER / "Containerfile"
        call(*build, *mounts, *arguments, "-f", file, "-t", f"{name}:raymon", ROOT)
        yield f"{name}:raymon"
    finally:
        for what in ("raymon", "python", "ray"):
            subprocess.run(["podman", "rmi", "--force", f"{name}:{what}"], capture_output=True)


def recipes() -> list[list[str]]:
    """The commands of the guide that begin with `docker run`, word by word."""
    guide = (ROOT / "docs" / "guides" / "clusters.md").read_text()
    commands = re.findall(r"^docker run (?:.*\\\n)*.*", guide, re.M)
    return [shlex.split(command.replace("\\\n", " ")) for command in commands]


def adapted(words: list[str], image: str, **places: str) -> list[str]:
    """A recipe in podman's words, without GPUs, and with directories of the test."""
    rest = list(words[2:])
    for option in ("--gpus", "--ulimit"):
        if option in rest:
            del rest[rest.index(option) : rest.index(option) + 2]
    changed = [image if word.startswith("registry.example/") else word for word in rest]
    for old, new in places.items():
        changed = [word.replace(f"/data/{old}:", f"{new}:", 1) for word in changed]
    return [*RUN, *changed]


def test_it_runs_as_a_user_and_has_nothing_that_is_not_needed(image: str) -> None:
    script = "id -u; raymon --version; ls /wheels /tmp; pip cache dir; python -c 'import torch'"
    said = call(*RUN, "--rm", "--network=host", image, "sh", "-c", f"{script}; du -s ~/.cache")
    assert said.splitlines()[0] == "1000", said
    assert "raymon" in said.splitlines()[1]
    assert not re.search(r"\.whl", said)
    history = call("podman", "history", "--format={{.CreatedBy}}", image).splitlines()
    assert sum("pip install" in line for line in history) == 1


def test_the_recipe_trains_and_shows_its_page_on_the_loopback_interface_alone(
    image: str, tmp_path: Path, click_log: Path
) -> None:
    runs, work = tmp_path / "runs", tmp_path / "work"
    for each in (runs, work):
        each.mkdir()
    # As the guide says.
    call("chown", "1000:100", runs)
    config = CONFIG.format(data="/data/click", model_dir="/elsewhere")
    (work / "click.config").write_text(config)
    train, board = recipes()
    places = {"click": str(click_log), "runs": str(runs)}
    words = adapted(train, image, **places)
    words = [word.replace("$PWD", str(work)) for word in words]
    said = call(*words, "--set", "ray_config.num_workers=2", seconds=400)
    assert "done: " in said, said
    port, name = free_port(), f"board-{uuid.uuid4().hex[:8]}"
    words = [
        w.replace("127.0.0.1:6007:", f"127.0.0.1:{port}:") for w in adapted(board, image, **places)
    ]
    at = words.index("--rm")
    page = subprocess.Popen(
        [*words[:at], "--name", name, *words[at:]], stdout=subprocess.PIPE, text=True
    )
    try:
        deadline = time.monotonic() + 120
        while (status := answer(port)) == 0:
            assert page.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.5)
        assert status in (401, 403)
        listening = call("ss", "-Hltn", f"sport = :{port}")
        assert {line.split()[3] for line in listening.splitlines()} == {f"127.0.0.1:{port}"}
    finally:
        subprocess.run(["podman", "stop", "--time=5", name], capture_output=True, timeout=60)
        page.wait(60)


def answer(port: int) -> int:
    """The status that the page answers with; 0 if nothing answers."""
    try:
        return int(urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0
