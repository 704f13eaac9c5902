"""TensorBoard itself shows the config, hyperparameters, scores and alerts of runs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import raymon
from raymon.results import Alert, Finding
from raymon.sinks import TensorBoard

pytestmark = [pytest.mark.soak, pytest.mark.timeout(300)]

RATE = "train_config.dense_optimizer.adam_optimizer.lr"


@contextmanager
def tensorboard(directory: Path) -> Iterator[str]:
    """Starts TensorBoard on a directory; yields its address."""
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(directory), "--port", "0"]
    process = subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--reload_interval", "1"],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        found = None
        while found is None:
            line = process.stderr.readline()
            assert line, "TensorBoard ended"
            found = re.search(r"http://127\.0\.0\.1:\d+", line)
        yield found[0]
    finally:
        process.kill()
        process.wait()


def ask(address: str, path: str, body: object = None, **options: str) -> Any:
    query = f"?{urllib.parse.urlencode(options)}" if options else ""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        f"{address}/data/{path}{query}", data, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def test_runs_are_compared_by_their_hyperparameters_and_scores(
    config_file: Path, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    rates = {"low": 0.001, "high": 0.01}
    summaries = {
        name: raymon.train(
            config_file,
            [f"model_dir={runs / name}", "ray_config.num_workers=0", f"{RATE}={rate}"],
        )
        for name, rate in rates.items()
    }
    alerts = TensorBoard(runs / "low", [])
    alerts.write_alert(Alert(Finding("straggler", "rank 3 is <b>slow</b>"), 1, 40, time.time()))
    alerts.close()
    with tensorboard(runs) as address:
        expected = {"low", "low/eval_val", "low/alerts", "high", "high/eval_val"}
        deadline = time.monotonic() + 60
        while set(ask(address, "runs")) != expected:
            assert time.monotonic() < deadline
            time.sleep(0.5)
        groups = {"startIndex": 0, "sliceSize": 10, "colParams": [],
                  "allowedStatuses": ["STATUS_UNKNOWN"]}  # fmt: skip
        found = {
            group["name"]: group
            for group in ask(address, "plugin/hparams/session_groups", groups)["sessionGroups"]
        }
        assert set(found) == {"low/eval_val", "high/eval_val"}
        for name, rate in rates.items():
            group = found[f"{name}/eval_val"]
            assert group["hparams"][RATE] == rate
            assert group["hparams"]["model_config.model"] == "deepfm"
            values = {each["name"]["tag"]: each["value"] for each in group["metricValues"]}
            scores = summaries[name].eval_metrics
            assert values["metric/auc"] == pytest.approx(scores["auc"], rel=1e-6)
            assert values["loss/total"] == pytest.approx(scores["total_loss"], rel=1e-6)
        text = ask(address, "plugin/text/text", run="low", tag="config")[0]["text"]
        assert text.startswith("<pre><code>")
        assert "hidden_units: 16" in text
        alert = ask(address, "plugin/text/text", run="low/alerts", tag="alert/straggler")[0]
        assert alert["step"] == 40
        assert "rank 3 is &lt;b&gt;slow" in alert["text"]
        tags = ask(address, "plugin/timeseries/tags")["scalars"]["runTagInfo"]
        assert {"loss/total", "metric/auc", "phase/forward"} <= set(tags["low"])
        assert {"loss/total", "loss/binary_cross_entropy", "metric/auc"} <= set(
            tags["low/eval_val"]
        )
