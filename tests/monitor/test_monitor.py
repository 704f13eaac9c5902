"""The monitor in a loop that raymon does not drive, without Ray."""

from __future__ import annotations

import inspect
import json
import math
import os
import subprocess
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import log_loss, roc_auc_score
from torch import Tensor
from torchmetrics import Metric

import raymon
from raymon.metrics import AUC, TrainMetricWrapper
from raymon.monitor import monitor as monitor_module
from raymon.monitor import rank as rank_module
from raymon.monitor.run import RunSettings
from tests.installed import installed_python
from tests.training.decayed import Rows, batches, decayed_auc, decayed_mean

EXAMPLE = Path(raymon.__file__).parent / "examples" / "monitor_plain_torch.py"


def often(metric: object, rate: float = 0.9) -> TrainMetricWrapper:
    """A metric that is folded every 10 steps."""
    return TrainMetricWrapper(metric, rate, 10)


def auc_message(decay_step: int = 10) -> object:
    from raymon.protos.metric_pb2 import TrainMetricConfig

    config = TrainMetricConfig(decay_step=decay_step)
    config.auc.SetInParent()
    return config


def watch(rows: Sequence[Rows], metrics: object = (), **arguments: object) -> raymon.Monitor:
    """Returns a monitor after some steps, each with its number as the loss."""
    monitor = raymon.Monitor(metrics, log_step_count_steps=10, **arguments)
    first = arguments.get("first_step", 0)
    for step, (scores, labels) in enumerate(rows, first):
        monitor.step({"bce": torch.tensor(float(step))}, scores, labels)
    return monitor


def lines(directory: Path) -> list[dict]:
    return [
        json.loads(line) for line in (directory / "monitor/windows.jsonl").read_text().splitlines()
    ]


def test_the_numbers_are_those_of_all_steps(tmp_path: Path) -> None:
    rows = batches(35)
    monitor = watch(rows, [auc_message(), {"ll": often(raymon_log_loss())}], model_dir=tmp_path)
    assert monitor.close()

    folds = [rows[0:10], rows[10:20], rows[20:30]]
    losses = [log_loss(_cat(fold, 1), _cat(fold, 0)) for fold in folds]
    expected = {"auc": decayed_auc(folds, 0.9), "ll": decayed_mean(losses, 0.9)}
    assert monitor.compute() == {
        "auc": pytest.approx(expected["auc"], abs=1e-4),
        "ll": pytest.approx(expected["ll"], abs=1e-6),
    }
    written = lines(tmp_path)
    assert [line["global_step"] for line in written] == [10, 20, 30, 35]
    assert [line["samples"] for line in written] == [640, 640, 640, 320]
    assert [line["losses"]["bce"] for line in written] == [4.5, 14.5, 24.5, 32.0]
    assert (written[-1]["samples_total"], written[-1]["ranks"]) == (35 * 64, 1)
    last = monitor.snapshot()
    assert last is not None
    assert (last.end_step, last.metrics) == (35, monitor.compute())
    assert monitor.failures == 0


def raymon_log_loss() -> Metric:
    from raymon.metrics import LogLoss

    return LogLoss()


def test_a_monitor_that_is_closed_leaves_no_thread() -> None:
    class Count(Metric):
        def __init__(self) -> None:
            super().__init__()
            self.add_state("rows", torch.tensor(0), dist_reduce_fx="sum")

        def update(self, scores: Tensor, labels: Tensor) -> None:
            self.rows += len(scores)

        def compute(self) -> Tensor:
            return self.rows.float()

    monitor = watch(batches(10), [often(Count())])
    monitor.close()
    for thread in threading.enumerate():
        if thread.name.startswith("raymon-metric-"):
            thread.join(10.0)
            assert not thread.is_alive()


def _cat(rows: Sequence[Rows], column: int) -> np.ndarray:
    return torch.cat([batch[column] for batch in rows]).double().numpy()


