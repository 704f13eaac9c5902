"""The config of "getting started" trains, and what the guides show on it in Python runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from torchmetrics import Metric
from torchmetrics.classification import BinaryRecall

import raymon
from tests.docs.pages import ROOT, blocks

DOCS = ROOT / "docs"
ROWS = 3000


def block(page: str, start: str = "", language: str = "python") -> str:
    """Returns the only block of a page that has a text in it."""
    (found,) = [b.text for b in blocks(language) if b.page == DOCS / page and start in b.text]
    return found


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with the config, without workers of Ray, and with its data."""
    draw = np.random.default_rng(0)
    for part in ("train", "test"):
        folder = tmp_path / "data" / part
        folder.mkdir(parents=True)
        tags = draw.integers(0, 20, (ROWS, 2))
        table = {
            "tag": [f"{a},{b}" for a, b in tags],
            "duration_ms": draw.integers(1, 60_000, ROWS),
            "user_id": draw.integers(0, 100, ROWS),
            "is_click": (draw.random(ROWS) < 0.05 + 0.4 * (tags[:, 0] == 0)).astype(np.int64),
        }
        pq.write_table(pa.table(table), folder / "rows.parquet")
    config = block("getting-started.md", "train_config {", "protobuf")
    written = config.replace("num_workers: 2", "num_workers: 0")
    assert written != config
    (tmp_path / "my.config").write_text(written)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("here")
def test_a_run_has_the_checkpoints_that_are_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    summary = raymon.train("my.config", {"model_dir": "runs/first"})
    assert (summary.status, summary.samples) == ("done", ROWS)
    assert {"auc", "grouped_auc"} <= set(summary.eval_metrics)
    capsys.readouterr()
    exec(block("guides/checkpoints.md"), {})
    best, _, latest_step = capsys.readouterr().out.strip().rpartition(" ")
    assert str(Path(best).absolute()) == summary.best_checkpoint
    assert int(latest_step) == summary.steps
    exec(block("guides/looking-at-runs.md", "windows().to_pandas()"), {})
    assert f"done {summary.steps} " in capsys.readouterr().out


@pytest.mark.usefixtures("here")
def test_a_mistake_is_told_as_it_is_shown() -> None:
    shown = block("getting-started.md", "unknown field", "")
    place, told = shown.strip().removeprefix("raymon: my.config:").split(": ", 1)
    config = Path("my.config")
    config.write_text(config.read_text().replace("num_epochs:", "num_epoch:"))
    with pytest.raises(raymon.ConfigError) as error:
        raymon.train("my.config")
    assert place.isdigit()
    assert str(error.value).split(": ", 1)[1] == told


@pytest.mark.usefixtures("here")
def test_a_run_from_python_shows_what_came_out(capsys: pytest.CaptureFixture[str]) -> None:
    shown = block("getting-started.md").replace("1000", "4")
    exec(shown, {})
    assert "model.ckpt-4 {" in capsys.readouterr().out


def test_data_may_come_from_a_function(here: Path) -> None:
    shown = block("guides/data.md")
    names: dict[str, object] = {}
    exec(shown.replace("/data/clicks/", f"{here}/data/train/"), names)
    lines = (here / "runs" / "click" / "run.json").read_text()
    assert f'"samples": {ROWS}' in lines


def test_metrics_work_in_any_loop(capsys: pytest.CaptureFixture[str]) -> None:
    draw = torch.Generator().manual_seed(0)
    batches = [
        (scores, (torch.rand(64, generator=draw) < scores).long(), torch.arange(64) % 8)
        for scores in torch.rand(10, 64, generator=draw)
    ]
    exec(block("guides/metrics.md", "batches"), {"batches": batches})
    assert "0.8" in capsys.readouterr().out


@pytest.mark.usefixtures("here")
def test_a_metric_is_named_in_the_config_by_the_name_that_a_script_registers() -> None:
    config = Path("my.config")
    metric, _ = block("guides/metrics.md", "custom_metric", "protobuf").splitlines()
    text = config.read_text().replace("metrics { auc {} } ", f"metrics {{ auc {{}} }} {metric} ", 1)
    assert metric in text
    config.write_text(text)

    class RecallOfRare(BinaryRecall):
        def __init__(self, below: float) -> None:
            super().__init__(below)

    assert issubclass(RecallOfRare, Metric)
    try:
        exec(
            block("guides/metrics.md", "register"), {"raymon": raymon, "RecallOfRare": RecallOfRare}
        )
    finally:
        del raymon.metrics.registry.custom._registered["recall_of_rare"]
    assert "recall_of_rare" in Path("runs/click/run.json").read_text()


@pytest.mark.usefixtures("here")
def test_a_module_of_lightning_is_watched() -> None:
    names: dict[str, Any] = {}
    exec(block("guides/monitoring.md", "import lightning"), names)
    rows = torch.randn(6400, 64, generator=torch.Generator().manual_seed(0))
    data = torch.utils.data.TensorDataset(rows, (rows.sum(1) > 0).float())
    trainer = names["lightning"].Trainer(
        max_epochs=1, accelerator="cpu", logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(names["Clicks"](), torch.utils.data.DataLoader(data, batch_size=64))
    lines = Path("runs/lightning/monitor/windows.jsonl").read_text().splitlines()
    (line,) = map(json.loads, lines)
    assert line["global_step"] == 100
    assert line["learning_rates"] == [0.002]
