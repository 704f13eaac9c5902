"""The batch scripts for Slurm, as far as they can be read without one."""

import re
import subprocess

import click
import pytest

from raymon.cli.commands import raymon
from tests.cluster.files import CLUSTER

SCRIPTS = sorted((CLUSTER / "slurm").glob("*.sbatch"))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_bash_that_stops_at_what_fails(path) -> None:
    subprocess.run(["bash", "-n", path], check=True, timeout=10)
    lines = path.read_text().splitlines()
    assert lines[0] == "#!/bin/bash"
    assert "set -euo pipefail" in lines
    assert sum("# adapt" in line for line in lines) >= 3


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_job_hears_of_its_end_and_goes_back_into_the_queue(path) -> None:
    text = path.read_text()
    options = dict(re.findall(r"^#SBATCH --([\w-]+)=?(\S*)", text, re.M))
    # The script alone gets the signal; torchrun and Ray would end by it.
    assert re.fullmatch(r"B:USR1@\d+", options["signal"])
    assert {"requeue", "nodes", "time"} <= set(options)
    assert options["ntasks-per-node"] == "1"
    assert 'scontrol requeue "$SLURM_JOB_ID"' in text


def test_the_cluster_of_a_job_has_a_private_token_and_no_public_door() -> None:
    text = (CLUSTER / "slurm" / "raymon.sbatch").read_text()
    assert "RAY_AUTH_MODE=token" in text
    assert text.index("umask 077") < text.index("/dev/urandom")
    assert """trap 'rm -f "$RAY_AUTH_TOKEN_PATH"' EXIT""" in text
    assert "--dashboard-host=127.0.0.1" in text
    # It would end the Ray of other jobs on the node.
    assert not re.search(r"^[^#]*\bray stop\b", text, re.M)


def test_the_script_calls_raymon_by_options_that_there_are() -> None:
    text = (CLUSTER / "slurm" / "raymon.sbatch").read_text().replace("\\\n", " ")
    (line,) = re.findall(r"^raymon train .*$", text, re.M)
    train = raymon.commands["train"]
    known = {
        option
        for each in train.params
        if isinstance(each, click.Option)
        for option in [*each.opts, *each.secondary_opts]
    }
    assert set(re.findall(r"(?<=\s)--[\w-]+", line)) <= known