def test_an_auc_that_was_given_is_decayed_as_that_of_the_config() -> None:
    rows = batches(300)
    by_name, by_object = watch(rows, ["auc"]), watch(rows, [AUC()])
    assert by_name.close()
    assert by_object.close()
    folds = [rows[0:100], rows[100:200], rows[200:300]]
    assert by_object.compute()["auc"] == pytest.approx(decayed_auc(folds, 0.9), abs=1e-4)
    assert by_name.compute() == by_object.compute()


def test_weights_weigh_in_losses_and_metrics(tmp_path: Path) -> None:
    rows = batches(10)
    generator = torch.Generator().manual_seed(1)
    weights = torch.rand(10, 64, generator=generator)
    with raymon.Monitor([auc_message()], log_step_count_steps=10, model_dir=tmp_path) as monitor:
        for step, (scores, labels) in enumerate(rows):
            monitor.step({"bce": float(step)}, scores, labels, weights=weights[step])
    by_step = weights.double().sum(1)
    loss = float((by_step * torch.arange(10)).sum() / by_step.sum())
    assert lines(tmp_path)[0]["losses"]["bce"] == pytest.approx(loss, rel=1e-6)
    exact = roc_auc_score(_cat(rows, 1), _cat(rows, 0), sample_weight=weights.double().ravel())
    assert monitor.compute()["auc"] == pytest.approx(exact, abs=1e-4)


def test_steps_without_rows_weigh_the_same(tmp_path: Path) -> None:
    with raymon.Monitor(log_step_count_steps=2, model_dir=tmp_path) as monitor:
        monitor.step({"a": 1.0})
        monitor.step({"a": torch.tensor(2.0)})
        monitor.step({"a": 1.0}, samples=30)
        monitor.step({"a": 5.0}, samples=10)
    assert [(line["losses"]["a"], line["samples"]) for line in lines(tmp_path)] == [
        (1.5, 0),
        (2.0, 40),
    ]


def test_learning_rates_are_those_of_the_optimizer_or_of_the_step(tmp_path: Path) -> None:
    groups = [{"params": [torch.nn.Parameter(torch.zeros(1))], "lr": lr} for lr in (0.1, 0.2)]
    optimizer = torch.optim.SGD(groups)
    with raymon.Monitor(log_step_count_steps=1, model_dir=tmp_path, optimizer=optimizer) as monitor:
        monitor.step({"a": 1.0})
        optimizer.param_groups[0]["lr"] = 0.05
        monitor.step({"a": 1.0}, epoch=3)
        monitor.step({"a": 1.0}, learning_rates=[0.5])
    written = lines(tmp_path)
    assert [line["learning_rates"] for line in written] == [[0.1, 0.2], [0.05, 0.2], [0.5]]
    assert written[1]["epoch"] == 3


def test_a_loss_that_is_not_finite_is_counted_and_left_out(tmp_path: Path) -> None:
    losses = [1.0, math.nan, 3.0, math.inf]
    with raymon.Monitor(log_step_count_steps=4, model_dir=tmp_path) as monitor:
        for loss in losses:
            monitor.step({"bce": torch.tensor(loss)}, samples=8)
    (line,) = lines(tmp_path)
    assert (line["losses"]["bce"], line["non_finite"]) == (2.0, {"bce": 2})


