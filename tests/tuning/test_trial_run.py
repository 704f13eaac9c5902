"""A trial is a run: it reports while it trains, stops cleanly, and may become that of another."""

import json
from pathlib import Path

import pytest

from raymon.runs import Run
from raymon.tuning.lineage import Origin, read_lineage, take_over, write_lineage
from raymon.tuning.plan import plan_sweep
from raymon.tuning.results import trial_result
from raymon.tuning.space import read_space
from raymon.tuning.trial_run import End, Report, TrialRun

LR = "train_config.dense_optimizer.adam_optimizer.lr"
SPACE = f'pbt {{}} num_trials: 2 parameters {{ path: "{LR}" uniform {{ low: 0.001 high: 0.1 }} }}'


def test_a_trial_that_takes_another_one_over_goes_on_with_its_history_and_values_of_its_own(
    config_file: Path,
) -> None:
    space = config_file.parent / "my.space"
    space.write_text(SPACE)
    short = {"num_steps": 40, "save_checkpoints_steps": 10, "use_tensorboard": False}
    plan = plan_sweep(
        read_space(space),
        config_file,
        {"ray_config.num_workers": 0, **{f"train_config.{name}": v for name, v in short.items()}},
    )
    donor, trial = (plan.trial_dir(each.name) for each in plan.trials)

    first = TrialRun(plan.trial_config("001", {LR: 0.02}), at_checkpoints=True)
    write_lineage(donor, [Origin(0, "001", {LR: 0.02})])
    first.start()
    reports = []
    while isinstance(found := first.next(), Report):
        reports.append(found)
    assert [each.step for each in reports] == [10, 20, 30, 40]
    assert found.summary is not None
    assert found.summary.status == "done"

    other = TrialRun(plan.trial_config("002", {LR: 0.001}), at_checkpoints=True)
    other.start()
    assert isinstance(other.next(), Report)
    assert other.stop(60)
    assert Run(trial).status in ("stopped", "done")

    kept = plan.directory / "replaced" / "002-1"
    assert take_over(donor, 20, trial, kept) == 20
    assert [path.name for path in Path(str(trial)).glob("model.ckpt-*")] == ["model.ckpt-20"]
    assert not list(Path(str(kept)).glob("model.ckpt-*"))
    write_lineage(trial, [*read_lineage(trial), Origin(20, "002", {LR: 0.05})])
    taken = TrialRun(plan.trial_config("002", {LR: 0.05}), at_checkpoints=True)
    taken.start()
    while isinstance(found := taken.next(), Report):
        assert found.step > 20
    assert isinstance(found, End)
    assert found.error is None

    lines = {name: _windows(plan.trial_dir(name)) for name in ("001", "002")}
    assert [line["global_step"] for line in lines["002"]] == [10, 20, 30, 40]
    for one, two in zip(lines["001"], lines["002"], strict=True):
        same = int(str(one["global_step"])) <= 20
        assert (one["losses"] == two["losses"]) == same
        assert (one["metrics"] == two["metrics"]) == same
        assert two["learning_rates"][1] == pytest.approx(0.02 if same else 0.05)
    result = trial_result(plan, "002", {})
    assert result.values == {LR: 0.05}
    assert [(origin.step, origin.trial) for origin in result.lineage] == [(0, "001"), (20, "002")]
    assert result.curve is not None
    assert result.curve.steps.tolist() == [10, 20, 30, 40]
    assert result.curve.values.tolist()[:2] == [each.values["auc"] for each in reports[:2]]


def _windows(directory: object) -> list[dict[str, object]]:
    text = Path(f"{directory}/monitor/windows.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]
