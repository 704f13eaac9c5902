"""The cluster announces that it takes a node away: the run saves in time, and goes on elsewhere."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from raymon.training.checkpoint.manifest import list_checkpoints
from tests.integration.conftest import RAY_TRAIN
from tests.integration.kills import assert_same, finish, reported_step, start, wait_for

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]

STEPS = 6000
# Nothing is saved but at the end, and just in time.
SETTINGS = (
    "train_config.num_epochs=300",
    "train_config.save_checkpoints_steps=1000000",
    # A preemption is no failure.
    "ray_config.max_failures=0",
)
DEADLINE_S = 15


def test_a_node_that_is_taken_away_takes_no_step_along(
    click_log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import ray
    from ray.cluster_utils import Cluster
    from ray.core.generated import autoscaler_pb2

    monkeypatch.delitem(RAY_TRAIN, "RAY_TRAIN_ENABLE_PREEMPTION_WATCHER")
    if ray.is_initialized():
        ray.shutdown()
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    nodes = [cluster.add_node(num_cpus=1) for _ in range(3)]
    try:
        ray.init(address=cluster.address, log_to_driver=False, configure_logging=False)
        alone, disturbed = tmp_path / "alone", tmp_path / "disturbed"
        for directory in (alone, disturbed):
            directory.mkdir()
        finish(start(alone, click_log, cluster.address, *SETTINGS))
        training = start(disturbed, click_log, cluster.address, *SETTINGS)
        run = disturbed / "run"
        wait_for(lambda: reported_step(run) >= 300, training)
        (going,) = _nodes_of_workers()[:1]
        reason = autoscaler_pb2.DrainNodeReason.Value("DRAIN_NODE_REASON_PREEMPTION")
        at = int((time.time() + DEADLINE_S) * 1000)
        gcs = ray._raylet.GcsClient(address=cluster.gcs_address)
        taken, why = gcs.drain_node(going, reason, "the cloud wants it back", at)
        assert taken, why
        wait_for(lambda: bool(list_checkpoints(run)), training)
        (saved,) = list_checkpoints(run)
        print(f"\nstep {saved.step} saved {at / 1e3 - time.time():.1f} s before the node goes")
        assert saved.step < STEPS
        assert any(node.node_id == going for node in nodes)
        output, errors = training.communicate(timeout=600)
        assert training.returncode == 0, errors
        assert f"away at {time.strftime('%H:%M:%S', time.localtime(at / 1e3))}" in errors
        assert f"step {saved.step} is saved" in errors
        summary = json.loads(output)
        assert summary["restarts"] == 1
        assert summary["monitoring"]["windows_lost"] == 0
        assert_same(run, alone / "run", STEPS)
        print("no number changed")
    finally:
        ray.shutdown()
        cluster.shutdown()


def _nodes_of_workers() -> list[str]:
    import ray

    actors = ray._private.state.actors().values()
    return sorted(
        actor["Address"]["NodeID"]
        for actor in actors
        if actor["ActorClassName"] == "RayTrainWorker" and actor["State"] == "ALIVE"
    )