def test_the_value_of_a_window_stands_beside_the_decayed_one(tmp_path: Path) -> None:
    # Windows of 20 steps over folds of 10, and a checkpoint in the middle of one.
    rows = batches(50)
    message = auc_message()
    with raymon.Monitor([message], log_step_count_steps=20, model_dir=tmp_path) as monitor:
        for scores, labels in rows[:30]:
            monitor.step({"bce": 0.5}, scores, labels)
        monitor.checkpoint()
    with raymon.Monitor(
        [message], log_step_count_steps=20, model_dir=tmp_path, first_step=30
    ) as monitor:
        for scores, labels in rows[30:]:
            monitor.step({"bce": 0.5}, scores, labels)
    written = lines(tmp_path)
    steps = [(line["first_step"], line["global_step"]) for line in written]
    assert steps == [(0, 20), (20, 30), (20, 40), (40, 50)]
    for line in written:
        window = rows[line["first_step"] : line["global_step"]]
        exact = roc_auc_score(_cat(window, 1), _cat(window, 0))
        assert line["window_metrics"]["auc"] == pytest.approx(exact, abs=1e-4)
    # After 2, 3, 4 and 5 folds.
    weights = [line["first_window_weights"]["auc"] for line in written]
    assert weights == pytest.approx([0.9**folds for folds in (1, 2, 3, 4)])


class Raises(Metric):
    """Fails at every update."""

    full_state_update = False

    def __init__(self) -> None:
        super().__init__()
        self.add_state("total", torch.zeros(()), "sum")

    def update(self, preds: Tensor, target: Tensor) -> None:
        raise RuntimeError("a metric of the user")

    def compute(self) -> Tensor:
        return self.total


def test_a_metric_that_raises_costs_only_itself(caplog: pytest.LogCaptureFixture) -> None:
    rows = batches(10)
    monitor = watch(rows, [{"bad": often(Raises())}, auc_message()])
    assert monitor.close()
    exact = roc_auc_score(_cat(rows, 1), _cat(rows, 0))
    assert monitor.compute()["auc"] == pytest.approx(exact, abs=1e-4)
    assert monitor.failures > 0
    said = [r.getMessage() for r in caplog.records if "a metric of the user" in r.message]
    line = inspect.getsourcelines(Raises.update)[1] + 1
    place = f"{Path(__file__).relative_to(Path.cwd())}:{line} in update"
    why = f"an update failed: RuntimeError: a metric of the user ({place})"
    assert said[0] == (
        f"Steps 0 to 10: bad has no value: rank 0: {why}; it has one again after 10 whole steps "
        "without that"
    )
    # And again in the figures at the end.
    assert said[1:] == [said[1]]
    assert said[1].endswith(f"1 failure (train metric bad: {why})")


