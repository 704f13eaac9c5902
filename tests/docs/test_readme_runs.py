"""The config and the loop that the README shows run unchanged."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

import raymon
from tests.docs.pages import ROOT, blocks

ROWS = 2000


def shown(language: str) -> str:
    (block,) = [b for b in blocks(language) if b.page == ROOT / "README.md"]
    return block.text


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_config_trains(here: Path) -> None:
    folder = here / "data" / "train"
    folder.mkdir(parents=True)
    tags = [f"tag {row % 7}" for row in range(ROWS)]
    clicks = [int(row % 7 == 0) for row in range(ROWS)]
    pq.write_table(pa.table({"tag": tags, "is_click": clicks}), folder / "rows.parquet")
    (here / "my.config").write_text(shown("protobuf"))
    summary = raymon.train("my.config", {"ray_config.num_workers": 0})
    assert summary.status == "done"
    assert summary.samples == ROWS
    assert summary.window_metrics["auc"] > 0


def test_the_loop_is_watched(here: Path) -> None:
    model = torch.nn.Linear(4, 1)
    rows = torch.randn(120, 64, 4, generator=torch.Generator().manual_seed(0))
    names = {
        "model": model,
        "optimizer": torch.optim.SGD(model.parameters(), 0.1),
        "loader": [(features, (features.sum(1) > 0).float()) for features in rows],
        "binary_cross_entropy_with_logits": binary_cross_entropy_with_logits,
    }
    exec(compile(shown("python"), "README.md", "exec"), names)
    lines = (here / "runs" / "mine" / "monitor" / "windows.jsonl").read_text().splitlines()
    assert [json.loads(line)["global_step"] for line in lines] == [100, 120]
