"""Faults planted in real runs bring the right alert, once, whatever is killed meanwhile."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from google.protobuf import text_format

from raymon.config import load
from raymon.protos.report_pb2 import WindowReport
from raymon.results import Alert
from raymon.sinks import read_alerts
from raymon.training.checkpoint.manifest import list_checkpoints
from tests.checkpoints import saved_model
from tests.conftest import CONFIG
from tests.integration import kills
from tests.integration.conftest import run_raymon, start_raymon
from tests.integration.kills import wait_for

pytestmark = [pytest.mark.soak, pytest.mark.timeout(400)]

KEEPS = "import sys; open(sys.argv[1], 'a').write(sys.stdin.read())"


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.getcwd())


def words(folder: Path, click_log: Path, kwargs: dict[str, object], *more: str) -> list[object]:
    """Returns the words of a command that trains a `SickModel` on two workers in 400 steps."""
    config = folder / "click.config"
    config.write_text(CONFIG.format(data=click_log, model_dir=folder / "run"))
    given = " ".join(f"kwargs {{key: '{k}' value: '{json.dumps(v)}'}}" for k, v in kwargs.items())
    command = json.dumps([sys.executable, "-c", KEEPS, str(folder / "kept.jsonl")])
    settings = [
        "model_config.deepfm=", "model_config.metrics=[]", "eval_input_path=", "export_config=",
        f"model_config.custom={{class_path: 'tests.soak.sick_model:SickModel' {given}}}",
        "train_config.num_epochs=", "train_config.num_steps=400", "monitor_config.log_level=INFO",
        "train_config.save_checkpoints_steps=100", f"monitor_config.alert_command={command}",
        *more,
    ]  # fmt: skip
    chosen = [word for setting in settings for word in ("--set", setting)]
    return ["train", config, *chosen, "--json", "--allow-custom-classes"]


def told(folder: Path, kind: str) -> list[Alert]:
    return [alert for alert in read_alerts(folder / "run") if alert.finding.kind == kind]


def kept(folder: Path, kind: str) -> list[bool]:
    """Returns the alerts of a kind that reached the user's program: whether each is over."""
    path = folder / "kept.jsonl"
    lines = [json.loads(line) for line in path.open()] if path.exists() else []
    return [line["is_over"] for line in lines if line["kind"] == kind]


def test_a_run_that_is_well_has_no_alert(tmp_path: Path, click_log: Path, ray_address: str) -> None:
    done = run_raymon(*words(tmp_path, click_log, {}), address=ray_address)
    assert done.returncode == 0, done.stderr
    assert read_alerts(tmp_path / "run") == []
    assert json.loads(done.stdout)["alerts"] == {"on": [], "counts": {}}


def test_nan_on_one_rank_stops_all_ranks_before_its_step(
    tmp_path: Path, click_log: Path, ray_address: str
) -> None:
    fault = {"at": 157, "rank": 1, "factor": "nan"}
    more = ("train_config.on_nonfinite=STOP", "train_config.find_nonfinite=true")
    done = run_raymon(*words(tmp_path, click_log, fault, *more), address=ray_address)
    assert done.returncode == 1
    line = "step 157: binary_cross_entropy is nan on rank 1; "
    assert any(line in each and "on_nonfinite is STOP" in each for each in done.stderr.splitlines())
    steps = [checkpoint.step for checkpoint in list_checkpoints(tmp_path / "run")]
    assert steps == [100, 157]
    model = saved_model(list_checkpoints(tmp_path / "run")[-1].path)
    assert all(weight.isfinite().all() for weight in model.values())
    (alert,) = told(tmp_path, "nonfinite")
    assert (alert.finding.first_step, alert.finding.rank) == (157, 1)
    assert kept(tmp_path, "nonfinite") == [False]


def test_nan_on_one_rank_is_skipped_by_all_ranks(
    tmp_path: Path, click_log: Path, ray_address: str
) -> None:
    fault = {"at": 157, "rank": 1, "factor": "nan"}
    more = "train_config.on_nonfinite=SKIP_STEP"
    done = run_raymon(*words(tmp_path, click_log, fault, more), address=ray_address)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert (summary["skipped_steps"], summary["steps"], summary["status"]) == (1, 400, "done")
    assert [alert.is_over for alert in told(tmp_path, "nonfinite")] == [False, True]
    assert summary["alerts"] == {"on": [], "counts": {"nonfinite": 1}}
    model = saved_model(list_checkpoints(tmp_path / "run")[-1].path)
    assert all(torch.isfinite(weight).all() for weight in model.values())


