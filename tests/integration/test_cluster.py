"""What a run asks of a Ray cluster."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.installed import installed_python
from tests.integration.conftest import run_raymon


def test_more_workers_than_the_cluster_can_place_is_an_error_that_says_what_it_has(
    ray_address: str, config_file: Path
) -> None:
    finished = run_raymon("train", config_file, "--num-workers", 9, address=ray_address)
    assert finished.returncode == 2
    (line,) = finished.stderr.strip().splitlines()
    assert "9 workers with 1 CPU each" in line
    assert "the cluster has 4 CPU on 1 node, room for 4" in line
    assert not (config_file.parent / "run").exists()


def test_a_worker_that_finds_a_wrong_label_ends_the_run_with_one_line(
    ray_address: str, config_file: Path, tmp_path: Path
) -> None:
    import numpy as np
    import pyarrow.parquet as pq

    from tests.cli.test_bad_input import small_table

    click = (np.arange(64) % 2).astype(float)
    click[40] = 0.5  # between the smallest and the largest label, so footers do not show it
    data = tmp_path / "labels.parquet"
    pq.write_table(small_table(click=click), data)
    arguments = [f"--set={field}={data}" for field in ("train_input_path", "eval_input_path")]
    arguments += ["--set", "data_config.batch_size=8", "--set", "ray_config.max_failures=0"]
    arguments += ["--num-workers", "1"]
    finished = run_raymon("train", config_file, *arguments, address=ray_address)
    assert finished.returncode == 2, finished.stderr
    last = finished.stderr.strip().splitlines()[-1]
    assert last.startswith(f"raymon: {data}")
    assert "0.5" in last
    assert "Traceback" not in finished.stderr


@pytest.mark.parametrize("address", ["127.0.0.1:1"])
def test_an_address_without_a_cluster_is_named(config_file: Path, address: str) -> None:
    finished = run_raymon("train", config_file, "--address", address)
    assert finished.returncode == 2, finished.stderr
    assert address in finished.stderr
    assert "Traceback" not in finished.stderr


def test_rays_own_actors_load_no_torch_for_what_a_run_gives_them(ray_address: str) -> None:
    import ray

    from raymon.reporter import Reporter
    from raymon.reporter.on_ray.ray_reporter import reporter_of, start_reporter
    from raymon.training.on_ray.row_split import EveryRow
    from raymon.training.on_ray.worker import train_loop_per_worker

    @ray.remote(num_cpus=0)
    def loads_torch(given: object) -> bool:
        import sys

        return "torch" in sys.modules

    reporter = start_reporter("loads-no-torch", Reporter(None, [], 100, 10.0))
    try:
        assert reporter_of(reporter.run)._actor_id == reporter.actor._actor_id
        # Environments of their own, so that none is in a process of another.
        for i, given in enumerate([train_loop_per_worker, EveryRow(), reporter.run]):
            alone = loads_torch.options(runtime_env={"env_vars": {"OF_A_TEST": str(i)}})
            assert not ray.get(alone.remote([given]), timeout=120)
    finally:
        reporter.stop()


def test_a_cluster_without_a_gpu_says_what_its_nodes_have(
    ray_address: str, config_file: Path
) -> None:
    chosen = ["--set", "ray_config.use_gpu=true"]
    finished = run_raymon("train", config_file, *chosen, address=ray_address)
    assert finished.returncode == 2
    (line,) = finished.stderr.strip().splitlines()
    assert "ray_config.use_gpu: no node of the cluster has a GPU: " in line
    assert " has 4 CPU, 0 GPU; " in line
    assert not (config_file.parent / "run").exists()


WITH_LOGICAL_GPUS = """
import sys
import ray
from raymon.cli.main import main

ray.init(
    address="local",
    num_cpus=4,
    num_gpus=2,
    include_dashboard=False,
    log_to_driver=False,
    configure_logging=False,
)
main()
"""


def test_gpus_that_torch_cannot_use_end_a_run_before_it_begins(config_file: Path) -> None:
    # Ray takes the word of who starts it for what a machine has.
    chosen = ["--set", "ray_config.use_gpu=true"]
    finished = subprocess.run(
        [installed_python(), "-c", WITH_LOGICAL_GPUS, "train", config_file, *chosen],
        capture_output=True,
        text=True,
        timeout=240,
        # Of which no machine has any.
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "98,99"},
    )
    assert finished.returncode == 2, finished.stderr
    last = finished.stderr.strip().splitlines()[-1]
    assert last.startswith("raymon: ray_config.use_gpu: ")
    assert "is built without CUDA" in last or "finds no GPU" in last
    assert "Traceback" not in finished.stderr
    assert not list((config_file.parent / "run").glob("monitor/failure-*"))