def test_predictions_that_are_written_to_later_are_left_out_and_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    # So many rows that they are kept and not copied, and too few to be added before the cut.
    rows = batches(3, rows=70_000)
    monitor = raymon.Monitor([auc_message(decay_step=3)], log_step_count_steps=3)
    for step, (scores, labels) in enumerate(rows):
        given = scores.clone()
        monitor.step({"bce": 0.5}, given, labels)
        if step == 1:
            given.zero_()
    assert monitor.close()
    exact = roc_auc_score(_cat(rows[::2], 1), _cat(rows[::2], 0))
    assert monitor.compute()["auc"] == pytest.approx(exact, abs=1e-5)
    assert monitor.failures == 1
    why = "DecayAUC: tensors were written to after they were given, so these updates are left out"
    assert f"monitoring: {why}" in caplog.text
    # The failure of the very last window is in the figures at the end too.
    assert f"1 failure ({why}" in caplog.text


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"losses": torch.tensor(1.0)}, "losses is a Tensor; give them by name"),
        ({"losses": {"bce": torch.ones(64)}}, "loss bce has shape [64]; give its mean"),
        ({"losses": {"bce": "low"}}, "loss bce is 'low'; give a number, or a tensor of one"),
        ({"losses": {"bce": None}}, "loss bce is None; give a number, or a tensor of one"),
        ({"samples": -7}, "samples is -7; it must be a whole number of at least 0"),
        ({"targets": None}, "a step without targets is in no metric"),
        ({"predictions": None}, "a step without predictions is in no metric"),
        ({"predictions": {"probs": torch.ones(64)}}, "targets are a Tensor; give predictions and"),
        ({"predictions": (torch.ones(64),)}, "predictions is a tuple; give a tensor [B]"),
        ({"targets": ["yes"] * 64}, "targets is a list; give a tensor [B], an array or a list"),
        ({"targets": [[1.0], [1.0, 0.0]]}, "targets is a list; give a tensor [B], an array or"),
        ({"predictions": torch.ones(3)}, "an update has arguments of 3, 64 rows"),
        ({"weights": 2.0}, "weights is a float; give a tensor [B], an array or a list of numbers"),
    ],
)
def test_a_wrong_step_raises_nothing_and_is_said(
    wrong: dict, said: str, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    rows = batches(10)
    with raymon.Monitor([auc_message()], log_step_count_steps=10, model_dir=tmp_path) as monitor:
        for step, (scores, labels) in enumerate(rows):
            right = {"losses": {"bce": 1.0}, "predictions": scores, "targets": labels}
            monitor.step(**{**right, **(wrong if step == 4 else {})})
    assert monitor.failures == 1
    assert said in caplog.text
    (line,) = lines(tmp_path)
    # All ranks must count the same, so it is a step.
    assert (line["global_step"], line["losses"]["bce"]) == (10, 1.0)
    assert line["metrics"]["auc"] > 0.5


@pytest.mark.parametrize("kind", ["array", "list", "pandas"])
def test_arrays_and_lists_are_the_numbers_that_they_were_when_given(kind: str) -> None:
    rows = batches(10)
    monitor = raymon.Monitor([auc_message(decay_step=10)], log_step_count_steps=10)
    array = np.empty(len(rows[0][0]), np.float32)
    for scores, labels in rows:
        array[:] = scores.numpy()
        given = {"array": array, "list": array.tolist(), "pandas": pd.Series(array)}[kind]
        monitor.step({"bce": np.float64(0.5)}, given, labels.tolist(), weights=[2.0] * len(array))
    array[:] = 0
    assert monitor.close()
    exact = roc_auc_score(_cat(rows, 1), _cat(rows, 0))
    assert monitor.compute()["auc"] == pytest.approx(exact, abs=1e-5)
    assert monitor.failures == 0


def test_a_step_in_inference_mode_is_one_like_the_others(tmp_path: Path) -> None:
    rows = batches(10)
    with raymon.Monitor([auc_message()], log_step_count_steps=10, model_dir=tmp_path) as monitor:
        for step, (scores, labels) in enumerate(rows):
            with torch.inference_mode(step % 2 == 0):
                monitor.step({"bce": torch.tensor(step + 0.5) * 1}, scores * 1, labels)
    assert monitor.failures == 0
    (line,) = lines(tmp_path)
    assert (line["samples"], line["losses"]["bce"]) == (640, 5.0)


def test_a_step_after_the_end_counts_for_nothing(caplog: pytest.LogCaptureFixture) -> None:
    monitor = watch(batches(10), [auc_message()])
    assert monitor.close()
    before = monitor.compute()
    for scores, labels in batches(20):
        monitor.step({"bce": 1.0}, scores, labels)
    monitor.checkpoint()
    assert monitor.close()
    assert (monitor.failures, monitor.compute()) == (20, before)
    assert caplog.text.count("a step after close() is in no number") == 1


def test_what_is_past_the_step_that_a_run_goes_on_from_is_taken_back(tmp_path: Path) -> None:
    rows = batches(50)
    metrics = [auc_message()]
    undisturbed = watch(rows, metrics, model_dir=tmp_path / "undisturbed")
    undisturbed.close()

    watch(rows[:30] + batches(10, seed=9), metrics, model_dir=tmp_path / "run").close()
    second = watch(rows[30:], metrics, model_dir=tmp_path / "run", first_step=30)
    second.close()
    assert second.compute() == undisturbed.compute()
    written, expected = lines(tmp_path / "run"), lines(tmp_path / "undisturbed")
    for name in ("global_step", "losses", "metrics", "samples_total"):
        assert [line[name] for line in written] == [line[name] for line in expected]


def test_a_run_goes_on_exactly_from_a_checkpoint_anywhere(tmp_path: Path) -> None:
    rows = batches(40)
    metrics = [auc_message()]
    undisturbed = watch(rows, metrics, model_dir=tmp_path / "undisturbed")
    undisturbed.close()

    first = watch(rows[:17], metrics, model_dir=tmp_path / "run")
    first.checkpoint()
    for scores, labels in batches(10, seed=9):
        first.step({"bce": 0.0}, scores, labels)
    first.close()
    second = watch(rows[17:], metrics, model_dir=tmp_path / "run", first_step=17)
    second.close()
    assert second.compute() == undisturbed.compute()
    written, expected = lines(tmp_path / "run"), lines(tmp_path / "undisturbed")
    assert [line["losses"] for line in written] == [line["losses"] for line in expected]


def test_the_numbers_of_a_run_are_not_taken_back_by_another_that_begins(tmp_path: Path) -> None:
    run = tmp_path / "run"
    watch(batches(30), [auc_message()], model_dir=run).close()
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    with pytest.raises(raymon.RunError, match=r"up to step 30; pass first_step=30 to go on") as no:
        raymon.Monitor([auc_message()], model_dir=run)
    assert "\n" not in str(no.value)
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before
    watch(batches(20), [auc_message()], model_dir=run, first_step=30).close()
    assert [line["global_step"] for line in lines(run)] == [10, 20, 30, 40, 50]
    watch(batches(20), [auc_message()], model_dir=run, first_step=0).close()
    assert [line["global_step"] for line in lines(run)] == [10, 20]


def test_nothing_is_written_without_a_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monitor = watch(batches(20), ["auc"])
    assert monitor.close()
    assert list(tmp_path.iterdir()) == []


def test_two_monitors_of_a_run_need_names(tmp_path: Path) -> None:
    first = raymon.Monitor(model_dir=tmp_path)
    with pytest.raises(raymon.RunError, match="another monitor of this process"):
        raymon.Monitor(model_dir=tmp_path)
    critic = raymon.Monitor(model_dir=tmp_path, name="critic", log_step_count_steps=1)
    critic.step({"a": 1.0})
    assert critic.close()
    assert len(lines(tmp_path / "critic")) == 1
    assert first.close()
    assert raymon.Monitor(model_dir=tmp_path).close()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"log_step_count_steps": 0}, "log_step_count_steps is 0; it must be a whole number of at"),
        ({"total_steps": 1.5}, "total_steps is 1.5"),
        ({"first_step": -1}, "first_step is -1"),
        ({"name": "a/b"}, "name: 'a/b' is no name of a directory"),
        ({"model_dir": "nowhere://bucket/run"}, "cannot be opened: Unrecognized filesystem"),
        ({"model_dir": "s3://key:secret@bucket/run"}, "s3://bucket/run: is given with credentials"),
        ({"model_dir": f"{__file__}/run"}, "is a file"),
        ({"optimizer": "adam"}, "optimizer: 'adam' is none; give one of torch.optim"),
        ({"train_metrics": {"a b": "auc"}}, '"a b" is a name that no line can show; give another'),
        ({"train_metrics": {"total_loss": "auc"}}, '"total_loss" is a name that is taken'),
        ({"train_metrics": ["aucc"]}, 'did you mean "auc"?'),
    ],
)
def test_a_wrong_argument_is_an_error_of_one_line(arguments: dict, said: str) -> None:
    with pytest.raises(raymon.UserError) as caught:
        raymon.Monitor(**arguments)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_step_asks_no_device_for_a_number() -> None:
    monitor = raymon.Monitor(["auc", "log_loss", "calibration"])
    # Tensors on this device have no numbers.
    with torch.device("meta"):
        rows = [(torch.rand(64), torch.ones(64), torch.ones(64)) for _ in range(5)]
        for scores, labels, weights in rows:
            monitor.step({"bce": scores.mean()}, scores.sigmoid(), labels, weights=weights)
    assert monitor.failures == 0
    monitor.close(timeout_s=1.0)


