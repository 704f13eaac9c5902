"""A space is read as configs are: what is wrong is said with file, line, field and remedy."""

from pathlib import Path

import pytest

from raymon.errors import ConfigError
from raymon.tuning.space import read_space

LR = 'parameters { path: "train_config.dense_optimizer.adam_optimizer.lr" '


def of(text: str, tmp_path: Path) -> Path:
    path = tmp_path / "my.space"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "my.space:1: parameters: is missing"),
        ("num_trails: 8", '1: num_trails: unknown field "num_trails"; did you mean "num_trials"?'),
        ("num_trials: many", "num_trials: is many; must be an integer"),
        ("num_trials: 3\n" + LR + "}", "2: parameters[0]: has no values; give uniform"),
        (LR + "uniform { low: 1 } }", "parameters[0].uniform.high: is missing"),
        (LR + "uniform { low: 1 high: 1 } }", "high: is 1; must be above low, 1"),
        (LR + "uniform { low: 0 high: inf } }", "is from 0.0 to inf; both must be finite"),
        (LR + "loguniform { low: 0 high: 1 } }", "parameters[0].loguniform.low: is 0; must be"),
        (LR + "choice {} }", "parameters[0].choice: is empty"),
        (LR + 'choice { values: ["1", "1"] } }', "has a value twice"),
        (LR + "uniform { low: 0 high: 1 } }", "num_trials: is missing; give the number"),
        ("num_trials: 0 " + LR + "uniform { low: 0 high: 1 } }", "num_trials: is 0; must be at"),
        ('num_trials: 3 parameters { path: "" uniform { low: 0 high: 1 } }', "path: is empty"),
        ("num_trials: 3 " + 2 * (LR + "uniform { low: 0 high: 1 } }\n"), "is given twice, first"),
        (
            "num_trials: 3 " + LR + "uniform { low: 0 high: 1 } }\n"
            'parameters { path: "train_config.dense_optimizer" choice { values: "x" } }',
            'is in "train_config.dense_optimizer", which is varied too',
        ),
        ("num_trials: 3 " + LR + 'grid { values: ["1", "2"] } }', "is 3; the grids have 2 comb"),
        ("num_trials: 1 pbt {} " + LR + "uniform { low: 0 high: 1 } }", "pbt needs 2 or more"),
        ("asha {} pbt {}", "pbt: is given beside asha; give one of them"),
        (
            "asha { reduction_factor: 1 } num_trials: 3 " + LR + "uniform { low: 0 high: 1 } }",
            "is 1",
        ),
        ("max_concurrent_trials: 0 num_trials: 3 " + LR + "uniform { low: 0 high: 1 } }", "is 0"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(text: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as told:
        read_space(of(text, tmp_path))
    assert why in str(told.value)
    assert "\n" not in str(told.value)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no such file; give the path of the space of a sweep"):
        read_space(tmp_path / "none.space")


def test_grids_alone_say_how_many_trials_there_are(tmp_path: Path) -> None:
    text = LR + 'grid { values: ["0.1", "0.2"] } }' + 'parameters { path: "a.b" grid { '
    assert read_space(of(text + 'values: ["1", "2", "3"] } }', tmp_path)).num_trials == 6


def test_items_of_lists_have_one_path(tmp_path: Path) -> None:
    text = "num_trials: 2 " + 'parameters { path: "a[0].b" choice { values: "1" } }'
    assert read_space(of(text, tmp_path)).parameters[0].path == "a.0.b"
