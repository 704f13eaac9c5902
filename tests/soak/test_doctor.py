"""`raymon doctor` on clusters: what it says of nodes, and of storage that one does not see."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import ray
from ray.cluster_utils import Cluster

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]

RAYMON = [sys.executable, "-m", "raymon.cli", "doctor"]
RAY = Path(sys.executable).with_name("ray")


@pytest.fixture
def cluster():
    if ray.is_initialized():
        ray.shutdown()
    there = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    yield there
    there.shutdown()


def doctor(cluster: Cluster, *arguments: object) -> tuple[int, dict, str]:
    command = [*RAYMON, *map(str, arguments), "--address", cluster.address, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    return done.returncode, json.loads(done.stdout or "{}"), done.stderr


def test_two_nodes_that_are_alike_are_fine(cluster: Cluster, config_file: Path) -> None:
    cluster.add_node(num_cpus=1)
    code, told, errors = doctor(cluster, config_file)
    assert code == 0, (told, errors)
    facts = told["facts"]
    assert (told["scope"], len(facts["nodes"]), len(facts["links"])) == ("cluster", 2, 2)
    assert all(abs(node["clock_offset_s"]) <= node["clock_error_s"] for node in facts["nodes"])
    assert all(link["bytes_per_s"] > 0 for link in facts["links"])
    # This machine, and each node.
    assert [one["is_shared"] for one in facts["storage"]] == [True] * 3
    assert {"clocks", "bandwidth", "storage", "disk"} <= set(told["looked_at"])
    assert not [path for path in config_file.parent.iterdir() if "doctor" in path.name]
    assert "(NodeProbe" not in errors


def test_what_the_cluster_has_no_room_for_is_said(cluster: Cluster, config_file: Path) -> None:
    code, told, errors = doctor(cluster, config_file, "--num-workers", 5)
    assert code == 1, (told, errors)
    (problem,) = [one for one in told["problems"] if one["is_fatal"]]
    assert "ray_config.num_workers: 5 workers with 1 CPU each do not fit" in problem["text"]


def test_storage_that_a_node_does_not_see_is_named(cluster: Cluster, config_file: Path) -> None:
    # In mounts of its own the node has another directory at that path.
    started = f'mount -t tmpfs none "{config_file.parent}" && exec "{RAY}" start '
    started += f"--address={cluster.address} --num-cpus=1 --block"
    node = subprocess.Popen(
        ["unshare", "--mount", "sh", "-c", started],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        ray.init(address=cluster.address, log_to_driver=False)
        while sum(one["Alive"] for one in ray.nodes()) < 2:
            assert node.poll() is None
        ray.shutdown()
        code, told, errors = doctor(cluster, config_file)
        assert code == 1, (told, errors)
        (problem,) = [one for one in told["problems"] if one["is_fatal"]]
        assert problem["check"] == "storage"
        assert "does not have there what the driver wrote to it" in problem["text"]
        assert problem["host"] in {one["host"] for one in told["facts"]["nodes"]}
    finally:
        os.killpg(node.pid, 15)
        node.wait(60)