def test_time_that_is_no_training_is_in_no_rate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr("time.perf_counter", lambda: now)
    with raymon.Monitor(log_step_count_steps=2, model_dir=tmp_path) as monitor:
        now += 1.0
        monitor.step({"a": 1.0}, samples=10)
        now += 100.0
        monitor.skip_time()
        now += 1.0
        monitor.step({"a": 1.0}, samples=10)
    assert lines(tmp_path)[0]["samples_per_second"] == pytest.approx(10.0)


@pytest.mark.parametrize(("rank", "times"), [(0, 1), (1, 0)])
def test_numbers_of_one_process_of_several_are_called_that(
    rank: int, times: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("MASTER_ADDR", raising=False)
    monkeypatch.setenv("RANK", str(rank))
    monkeypatch.setenv("WORLD_SIZE", "4")
    watch(batches(20)).close()
    said = "4 processes train together without a process group: these numbers are those of rank 0"
    assert caplog.text.count(said) == times


def test_a_loop_goes_on_where_there_is_no_reporter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitor_module, "find_run", lambda settings: None)
    monitor = watch(batches(20), ["auc"])
    monitor.checkpoint()
    monitor.skip_time()
    assert (monitor.compute(), monitor.snapshot(), monitor.failures) == ({}, None, 0)
    assert not monitor.close()


