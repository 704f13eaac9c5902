"""Workers come when more fit, and go with their nodes; the steps stay the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.integration.kills import finish, reported_step, start, wait_for, windows

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]

STEPS = 12_000
SETTINGS = (
    "train_config.num_epochs=",
    f"train_config.num_steps={STEPS}",
    "train_config.save_checkpoints_steps=500",
    "data_config.batch_size=",
    "data_config.global_batch_size=512",
    "ray_config.num_workers=2",
)
ELASTIC = ("ray_config.min_workers=1", "ray_config.elastic_resize_monitor_interval_s=2")


def test_a_run_grows_and_shrinks_with_its_cluster(click_log: Path, tmp_path: Path) -> None:
    import ray
    from ray.cluster_utils import Cluster

    if ray.is_initialized():
        ray.shutdown()
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    cluster.add_node(num_cpus=1)
    try:
        ray.init(address=cluster.address, log_to_driver=False, configure_logging=False)
        (tmp_path / "elastic").mkdir()
        run = tmp_path / "elastic" / "run"
        training = start(tmp_path / "elastic", click_log, cluster.address, *SETTINGS, *ELASTIC)
        wait_for(lambda: reported_step(run) >= 500, training)
        second = cluster.add_node(num_cpus=1)
        wait_for(lambda: _world_sizes(run)[-1:] == [2], training)
        begun = reported_step(run)
        wait_for(lambda: reported_step(run) >= begun + 500, training)
        cluster.remove_node(second, allow_graceful=False)
        output, errors = training.communicate(timeout=900)
        assert training.returncode == 0, errors
        for ranks in ("1 to 2 workers", "Attempt 1: 1 rank trains", "Attempt 2: 2 ranks train"):
            assert ranks in errors, errors
        summary = json.loads(output)
        assert summary["steps"] == STEPS
        assert summary["monitoring"]["windows_lost"] == 0
        assert summary["monitoring"]["steps_reported"] == STEPS
        assert sorted(set(_world_sizes(run))) == [1, 2]
        print(f"\nworld sizes of windows: {_in_a_row(_world_sizes(run))}")
        (tmp_path / "alone").mkdir()
        in_process = ("ray_config.num_workers=0",)
        alone = finish(start(tmp_path / "alone", click_log, "", *SETTINGS, *in_process))
        assert summary["samples"] == alone["samples"]
        lines = [windows(run), windows(tmp_path / "alone" / "run")]
        assert [line["global_step"] for line in lines[0]] == [
            line["global_step"] for line in lines[1]
        ]
        for one, other in zip(*lines, strict=True):
            assert one["samples"] == other["samples"]
        first = [line[0]["losses"]["binary_cross_entropy"] for line in lines]
        assert first[0] == pytest.approx(first[1], abs=1e-5)
        last = [line[-1]["losses"]["binary_cross_entropy"] for line in lines]
        print(f"losses of the last window: {last[0]:.5f}, {last[1]:.5f} alone")
    finally:
        ray.shutdown()
        cluster.shutdown()


def _world_sizes(run: Path) -> list[int]:
    if not (run / "monitor" / "windows.jsonl").exists():
        return []
    return [line["world_size"] for line in windows(run)]


def _in_a_row(sizes: list[int]) -> list[tuple[int, int]]:
    rows: list[tuple[int, int]] = []
    for size in sizes:
        if rows and rows[-1][0] == size:
            rows[-1] = (size, rows[-1][1] + 1)
        else:
            rows.append((size, 1))
    return rows
