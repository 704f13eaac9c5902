"""The node of the reporter dies, with everything on it; the run goes on, and so do its numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.kills import assert_same, finish, reported_step, start, wait_for

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]


def test_the_node_with_the_reporter_dies_and_no_number_changes(
    click_log: Path, tmp_path: Path
) -> None:
    import ray
    from ray.cluster_utils import Cluster

    from raymon.reporter.on_ray.actor import actor_name

    if ray.is_initialized():
        ray.shutdown()
    # The driver is on the head, where no worker fits; two nodes have room for all of them.
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    nodes = [cluster.add_node(num_cpus=2) for _ in range(2)]
    try:
        ray.init(address=cluster.address, log_to_driver=False, configure_logging=False)
        alone, disturbed = tmp_path / "alone", tmp_path / "disturbed"
        for directory in (alone, disturbed):
            directory.mkdir()
        finish(start(alone, click_log, cluster.address))
        training = start(disturbed, click_log, cluster.address)
        run = disturbed / "run"
        wait_for(lambda: reported_step(run) >= 100, training)
        name = actor_name(str(run))
        actor = ray.get_actor(name, namespace=name)
        home = ray.get(actor.node_id.remote())
        dying = next((node for node in nodes if node.node_id == home), nodes[0])
        print(f"\nthe reporter is on {home[:8]}, {dying.node_id[:8]} dies")
        cluster.remove_node(dying, allow_graceful=False)
        # Its place is taken by a node that knows nothing.
        cluster.add_node(num_cpus=2)
        summary = finish(training)
        assert_same(run, alone / "run")
        assert summary["monitoring"]["windows_lost"] == 0
    finally:
        ray.shutdown()
        cluster.shutdown()
