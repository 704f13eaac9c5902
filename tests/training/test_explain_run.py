import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

import raymon
from raymon.reporter import Summary, with_verdict
from raymon.results import DATA
from raymon.runs import explain_run
from raymon.storage import storage_path
from tests.diagnosis.ranks import log_normal, windows
from tests.storage.objects import Objects
from tests.training.written_runs import write_run


def slow_reader() -> list:
    return list(windows(2, 8, log_normal(0.02), slow=lambda index: {1: {DATA: 9.0}}))


def test_a_summary_gets_the_verdict_of_its_run_in_a_few_words(tmp_path) -> None:
    write_run(tmp_path, slow_reader(), status="running", hosts=["a", "b"])
    summary = with_verdict(Summary("done", str(tmp_path)))
    assert summary.verdict is not None
    assert summary.verdict.startswith("waiting for a straggler: rank 1 on b, slow in data from")
    failed = with_verdict(Summary("failed", str(tmp_path), error="no such column"))
    assert failed.verdict == "failed: no such column"


def test_a_summary_of_a_run_that_cannot_be_read_has_no_verdict(tmp_path) -> None:
    assert with_verdict(Summary("done", str(tmp_path / "gone"))).verdict is None


def test_a_run_on_object_storage_is_explained_like_one_on_disk(tmp_path) -> None:
    write_run(tmp_path / "run", slow_reader())
    objects = Objects()
    where = objects.path()
    for path in (tmp_path / "run").rglob("*"):
        name = str(path.relative_to(tmp_path / "run"))
        if path.is_file() and path.suffix == ".jsonl" and "alerts" not in name:
            (where / name / "part-0000000000-000000000").write_bytes(path.read_bytes())
        elif path.is_file():
            (where / name).write_bytes(path.read_bytes())
    assert asdict(explain_run(where)) == asdict(explain_run(storage_path(tmp_path / "run")))


def test_a_run_that_failed_before_its_first_step_is_no_riddle(tmp_path: Path) -> None:
    write_run(tmp_path, status="failed")
    told = explain_run(tmp_path)
    assert told.text == "failed: it failed before its first step, and nothing is known of why"
    (tmp_path / "run.json").write_text("{damaged")
    assert explain_run(tmp_path).text == "not known, because no step was reported"
    (tmp_path / "run.json").write_text(json.dumps(["no", "object"]))
    assert explain_run(tmp_path).kind == "unknown"


def test_a_real_run_that_waits_for_its_dataset_says_so(
    config_file: Path, click_log: Path, tmp_path: Path
) -> None:
    rows = pq.read_table(click_log / "train")

    def draw() -> Iterator[pa.Table]:
        for begin in range(0, 256 * 12, 256):
            time.sleep(0.06)
            yield rows.slice(begin, 256)

    overrides = {
        "ray_config.num_workers": 0,
        "train_config.num_epochs": 1,
        "train_config.use_tensorboard": False,
        "eval_input_path": "",
        "export_config.exporter_type": "latest",
        "data_config.num_workers": 0,
    }
    summary = raymon.train(config_file, overrides, datasets={"train": draw})
    told = explain_run(tmp_path / "run")
    assert told.kind == "input_bound", told
    assert summary.verdict == told.short
    assert json.loads((tmp_path / "run" / "run.json").read_text())["verdict"] == told.short
