"""Runs in a notebook, with a kernel as Jupyter starts it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from raymon.sinks import read_lines

pytestmark = pytest.mark.soak

MONITOR = """
import logging, time, torch, raymon
monitor = raymon.Monitor(["auc"], model_dir={model_dir!r}, total_steps=300, log_step_count_steps=10)
for step in range(300):
    labels = torch.randint(0, 2, (64,))
    monitor.step({{"<b>loss</b>": torch.rand(())}}, torch.rand(64), labels, learning_rates=[0.1])
    if step == 150:
        logging.getLogger("raymon").warning("a <script>warning</script>")
        time.sleep(1.5)
monitor.close()
"""

TRAIN = """
import raymon
raymon.train({config!r}, {{"ray_config.num_workers": {workers}}})
"""

INTERRUPTED = """
import _thread, threading, raymon
threading.Timer(10, _thread.interrupt_main).start()
try:
    raymon.train({config!r}, {{"ray_config.num_workers": 0, "train_config.num_epochs": 100000}})
except KeyboardInterrupt:
    print("it was interrupted")
"""


def executed(code: str, directory: Path) -> list[Any]:
    """Returns the outputs of a cell, as the notebook has them when it is saved."""
    # Imported here, since only `make soak` installs them.
    import nbclient
    import nbformat

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    nbclient.NotebookClient(notebook, timeout=300).execute(cwd=str(directory))
    return list(notebook.cells[0].outputs)


def test_a_loop_with_a_monitor_is_one_output_that_stays(tmp_path: Path) -> None:
    outputs = executed(MONITOR.format(model_dir=str(tmp_path / "run")), tmp_path)
    shown = [output for output in outputs if output.output_type == "display_data"]
    assert len(shown) == 1
    html = shown[0].data["text/html"]
    assert "done" in html
    assert "100 % 300/300" in html
    assert html.count("<svg") == 2
    assert "&lt;b&gt;loss&lt;/b&gt;" in html
    assert "a &lt;script&gt;warning" in html
    assert "<script" not in html
    assert not [each for each in outputs if each.output_type == "stream"]
    assert len(read_lines(tmp_path / "run" / "monitor" / "windows.jsonl")) == 30


@pytest.mark.parametrize("workers", [0, 2])
def test_a_run_is_one_output_and_its_summary_is_the_value_of_the_cell(
    config_file: Path, tmp_path: Path, workers: int
) -> None:
    outputs = executed(TRAIN.format(config=str(config_file), workers=workers), tmp_path)
    # Ray says by itself that it would like to have widgets.
    outputs = [each for each in outputs if "ipywidgets" not in each.get("text", "")]
    assert [output.output_type for output in outputs] == ["display_data", "execute_result"]
    html = outputs[0].data["text/html"]
    lines = read_lines(tmp_path / "run" / "monitor" / "windows.jsonl")
    assert f"loss:{lines[-1]['losses']['total_loss']:.5f}" in html
    assert "Evaluation at step" in html
    assert len(re.findall("<circle", html)) > 0
    assert outputs[1].data["text/html"].startswith("<table")


def test_a_cell_that_is_interrupted_says_so(config_file: Path, tmp_path: Path) -> None:
    outputs = executed(INTERRUPTED.format(config=str(config_file)), tmp_path)
    shown = [output for output in outputs if output.output_type == "display_data"]
    assert len(shown) == 1
    assert "interrupted" in shown[0].data["text/html"]
    said = "".join(each.text for each in outputs if each.output_type == "stream")
    assert "it was interrupted" in said
    assert "--resume goes on from step" in said
