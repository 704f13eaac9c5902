"""A Prometheus server scrapes a run.

It needs Debian's packages `prometheus` and `chromium`, and fails without them. The picture is left
in `demo/screens`, for people to look at.
"""

from __future__ import annotations

import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.harness.browser import SCREENS, Browser
from raymon.sinks import run_label
from raymon.sinks.prometheus.gauges import GAUGES
from tests.cluster.files import CLUSTER, RULES, dashboard_queries, gauges_of
from tests.integration.kills import kill, processes, start
from tests.soak.prometheus import Prometheus, program, prometheus, short_rules

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]

LONG = ("train_config.num_epochs=5000", "train_config.save_checkpoints_steps=2000")
WORKER = "RayTrainWorker"
OF_OTHER_RUNS = {
    *(f"raymon_table_{name}" for name in ("fallback_lookups", "admitted", "evicted", "occupancy")),
    *(name for name in GAUGES if name.startswith("raymon_device_")),
    "raymon_scalar",
    "raymon_skipped_steps",
    "raymon_loss_scale",
    "raymon_alert",
    "raymon_alerts_total",
}
"""Gauges of tables that grow, of GPUs, FP16, logged scalars and alerts, which the run lacks."""


@pytest.fixture
def cluster() -> Iterator[tuple[str, Path]]:
    """The address of a Ray cluster, and its service discovery file."""
    import ray

    if ray.is_initialized():
        ray.shutdown()
    # Sockets need a short path.
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as directory:
        # In place of each 10 s, so that a roll-back is seen before it is made good.
        often = {"metrics_report_interval_ms": 2000}
        ray.init(
            num_cpus=4,
            _temp_dir=directory,
            _system_config=often,
            log_to_driver=False,
            configure_logging=False,
        )
        try:
            address = ray.get_runtime_context().gcs_address
            yield address, Path(directory, "prom_metrics_service_discovery.json")
        finally:
            ray.shutdown()


@pytest.fixture
def server(cluster: tuple[str, Path], tmp_path: Path) -> Iterator[Prometheus]:
    sooner = {"RaymonRankSilent": {"900": "15", "for": "2s"}, "RaymonReporterGone": {"for": "1s"}}
    with prometheus(tmp_path, cluster[1], short_rules(tmp_path, sooner)) as running:
        yield running


@pytest.fixture
def run(
    cluster: tuple[str, Path], click_log: Path, tmp_path: Path
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The label of a run that does not end by itself, and its driver."""
    process = start(tmp_path, click_log, cluster[0], *LONG)
    try:
        yield run_label(str(tmp_path / "run")), process
    finally:
        process.kill()
        process.communicate()


def values(server: Prometheus, gauge: str) -> list[float]:
    return [value for _, value in server.query(f"ray_{gauge}")]


def test_a_run_is_seen_while_it_goes_on_and_is_gone_when_it_is_over(
    server: Prometheus, run: tuple[str, subprocess.Popen[str]]
) -> None:
    label, driver = run
    for where, query in dashboard_queries():
        if gauges_of(query) <= OF_OTHER_RUNS:
            continue
        chosen = query.replace("$run", label)
        assert server.wait_for(lambda chosen=chosen: server.query(chosen)), where
    for gauge in set(GAUGES) - OF_OTHER_RUNS:
        assert {labels["run"] for labels, _ in server.query(f"ray_{gauge}")} == {label}, gauge
    assert values(server, "raymon_world_size") == [2]
    assert values(server, "raymon_attempt") == [1]
    assert {labels["rank"] for labels, _ in server.query("ray_raymon_lag_seconds")} == {"0", "1"}
    (step,) = values(server, "raymon_step")
    server.wait_for(lambda: values(server, "raymon_step") > [step])
    assert server.firing() == set()

    # A worker that dies makes a new attempt, from the newest checkpoint.
    # Far from the one before and from the one that follows, whatever happens in two seconds.
    done = "ray_raymon_step - ray_raymon_checkpoint_step"
    server.wait_for(lambda: server.query(f"({done} > 800) < 1400"))
    kill(WORKER)
    server.wait_for(lambda: max(values(server, "raymon_attempt")) == 2)
    server.wait_for(lambda: server.query("resets(ray_raymon_step[15m]) > 0"))

    driver.send_signal(signal.SIGINT)
    driver.communicate(timeout=120)
    server.wait_for(lambda: 0 in values(server, "raymon_up"))
    for gauge in GAUGES:
        server.wait_for(lambda gauge=gauge: not values(server, gauge))
    assert server.query("min_over_time(ray_raymon_up[5m]) == 0")
    assert server.firing() == set()


def test_prometheus_draws_the_metrics_of_a_run_that_goes_on(
    server: Prometheus, cluster: tuple[str, Path], click_log: Path, tmp_path: Path
) -> None:
    # It is in the picture, so it is one that reads well.
    run = tmp_path / "click"
    driver = start(tmp_path, click_log, cluster[0], *LONG, f"model_dir={run}")
    drawn = "max by (run, metric) (ray_raymon_metric)"
    try:
        server.wait_for(lambda: server.query("count_over_time(ray_raymon_metric[5m]) > 45"), 240)
        with Browser() as browser:
            text = browser.look(
                server.graph(drawn, 60), SCREENS / "prometheus.png", cookies={}, wait_for="auc"
            )
        for metric in ("auc", "normalized_entropy"):
            assert re.search(rf'metric="?{metric}"?.*run="?{run_label(str(run))}"?', text)
    finally:
        driver.kill()
        driver.communicate()
    print(f"\nlook at {SCREENS}")


def test_an_alert_tells_of_a_rank_that_stands_still_until_it_goes_on(
    server: Prometheus, run: tuple[str, subprocess.Popen[str]]
) -> None:
    label, _ = run
    server.wait_for(lambda: values(server, "raymon_step"))
    alert = ("RaymonRankSilent", label)
    assert alert not in server.firing()
    worker = processes(WORKER)[0]
    worker.suspend()
    try:
        server.wait_for(lambda: alert in server.firing())
        assert max(values(server, "raymon_lag_seconds_max")) > 15
    finally:
        worker.resume()
    server.wait_for(lambda: alert not in server.firing())
    (step,) = values(server, "raymon_step")
    server.wait_for(lambda: values(server, "raymon_step") > [step])


def test_an_alert_tells_of_a_cluster_that_is_gone(
    server: Prometheus, run: tuple[str, subprocess.Popen[str]]
) -> None:
    import ray

    label, driver = run
    server.wait_for(lambda: values(server, "raymon_step"))
    driver.kill()
    ray.shutdown()
    server.wait_for(lambda: ("RaymonReporterGone", label) in server.firing())


def test_prometheus_takes_the_configuration_and_the_rules_say_what_they_should() -> None:
    for what, path in {
        "check config": CLUSTER / "prometheus" / "prometheus.yml",
        "check rules": RULES,
        "test rules": RULES.with_name("raymon.rules.test.yml"),
    }.items():
        done = subprocess.run(
            [program("promtool"), *what.split(), path], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
