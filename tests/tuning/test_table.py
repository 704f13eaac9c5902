"""What a sweep came to is shown best first, with the values that tell trials from each other."""

import json
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from raymon.cli.tune import result_lines
from raymon.storage import to_json
from raymon.tuning import SweepResult, TrialResult, as_json, table_rows
from raymon.tuning.lineage import Origin
from raymon.tuning.parameters import Parameter
from raymon.tuning.plot import sweep_svg
from raymon.tuning.results import Curve, read_sweep
from raymon.tuning.table import short_names

DENSE = "train_config.dense_optimizer.adam_optimizer.lr"
SPARSE = "train_config.sparse_optimizer.adam_optimizer.lr"


def result(directory: str = "runs/sweep") -> SweepResult:
    curve = Curve(np.array([10.0, 20.0]), np.array([0.7, 0.6]))
    values = {DENSE: 0.1, SPARSE: 0.01, "model_config.deepfm.deep.hidden_units.0": 8}
    trials = [
        TrialResult("001", "runs/sweep/trials/001", values, "failed", error="out of memory"),
        TrialResult("002", "runs/sweep/trials/002", values, "pruned", 20, 0.7, 10, 0.6, 20, None,
                    [Origin(0, "002", values)], curve),
        TrialResult("003", "runs/sweep/trials/003", values, "done", 40, 0.75, 40, 0.75, 40, None,
                    [Origin(0, "002", values), Origin(10, "003", values)], curve),
    ]  # fmt: skip
    return SweepResult("done", directory, "auc", False, True, trials, time.time())


def test_the_best_trial_is_first_and_one_without_a_value_last() -> None:
    heading, rows = table_rows(result())
    assert heading[:3] == ["trial", "dense_optimizer.lr", "sparse_optimizer.lr"]
    assert heading[3:] == ["hidden_units.0", "auc", "at step", "status"]
    assert [row[0] for row in rows] == ["003", "002", "001"]
    assert [row[-1] for row in rows] == [
        "done, from 002 at step 10",
        "pruned at step 20",
        "failed: out of memory",
    ]
    assert rows[2][4:6] == ["-", "-"]


def test_a_path_alone_is_named_by_its_end() -> None:
    assert short_names([DENSE]) == {DENSE: "lr"}


def test_a_narrow_terminal_has_a_line_for_each_trial() -> None:
    for width in (None, 80):
        lines = result_lines(result(), width)
        assert sum(line.startswith("00") for line in lines) == 3


def test_sweep_json_is_strict_and_names_the_best(tmp_path: Path) -> None:
    written = result(str(tmp_path))
    written.write()
    known = json.loads((tmp_path / "sweep.json").read_text(), parse_constant=pytest.fail)
    assert known["best"] == "003"
    assert [trial["trial"] for trial in known["trials"]] == ["001", "002", "003"]
    assert known["trials"][2]["lineage"][1] == {"step": 10, "trial": "003", "values": {
        DENSE: 0.1, SPARSE: 0.01, "model_config.deepfm.deep.hidden_units.0": 8}}  # fmt: skip
    assert read_sweep(tmp_path) == known
    assert json.loads(to_json(as_json(written)))["trials"][0]["trial"] == "003"


def test_the_plot_has_a_curve_a_trial_and_a_picture_a_parameter() -> None:
    parameters = [
        Parameter(DENSE, "", "loguniform", 0.001, 1.0),
        Parameter("model_config.deepfm.deep.hidden_units.0", "", "choice", values=("8", "16")),
    ]
    for trials in (result().trials, ()):
        found = SweepResult("done", "d", "auc<", False, True, trials, 0.0)
        tree = ET.fromstring(sweep_svg(found, parameters))
        paths = tree.findall(".//{*}g/{*}path[@stroke-linejoin]")
        assert len(paths) == (2 if trials else 0)
        assert len(tree.findall(".//{*}circle")) == (2 + 4 if trials else 0)