def test_nan_on_one_rank_is_skipped_where_tables_are_sharded(
    tmp_path: Path, click_log: Path
) -> None:
    fault = {"at": 5, "rank": 1, "factor": "nan"}
    rate = "{lr: 0.05} constant_learning_rate {}"
    config = load(
        words(tmp_path, click_log, fault)[1],
        [
            *(str(word) for word in words(tmp_path, click_log, fault) if "=" in str(word)),
            "train_config.num_steps=12", "train_config.embedding_tables=SHARDED",
            "train_config.on_nonfinite=SKIP_STEP", "ray_config.num_workers=2",
            f"train_config.sparse_optimizer={{adagrad_optimizer {rate}}}",
        ],
    )  # fmt: skip
    (tmp_path / "rank.config").write_text(text_format.MessageToString(config))
    program = [sys.executable, "-m", "tests.soak.skipping_rank", str(tmp_path)]
    ranks = [subprocess.Popen([*program, str(rank)]) for rank in range(2)]
    assert [rank.wait(timeout=120) for rank in ranks] == [0, 0]
    for rank in range(2):
        run = torch.load(tmp_path / f"{rank}.pt", weights_only=False)
        windows = [WindowReport.FromString(window) for window in run["windows"]]
        assert sum(window.skipped_steps for window in windows) == 1
        tensors = [*run["model"].values(), *run["states"].values()]
        assert run["states"]
        assert all(tensor.isfinite().all() for tensor in tensors if tensor.is_floating_point())


def test_a_reporter_that_is_killed_while_an_alert_is_on_tells_it_once(
    tmp_path: Path, click_log: Path, ray_address: str
) -> None:
    fault = {"at": 100, "rank": 1, "factor": "nan", "seconds": 0.02}
    training = start_raymon(*words(tmp_path, click_log, fault), address=ray_address)
    wait_for(lambda: bool(kept(tmp_path, "nonfinite")), training)
    kills.kill("ReportingActor")
    output, errors = training.communicate(timeout=240)
    assert training.returncode == 1, errors
    assert json.loads(output)["status"] == "diverged"
    assert json.loads(output)["alerts"]["counts"] == {"nonfinite": 1}
    (alert,) = told(tmp_path, "nonfinite")
    assert (alert.finding.first_step, alert.finding.rank, alert.step) == (100, 1, 110)
    assert kept(tmp_path, "nonfinite") == [False]
    assert errors.count("Alert: ") == 1


def test_a_spike_is_told_when_it_comes_and_when_it_is_over(
    tmp_path: Path, click_log: Path, ray_address: str
) -> None:
    fault = {"at": 300, "steps": 30, "rank": 1, "factor": "20"}
    # Small enough that the spike does not spoil the weights.
    rate = "={sgd_optimizer {lr: 0.0001} constant_learning_rate {}}"
    more = [f"train_config.{which}_optimizer{rate}" for which in ("dense", "sparse")]
    done = run_raymon(*words(tmp_path, click_log, fault, *more), address=ray_address)
    assert done.returncode == 0, done.stderr
    begun, over = told(tmp_path, "loss_spike")
    assert begun.step in (310, 320)
    assert (over.step, over.is_over) == (340, True) or over.step == 330
    assert kept(tmp_path, "loss_spike") == [False, True]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 100 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100m", "tmpfs", place], check=True)
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_disk_that_is_nearly_full_is_told(
    tmp_path: Path, click_log: Path, small_disk: Path
) -> None:
    more = (f"model_dir={small_disk / 'run'}", "ray_config.num_workers=0")
    done = run_raymon(*words(tmp_path, click_log, {"seconds": 0.02}, *more))
    assert done.returncode == 0, done.stderr
    (alert,) = read_alerts(small_disk / "run")
    assert alert.finding.kind == "disk_full"
    assert kept(tmp_path, "disk_full") == [False]


def test_files_that_are_never_closed_are_told_with_the_date_at_which_there_are_no_more(
    tmp_path: Path, click_log: Path
) -> None:
    more = ("ray_config.num_workers=0", "train_config.num_steps=100000")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Ten files a second: they last for five minutes.
    resource.setrlimit(resource.RLIMIT_NOFILE, (3000, before[1]))
    try:
        fault = {"seconds": 0.1, "files": 1}
        training = start_raymon(*words(tmp_path, click_log, fault, *more))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    try:
        wait_for(lambda: bool(told(tmp_path, "open_files_grow")), training)
    finally:
        training.terminate()
        training.communicate(timeout=60)
    (alert,) = told(tmp_path, "open_files_grow")
    assert alert.finding.rank == 0
    assert "before the run ends at" in alert.finding.text
    print(f"\n{alert.finding.text}")
