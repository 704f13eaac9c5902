"""A sweep that was interrupted goes on with what is left of it, and one that is refused is none."""

import json
from pathlib import Path
from typing import Any

import pytest

from raymon.errors import ConfigError, RunError
from raymon.tuning.live import SweepLine
from raymon.tuning.plan import plan_sweep
from raymon.tuning.space import read_space
from raymon.tuning.sweep import Sweep

LR = "train_config.dense_optimizer.adam_optimizer.lr"
SPACE = f'num_trials: 3 parameters {{ path: "{LR}" uniform {{ low: 0.001 high: 0.1 }} }}'


def refused(*arguments: Any) -> None:
    raise ConfigError("no room")


def interrupted(plan: Any, trials: Any, sweep: Sweep, earlier: Any) -> None:
    sweep.began("001")
    sweep.reported("001", 20, 0.5, trials[0].values)
    sweep.ended("001", "pruned", None)
    sweep.began("002")
    sweep.ended("002", "failed", "out of memory")
    raise KeyboardInterrupt


def test_what_is_over_is_not_run_again(config_file: Path) -> None:
    space, directory = config_file.parent / "my.space", config_file.parent / "run"
    space.write_text(SPACE)
    plan = plan_sweep(read_space(space), config_file, {"ray_config.num_workers": 0})
    line = SweepLine(plan, None)
    directory.mkdir()
    with pytest.raises(RunError, match="no sweep to go on with"):
        Sweep(plan, resume=True)
    with pytest.raises(ConfigError, match="no room"):
        Sweep(plan, resume=False).run(line, refused)
    assert not list(directory.iterdir())
    with pytest.raises(KeyboardInterrupt):
        Sweep(plan, resume=False).run(line, interrupted)
    known = json.loads((directory / "sweep.json").read_text())
    assert known["status"] == "interrupted"
    assert [trial["status"] for trial in known["trials"]] == ["pruned", "failed", "waiting"]
    with pytest.raises(RunError, match="has a sweep; pass --resume"):
        Sweep(plan, resume=False)
    left: list[str] = []
    result = Sweep(plan, resume=True).run(
        line, lambda plan, trials, *more: left.extend(trial.name for trial in trials)
    )
    assert left == ["002", "003"]
    assert result.status == "done"
    space.write_text(SPACE.replace("high: 0.1", "high: 0.2"))
    other = plan_sweep(read_space(space), config_file, {"ray_config.num_workers": 0})
    with pytest.raises(ConfigError, match="began with another space"):
        Sweep(other, resume=True)
