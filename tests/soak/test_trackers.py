"""Real trackers have the numbers of the files, whatever dies, and none can harm a run."""

from __future__ import annotations

import json
import math
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest

from raymon.config import read_saved
from tests.conftest import CONFIG
from tests.integration.kills import processes, wait_for
from tests.soak.tracked_reporter import numbers_of
from tests.soak.tracker_stores import (
    Point,
    points_of_mlflow,
    points_of_trackio,
    points_of_wandb,
    records_of_wandb,
)

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]

LONG = (
    "--set", "train_config.num_epochs=60", "--set", "train_config.save_checkpoints_steps=100",
)  # fmt: skip


@pytest.fixture
def config(tmp_path: Path, click_log: Path) -> Path:
    """A config whose numbers go to four trackers."""
    path = tmp_path / "click.config"
    path.write_text(
        CONFIG.format(data=click_log, model_dir=tmp_path / "run")
        + f"""monitor_config {{
          trackers {{ mlflow {{ tracking_uri: "sqlite:///{tmp_path}/mlflow.db"
            registered_model_name: "ctr" }} }}
          trackers {{ mlflow {{ tracking_uri: "{tmp_path}/mlruns" }} }}
          trackers {{ wandb {{ mode: "offline" directory: "{tmp_path}" }} }}
          trackers {{ trackio {{ directory: "{tmp_path}/trackio" }} }}
        }}"""
    )
    return path


def start(config: Path, *more: str, workers: int = 0) -> subprocess.Popen[str]:
    """Starts a run; its output goes to a file beside the config."""
    command = [sys.executable, "-m", "raymon", "train", config, "--num-workers", workers, *more]
    with (config.parent / "output").open("a") as output:
        return subprocess.Popen(list(map(str, command)), stdout=output, stderr=output, text=True)


def stored(folder: Path) -> dict[str, list[Point]]:
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    return {
        "mlflow database": points_of_mlflow(f"sqlite:///{folder}/mlflow.db"),
        "mlflow directory": points_of_mlflow(f"{folder}/mlruns"),
        "wandb": points_of_wandb(folder),
        "trackio": points_of_trackio(folder / "trackio"),
    }


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def expected(run: Path) -> dict[tuple[str, int], float]:
    """Returns the numbers of the files of a run, by tag and step."""
    found = {}
    for line in lines(run / "monitor" / "windows.jsonl"):
        step = line["global_step"]
        for name, value in line["losses"].items():
            tag = "total" if name == "total_loss" else name
            found[f"loss/{tag}", step] = value
        for name, value in line["metrics"].items():
            found[f"metric/{name}", step] = value
        for name, value in line["phase_shares"].items():
            found[f"phase/{name}", step] = value
        found["throughput/samples_per_second", step] = line["samples_per_second"]
        found["lr/g0", step] = line["learning_rates"][0]
    for line in lines(run / "train_eval_result_v2.txt"):
        for name in ("auc", "grouped_auc", "normalized_entropy"):
            found[f"eval_val/metric/{name}", line["global_step"]] = line[name]
    return {key: math.nan if value is None else value for key, value in found.items()}


def assert_all_there(run: Path, remade_after: int | None = None) -> None:
    """Checks that each tracker has each number, bit by bit, in one run.

    Args:
        run: Directory of the run.
        remade_after: Step after which points may be there twice; None for no step.
    """
    wanted = expected(run)
    assert len(wanted) > 100
    for name, points in stored(run.parent).items():
        assert len({point.run_id for point in points}) == 1, name
        newest = {(point.tag, point.step): point.value for point in points}
        for key, value in wanted.items():
            same = newest[key] == value or (math.isnan(value) and math.isnan(newest[key]))
            assert same, (name, key, value, newest[key])
        twice = [
            key for key, n in Counter((point.tag, point.step) for point in points).items() if n > 1
        ]
        assert not [key for key in twice if remade_after is None or key[1] < remade_after], name
        print(f"{name}: {len(points)} points, {len(wanted)} equal, {len(twice)} made again")


