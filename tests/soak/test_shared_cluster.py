"""A cluster that several runs share, and one whose nodes come later."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.integration.kills import assert_same, finish, saved_step, start, wait_for

STEPS = 4000
LONG = "train_config.num_epochs=200"

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]


def test_two_runs_side_by_side_do_not_mix(
    ray_address: str, click_log: Path, tmp_path: Path
) -> None:
    # Of one name, in two places; of other numbers, so that a mixture would show.
    seeds = {"one": "train_config.seed=1", "two": "train_config.seed=2"}
    for name in (*seeds, "one alone", "two alone"):
        (tmp_path / name).mkdir()
    for name, seed in seeds.items():
        finish(start(tmp_path / f"{name} alone", click_log, ray_address, seed, LONG))
    both = {
        name: start(tmp_path / name, click_log, ray_address, seed, LONG)
        for name, seed in seeds.items()
    }
    wait_for(lambda: saved_step(tmp_path / "one" / "run") > 0, both["one"])
    # The directory of a run that goes on is not for another one.
    third = start(tmp_path / "one", click_log, ray_address, seeds["one"], LONG, flags=["--resume"])
    output, errors = third.communicate(timeout=120)
    assert third.returncode == 2, (output, errors)
    assert "another run is writing to it" in errors
    for name, training in both.items():
        summary = finish(training)
        assert summary["monitoring"]["windows_lost"] == 0
        assert_same(tmp_path / name / "run", tmp_path / f"{name} alone" / "run", STEPS)
    print("\ntwo runs of one name, side by side: every number is that of each alone")


def test_a_run_waits_for_a_node_that_comes_late(click_log: Path, tmp_path: Path) -> None:
    import ray
    from ray.cluster_utils import Cluster

    if ray.is_initialized():
        ray.shutdown()
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    try:
        cluster.add_node(num_cpus=1)
        (tmp_path / "refused").mkdir()
        refused = start(tmp_path / "refused", click_log, cluster.address)
        _, errors = refused.communicate(timeout=120)
        assert refused.returncode == 2
        assert len([line for line in errors.splitlines() if "do not fit" in line]) == 1, errors
        (tmp_path / "late").mkdir()
        patient = start(
            tmp_path / "late", click_log, cluster.address, "ray_config.wait_for_nodes_s=180"
        )
        waiting, lines = threading.Event(), []

        def read() -> None:
            assert patient.stderr is not None
            for line in patient.stderr:
                lines.append(line)
                if "waiting for nodes" in line:
                    waiting.set()

        reader = threading.Thread(target=read)
        reader.start()
        assert waiting.wait(120), lines
        cluster.add_node(num_cpus=1)
        reader.join(300)
        assert patient.wait(60) == 0, lines
        print(f"\n{next(line for line in lines if 'waiting for nodes' in line).strip()}")
    finally:
        ray.shutdown()
        cluster.shutdown()
