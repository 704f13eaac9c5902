"""A failure names the line of the user's code, wherever that is called from."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest

import raymon
from raymon.errors import TrainingError
from tests.training.breaking_code import BROKEN, PLACES, breaking_rows, place

MODEL = (
    'custom {{ class_path: "tests.training.breaking_code:BreakingModel" '
    'kwargs {{ key: "where" value: "\\"{}\\"" }} }}'
)


@pytest.mark.parametrize("where", PLACES)
def test_the_line_and_the_file_name_the_frame_of_the_user(where: str, config_file: Path) -> None:
    raymon.allow_custom_classes()
    text = config_file.read_text()
    start = text.index("  deepfm")
    model = MODEL.format(where)
    text = text.replace(text[start : text.index("\n", start)], f"  {model}")
    kind = {"update": "BreakingMetric", "compute": "UncomputedMetric"}.get(where)
    if kind is not None:
        metric = f'metrics {{ custom_metric {{ name: "tests.training.breaking_code:{kind}" }} }}'
        text = text.replace("  metrics { auc {} }", f"  metrics {{ auc {{}} }}\n  {metric}")
    config_file.write_text(text)
    given = {}
    if where == "rows":
        data = json.loads(text.partition("train_input_path: ")[2].split("\n")[0])
        given["train"] = breaking_rows(sorted(Path(data).glob("*.parquet"))[0])
    with pytest.raises(TrainingError) as failed:
        raymon.train(config_file, ["ray_config.num_workers=0"], datasets=given)
    run = config_file.parent / "run"
    kept = run / "monitor" / "failure-1.txt"
    line = f"ValueError: {BROKEN} ({place(where)}); details are in {kept}"
    assert str(failed.value) == line
    assert json.loads((run / "run.json").read_text())["error"] == line
    whole = kept.read_text()
    process = f"{socket.gethostname()}, pid {os.getpid()}"
    assert f"\n{process}\nTraceback (most recent call last):\n" in whole
    assert "Last notices, UTC" in whole
    assert [path.name for path in run.glob("monitor/failure-*")] == ["failure-1.txt"]