def test_what_did_not_arrive_is_said(caplog: pytest.LogCaptureFixture) -> None:
    silent = SimpleNamespace(report=lambda message: Future(), acknowledged=Future)
    run = SimpleNamespace(rank=3, world_size=4, attempt=1, channel=silent, directory=None)
    settings = RunSettings({}, None, None, 10, use_tensorboard=False, first_step=0)
    rank = rank_module.MonitoredRank(run, settings)
    for _ in range(15):
        rank.step({"a": 1.0}, None, None, None, 8, 0, ())
    assert not rank.close(timeout_s=0.2)
    assert "2 windows of rank 3 did not arrive, or wait for another rank" in caplog.text


def run_script(text: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [installed_python(), "-c", text, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )


SCRIPT = """
import logging, sys, torch, raymon
{before}
monitor = raymon.Monitor(["auc"], model_dir=sys.argv[1], log_step_count_steps=2)
for step in range(5):
    monitor.step({{"bce": 0.5}}, torch.rand(8), torch.ones(8))
{after}
"""


def test_ray_is_not_imported_where_it_is_not_used(tmp_path: Path) -> None:
    after = "monitor.close(); assert 'ray' not in sys.modules, 'ray'"
    run_script(SCRIPT.format(before="", after=after), tmp_path)


def test_a_script_that_forgets_to_close_loses_nothing(tmp_path: Path) -> None:
    said = run_script(SCRIPT.format(before="", after=""), tmp_path).stderr
    assert [line["global_step"] for line in lines(tmp_path)] == [2, 4, 5]
    assert "Training Epoch 0: 5it" in said
    assert ", 0 lost" in said


def test_lines_go_the_way_that_the_user_has_set_up(tmp_path: Path) -> None:
    before = "logging.basicConfig(format='mine %(message)s')"
    said = run_script(SCRIPT.format(before=before, after="monitor.close()"), tmp_path).stderr
    assert all(line.startswith("mine ") for line in said.splitlines())
    assert "mine Training Epoch 0: 2it" in said


@pytest.mark.parametrize("level", ["WARNING", "ERROR"])
def test_a_user_who_wants_no_progress_has_none(tmp_path: Path, level: str) -> None:
    before = f"logging.getLogger('raymon').setLevel('{level}')"
    said = run_script(SCRIPT.format(before=before, after="monitor.close()"), tmp_path).stderr
    assert said == ""


def test_the_example_says_what_the_readme_shows(tmp_path: Path) -> None:
    finished = subprocess.run(
        [installed_python(), EXAMPLE, tmp_path], capture_output=True, text=True, check=True
    )
    said = [line.split(" ", 1)[1] for line in finished.stderr.splitlines()]
    assert said[:2] == [
        f"INFO monitoring: the numbers go to {tmp_path}",
        "INFO Attempt 1: 1 rank trains from step 0",
    ]
    assert said[-2].startswith("INFO Training Epoch 0: 500it [")
    assert "lr_g0:0.00200 bce:" in said[-2]
    assert said[-1].endswith(" % of training time, 6 windows, 0 lost")
    written = lines(tmp_path)
    assert [line["global_step"] for line in written] == [100, 200, 300, 400, 500]
    assert written[-1]["samples_total"] == 1_000_000
    assert list(tmp_path.glob("events.out.tfevents.*"))


def test_the_example_is_one_that_a_person_reads_at_a_glance() -> None:
    for example in EXAMPLE.parent.glob("monitor_*.py"):
        assert sum(bool(line.strip()) for line in example.read_text().splitlines()) <= 25


def test_the_guide_shows_the_examples_as_they_are() -> None:
    guide = (EXAMPLE.parents[2] / "docs" / "guides" / "monitoring.md").read_text()
    for example in EXAMPLE.parent.glob("monitor_*.py"):
        assert f"```python\n{example.read_text()}```" in guide


@pytest.mark.filterwarnings("ignore")
def test_in_lightning_it_is_a_call_in_the_training_step(tmp_path: Path) -> None:
    import lightning
    from torch.utils.data import DataLoader, TensorDataset

    class Clicks(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(4, 1)
            self.seen: list[Rows] = []

        def on_train_start(self) -> None:
            self.watched = raymon.Monitor(
                [auc_message()], model_dir=tmp_path, log_step_count_steps=10
            )

        def training_step(self, batch: list[Tensor], _: int) -> Tensor:
            logits = self.layer(batch[0]).squeeze(1)
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, batch[1])
            self.seen.append((logits.detach().sigmoid(), batch[1]))
            self.watched.step({"bce": loss}, logits.sigmoid(), batch[1], epoch=self.current_epoch)
            return loss

        def on_train_end(self) -> None:
            self.watched.close()

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.SGD(self.parameters(), lr=0.1)

    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(640, 4, generator=generator)
    clicks = (rows.sum(1) > 1).float()
    model = Clicks()
    lightning.Trainer(
        accelerator="cpu",
        max_epochs=2,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=tmp_path,
    ).fit(model, DataLoader(TensorDataset(rows, clicks), batch_size=64))
    exact = decayed_auc([model.seen[:10], model.seen[10:]], 0.9)
    assert model.watched.compute()["auc"] == pytest.approx(exact, abs=1e-3)
    assert [(line["global_step"], line["epoch"]) for line in lines(tmp_path)] == [(10, 0), (20, 1)]


def test_a_loop_can_tell_the_phases_of_its_steps_apart(tmp_path: Path) -> None:
    monitor = raymon.Monitor(log_step_count_steps=2, model_dir=tmp_path)
    for step in range(2):
        with monitor.phase("forward"):
            loss = torch.tensor(float(step))
        with monitor.phase("evaluation"), monitor.phase("peers"):
            pass
        monitor.step({"bce": loss})
    with monitor.phase("lunch"):
        pass
    assert monitor.failures == 1
    assert monitor.close()
    (line,) = lines(tmp_path)
    assert set(line["phases"]) - {"start"} == {"step", "forward", "evaluation", "monitor"}
    seconds = sum(line["phases"][phase] for phase in ("step", "forward", "monitor"))
    assert line["seconds"] == pytest.approx(seconds)
