"""Runs that are kept on S3, which moto's server imitates."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch
from pyarrow import fs

import raymon
from raymon.storage import storage_path
from raymon.training.checkpoint.manifest import list_checkpoints
from tests.checkpoints import saved_tensors
from tests.integration import watched_loop
from tests.integration.conftest import run_raymon, start_raymon
from tests.integration.kills import SETTINGS, STEPS, assert_same, finish, kill, windows
from tests.integration.test_monitor_in_other_loops import read_lines, run_script

pytest.importorskip("moto")
pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]

IN_PROCESS = ("ray_config.num_workers=0", "train_config.num_epochs=10")


@pytest.fixture
def bucket(endpoint: str) -> fs.S3FileSystem:
    """The storage with an empty bucket, `runs`."""
    storage = fs.S3FileSystem(endpoint_override=endpoint, scheme="http", allow_bucket_creation=True)
    storage.create_dir("runs")
    return storage


def copied_down(storage: fs.S3FileSystem, inner: str, to: Path) -> Path:
    """Returns the run as a local directory, in which the parts of its lines are one file."""
    fs.copy_files(inner, str(to), source_filesystem=storage)
    for name in ("windows.jsonl", "evaluations.jsonl"):
        parts = to / "monitor" / name
        if not parts.exists():
            continue
        text = b"".join(part.read_bytes() for part in sorted(parts.iterdir()))
        for part in parts.iterdir():
            part.unlink()
        parts.rmdir()
        parts.write_bytes(text)
    return to


def train(config: Path, run: str, *more: str, flags: Sequence[str] = ()) -> subprocess.Popen[str]:
    settings = (*SETTINGS, f"model_dir={run}", *more)
    words = [word for setting in settings for word in ("--set", setting)]
    return start_raymon("train", config, *words, "--json", *flags)


def saved_step(run: str) -> int:
    return max((checkpoint.step for checkpoint in list_checkpoints(storage_path(run))), default=0)


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    while not condition():
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)


def assert_all_checkpoints_same(run: Path, other: Path) -> None:
    steps = [[checkpoint.step for checkpoint in list_checkpoints(each)] for each in (run, other)]
    assert steps[0] == steps[1]
    for step in steps[0]:
        found, expected = (saved_tensors(each / f"model.ckpt-{step}") for each in (run, other))
        assert found.keys() == expected.keys()
        assert all(torch.equal(found[name], expected[name]) for name in expected), step


def test_a_run_on_s3_is_the_local_one_also_when_it_was_killed(
    config_file: Path, bucket: fs.S3FileSystem, tmp_path: Path
) -> None:
    local = tmp_path / "local"
    finish(train(config_file, str(local), *IN_PROCESS))
    finish(train(config_file, "s3://runs/whole", *IN_PROCESS))
    whole = copied_down(bucket, "runs/whole", tmp_path / "whole")
    assert_same(whole, local)
    assert_all_checkpoints_same(whole, local)
    for kills in (1, 2, 3):
        run = f"s3://runs/killed-{kills}"
        flags: tuple[str, ...] = ()
        for number in range(kills):
            training = train(config_file, run, *IN_PROCESS, flags=flags)
            passed = STEPS * (number + 1) // (kills + 1)
            wait_for(lambda r=run, s=passed: saved_step(r) >= s, training)
            training.kill()
            training.communicate()
            flags = ("--resume",)
        finish(train(config_file, run, *IN_PROCESS, flags=flags))
        killed = copied_down(bucket, f"runs/killed-{kills}", tmp_path / f"killed-{kills}")
        assert_same(killed, local)
        assert_all_checkpoints_same(killed, local)
    print("\na run on S3, killed 0 to 3 times, was the local one bit for bit")


def test_processes_of_a_run_on_ray_are_killed_and_no_number_changes(
    config_file: Path, bucket: fs.S3FileSystem, endpoint: str, ray_address: str, tmp_path: Path
) -> None:
    local = tmp_path / "local"
    # Workers do not have the variables of this process: the URI tells them where it is.
    run = f"s3://runs/ray?endpoint_override={endpoint}&scheme=http"

    def start(model_dir: str) -> subprocess.Popen[str]:
        settings = (*SETTINGS, f"model_dir={model_dir}")
        words = [word for setting in settings for word in ("--set", setting)]
        return start_raymon("train", config_file, *words, "--json", address=ray_address)

    finish(start(str(local)))
    training = start(run)
    wait_for(lambda: saved_step(run) >= 80, training)
    kill("ReportingActor")
    wait_for(lambda: saved_step(run) >= 160, training)
    kill("RayTrainWorker")
    summary = finish(training)
    there = copied_down(bucket, "runs/ray", tmp_path / "there")
    assert_same(there, local)
    assert_all_checkpoints_same(there, local)
    assert (summary["status"], summary["restarts"]) == ("done", 1)
    assert summary["monitoring"]["windows_lost"] == 0
    print("\nkills on Ray, with the run on S3, changed no number")


def test_storage_that_hangs_for_a_while_ends_no_run(
    config_file: Path,
    bucket: fs.S3FileSystem,
    s3_server: tuple[str, subprocess.Popen[bytes]],
    tmp_path: Path,
) -> None:
    local, server = tmp_path / "local", s3_server[1]
    finish(train(config_file, str(local), *IN_PROCESS))
    training = train(config_file, "s3://runs/run", *IN_PROCESS)
    wait_for(lambda: saved_step("s3://runs/run") >= 80, training)
    server.send_signal(signal.SIGSTOP)
    time.sleep(30)
    server.send_signal(signal.SIGCONT)
    summary = finish(training)
    assert summary["status"] == "done"
    assert summary["monitoring"]["windows_lost"] == 0
    there = copied_down(bucket, "runs/run", tmp_path / "there")
    assert_same(there, local)
    print("\nstorage that hung for 30 s:", summary["save_counts"] or "every save was made")


def test_commands_take_uris(config_file: Path, bucket: fs.S3FileSystem, tmp_path: Path) -> None:
    run = "s3://runs/click"
    few = ("--num-workers", "0", "--set", "train_config.num_steps=40")
    keep = ("--set", "train_config.keep_checkpoint_max=2")
    trained = run_raymon("train", config_file, *few, *keep, "--set", f"model_dir={run}")
    assert trained.returncode == 0, trained.stderr
    refused = run_raymon("train", config_file, *few, "--set", f"model_dir={run}")
    assert refused.returncode == 2
    assert f"{run}: has a checkpoint of step 40; pass --resume" in refused.stderr
    resumed = run_raymon(
        "train", config_file, "--num-workers", "0", *keep, "--set", f"model_dir={run}", "--resume",
        "--set", "train_config.num_steps=60",
    )  # fmt: skip
    assert resumed.returncode == 0, resumed.stderr
    kept = [checkpoint.step for checkpoint in list_checkpoints(storage_path(run))]
    best = raymon.best_checkpoint(run)
    # The two most recent ones, and the best.
    assert kept == sorted({best.step, 40, 60})
    assert raymon.latest_checkpoint(run).step == 60
    assert run_raymon("best", run).stdout == f"{best.path}\n"
    scored = json.loads(run_raymon("evaluate", run, "--checkpoint", "best", "--json").stdout)
    assert scored == {"global_step": best.step, **best.metrics}
    verified = run_raymon("checkpoint", "verify", run)
    assert (verified.returncode, verified.stdout.count(": sound, 4 files")) == (0, len(kept))
    exported = run_raymon("export", run, "--out", f"{run}/export")
    assert exported.returncode == 0, exported.stderr
    again = run_raymon("export", run, "--out", f"{run}/export")
    assert (again.returncode, "is there already" in again.stderr) == (2, True)
    data = f"{config_file.parent}/scores.parquet"
    inputs = next(
        line.split('"')[1] for line in config_file.read_text().splitlines() if "eval_input" in line
    )
    for out in ("s3://runs/scores.parquet", data):
        predicted = run_raymon("predict", f"{run}/export", inputs, out)
        assert predicted.returncode == 0, predicted.stderr
    fs.copy_files("runs/scores.parquet", f"{data}.copy", source_filesystem=bucket)
    assert pq.read_table(data).equals(pq.read_table(f"{data}.copy"))
    tuned = run_raymon(
        "train", config_file, *few, "--set", f"train_config.fine_tune_checkpoint={run}",
        "--set", f"model_dir={tmp_path}/tuned",
    )  # fmt: skip
    assert f"Fine-tuning from {run}: " in tuned.stderr
    # A byte of an object is another one.
    path = f"runs/click/model.ckpt-{kept[0]}/__0_0.distcp"
    with bucket.open_input_stream(path) as stream:
        damaged = bytearray(stream.read())
    damaged[len(damaged) // 2] ^= 1
    with bucket.open_output_stream(path) as stream:
        stream.write(bytes(damaged))
    verified = run_raymon("checkpoint", "verify", run)
    assert (verified.returncode, verified.stdout.count("its sha256 is another one")) == (1, 1)
    print("\nevery command took URIs")


def test_storage_that_cannot_be_written_is_told_at_once(
    config_file: Path, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for run, said in (
        ("s3://nobody/run", "s3://nobody/run: cannot be written: "),
        ("s3://key:secret@runs/run", "s3://runs/run: is given with credentials"),
    ):
        began = time.monotonic()
        with pytest.raises(raymon.UserError, match=said) as caught:
            raymon.train(config_file, {"model_dir": run, "ray_config.num_workers": 0})
        assert time.monotonic() - began < 20
        assert "secret" not in str(caught.value)
        assert "\n" not in str(caught.value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    began = time.monotonic()
    refused = run_raymon("train", config_file, "--set", "model_dir=s3://runs/run")
    assert time.monotonic() - began < 30
    assert refused.returncode == 2
    assert refused.stderr.startswith("raymon: s3://runs/run: cannot be written: ")
    assert refused.stderr.count("\n") == 1


def test_a_monitor_in_a_loop_on_ray_train_writes_where_the_run_is_kept(
    bucket: fs.S3FileSystem, endpoint: str, ray_address: str, tmp_path: Path
) -> None:
    script = Path(watched_loop.__file__)
    storage = f"s3://runs/loops?endpoint_override={endpoint}&scheme=http"
    said = run_script(script, storage, ray_address, str(tmp_path))
    assert "the numbers go to s3://runs/loops/watched" in said
    watched_loop.watch_in_one_process(tmp_path / "undisturbed")
    there = copied_down(bucket, "runs/loops/watched", tmp_path / "there")
    lines, expected = windows(there), read_lines(tmp_path / "undisturbed")
    for name in ("global_step", "samples", "samples_total", "losses", "metrics"):
        assert [line[name] for line in lines] == [line[name] for line in expected], name
    print("\na loop of one's own, with storage on S3, showed the numbers of all its workers")


def test_a_monitor_in_a_plain_loop_takes_a_uri(bucket: fs.S3FileSystem, tmp_path: Path) -> None:
    run = "s3://runs/plain"
    script = Path(raymon.__file__).parent / "examples" / "monitor_plain_torch.py"
    for storage in (run, tmp_path / "local"):
        subprocess.run([sys.executable, script, str(storage)], check=True, capture_output=True)
    lines = windows(copied_down(bucket, "runs/plain", tmp_path / "plain"))
    assert [line["metrics"] for line in lines] == [
        line["metrics"] for line in windows(tmp_path / "local")
    ]