def children() -> list[psutil.Process]:
    """Returns the processes of trackers that are alive."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        line = " ".join(process.info["cmdline"] or [])
        is_alive = process.info["status"] != psutil.STATUS_ZOMBIE
        if is_alive and ("raymon.sinks.trackers.host" in line or "wandb-core" in line):
            found.append(process)
    return found


def wait_for_no_children() -> None:
    deadline = time.monotonic() + 20
    while children() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert children() == []


def test_a_killed_reporter_loses_and_doubles_no_point(tmp_path: Path) -> None:
    (tmp_path / "run" / "monitor").mkdir(parents=True)
    reporter = publish(tmp_path, 1, 10, 200)
    assert reporter.stdout is not None
    while "flushed" not in reporter.stdout.readline():
        assert reporter.poll() is None
    reporter.kill()
    reporter.wait()
    wait_for_no_children()
    # All from step 110 on is made again.
    again = publish(tmp_path, 2, 110, 300, "end")
    output, _ = again.communicate(timeout=300)
    assert again.returncode == 0
    assert "[{}, {}, {}, {}]" in output, output
    wanted = [(step, 1) for step in range(10, 210, 10)]
    wanted += [(step, 2) for step in range(110, 310, 10)]
    for name, points in stored(tmp_path).items():
        assert len({point.run_id for point in points}) == 1, name
        for tag, index in (("loss/bce", 0), ("metric/auc", 1)):
            found = [(point.step, point.value) for point in points if point.tag == tag]
            assert found == [(step, numbers_of(step, by)[index]) for step, by in wanted], name
        found = [
            (point.step, point.value) for point in points if point.tag == "eval_val/loss/total"
        ]
        evaluations = [(step, by) for step, by in wanted if step % 50 == 0]
        assert found == [(step, numbers_of(step, by)[0]) for step, by in evaluations], name
    wait_for_no_children()


def publish(folder: Path, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.soak.tracked_reporter", folder, *arguments]
    return subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True)


def test_a_killed_and_resumed_run_is_one_run_with_all_numbers(config: Path) -> None:
    run = config.parent / "run"
    training = start(config, *LONG)
    # All of them have begun their run.
    wait_for(lambda: len(list(run.glob("monitor/tracker_*.json"))) == 4, training)
    wait_for(lambda: any(run.glob("model.ckpt-*")), training)
    os.kill(training.pid, signal.SIGKILL)
    training.wait()
    wait_for_no_children()
    restored = max(int(path.name.rpartition("-")[2]) for path in run.glob("model.ckpt-*"))
    again = start(config, "--resume", *LONG, "--set", "export_config.export_at_end=true")
    assert again.wait(600) == 0, (config.parent / "output").read_text()[-3000:]
    assert_all_there(run, remade_after=restored)
    assert_ended(config.parent, run)
    assert_same_scores(config.parent, run)
    assert children() == []


def assert_ended(folder: Path, run: Path) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{folder}/mlflow.db")
    (found,) = client.search_runs(["1"])
    assert found.info.status == "FINISHED"
    assert found.info.run_name == "run"
    assert found.data.params["data_config.batch_size"] == "256"
    assert str(run / "model.ckpt-") in found.data.tags["raymon.checkpoints"]
    kinds = Counter(record.WhichOneof("record_type") for record in records_of_wandb(folder))
    assert kinds["run"] >= 2
    assert kinds["exit"] == 1


def assert_same_scores(folder: Path, run: Path) -> None:
    """Checks that what MLflow loads scores rows as `raymon predict` does."""
    evaluated = read_saved(run).eval_input_path
    rows = next(Path(evaluated).rglob("*.parquet"))
    scores = folder / "scores.parquet"
    command = [sys.executable, "-m", "raymon", "predict", run / "export", rows, scores]
    subprocess.run(list(map(str, command)), check=True, timeout=120)
    code = """
import sys
import mlflow, pandas
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model("models:/ctr/1")
print(model.metadata.signature)
frame = pandas.read_parquet(sys.argv[2])
names = [column.name for column in model.metadata.signature.inputs]
found = model.predict(frame[names])
pandas.testing.assert_frame_equal(found, pandas.read_parquet(sys.argv[3]), check_exact=True)
"""
    uri = f"sqlite:///{folder}/mlflow.db"
    done = subprocess.run(
        [sys.executable, "-c", code, uri, str(rows), str(scores)],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    print(done.stdout)


def test_on_ray_a_killed_reporter_and_a_killed_worker_leave_one_history(
    ray_address: str, config: Path
) -> None:
    os.environ["RAY_ADDRESS"] = ray_address
    run = config.parent / "run"
    training = start(config, *LONG, workers=2)
    wait_for(lambda: len(list(run.glob("monitor/tracker_*.json"))) == 4, training)
    (reporter,) = processes("ReportingActor")
    reporter.kill()
    assert training.wait(600) == 0, (config.parent / "output").read_text()[-3000:]
    assert_all_there(run)


@pytest.fixture
def silent_server() -> Iterator[str]:
    """The address of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def refusing_server() -> Iterator[str]:
    """The address of a server that refuses each request."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(401)
            self.end_headers()

        def do_POST(self) -> None:
            self.send_response(401)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Says nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def closed_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


def test_trackers_that_do_not_take_the_numbers_cost_a_line_each(
    tmp_path: Path, click_log: Path, silent_server: str, refusing_server: str
) -> None:
    path = tmp_path / "click.config"
    where = {"down": closed_port(), "silent": silent_server, "refusing": refusing_server}
    trackers = "".join(
        f'trackers {{ mlflow {{ tracking_uri: "{uri}" }} }}' for uri in where.values()
    )
    text = CONFIG.format(data=click_log, model_dir=tmp_path / "run")
    path.write_text(text + f"monitor_config {{ {trackers} trackers {{ wandb {{}} }} }}")
    environment = {"WANDB_BASE_URL": where["down"], "WANDB_API_KEY": "0" * 40}
    with pytest.MonkeyPatch.context() as patched:
        for name, value in environment.items():
            patched.setenv(name, value)
        began = time.monotonic()
        training = start(path, "--allow-custom-classes")
        assert training.wait(300) == 0, (tmp_path / "output").read_text()[-3000:]
        lasted_s = time.monotonic() - began
    output = (tmp_path / "output").read_text()
    print(output, f"{lasted_s:.0f} s")
    summary = json.loads((tmp_path / "run" / "run.json").read_text())
    assert summary["status"] == "done"
    wrong = [line for line in output.splitlines() if "MLflow: " in line or "WandB: " in line]
    for kind, words in (
        ("down", "cannot be reached"), ("silent", "does not answer"), ("refusing", "refuses the"),
    ):  # fmt: skip
        assert len([line for line in wrong if where[kind] in line and words in line]) >= 1, kind
    # A line for each that fails, and one at the end for what it did not take.
    assert len(wrong) <= 8
    assert "0" * 40 not in output
    wait_for_no_children()
