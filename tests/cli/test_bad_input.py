"""Wrong input gets one line and exit code 2, and nothing is written."""

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from raymon.cli.main import main


@pytest.fixture
def raymon(monkeypatch, capsys):
    def run(*arguments: object) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["raymon", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            main()
        return int(exit_.value.code), capsys.readouterr().err

    return run


def small_table(**columns: object) -> pa.Table:
    rows = 64
    plain = {
        "user_id": [f"u{i % 7}" for i in range(rows)],
        "item_id": np.arange(rows) % 90,
        "user_interests": ["a|b"] * rows,
        "price": np.linspace(1, 2, rows),
        "click": (np.arange(rows) % 3 == 0).astype(np.int8),
    }
    return pa.table({**plain, **columns})


def growing(block: str) -> str:
    """Returns an override by which the table of items grows."""
    item = "feature_name: 'item' expression: 'item:item_id' embedding_dim: 8"
    return f"feature_configs[1].id_feature={{{item} {block}}}"


@pytest.mark.parametrize(
    ("override", "parts"),
    [
        ("train_config.num_step=5", ["train_config.num_step", "num_steps"]),
        ("train_config.num_steps=-1", ["train_config.num_steps"]),
        ("model_config.metrics+={acu {}}", ["acu", "auc"]),
        (
            'model_config.metrics+={custom_metric {name: "spred"}}',
            ["model_config.metrics[3].custom_metric.name", '"spred" is not registered'],
        ),
        (
            'model_config.train_metrics+={custom_metric {name: "torchmetrics:CatMetric"}}',
            ["model_config.train_metrics[2].custom_metric", "CatMetric"],
        ),
        ("model_config.metrics[0].auc.thresholds=100001", ["thresholds", "must be in [2, 100000]"]),
        ("train_config.num_epochs=", ["num_steps", "num_epochs"]),
        ("train_input_path=nowhere/*.parquet", ["nowhere/*.parquet", "matches no file"]),
        (
            "feature_configs[0].id_feature.expression=user:user_idd",
            ["user_idd", "part-00000.parquet", "user_id"],
        ),
        ("feature_configs[3].raw_feature.expression=item:category", ["category", "number"]),
        ("export_config.best_exporter_metric=acu", ["best_exporter_metric", "grouped_auc"]),
        ('data_config.label_fields=["hour"]', ["hour", "0 or 1"]),
        ("feature_configs[0].id_feature.pooling=max", ["pooling", '"sum" or "mean"']),
        ("train_config.mixed_precision=FP8", ["mixed_precision", "BF16"]),
        ("model_config.tdm={}", ["tdm"]),
        (growing("zch {zch_size: 0 lfu {}}"), ["id_feature.zch.zch_size", "at least 2"]),
        (growing("zch {lfu {}}"), ["id_feature.zch.zch_size"]),
        (growing("zch {zch_size: 9}"), ["id_feature.zch: ", "lfu, lru and distance_lfu"]),
        (growing(f"zch {{zch_size: {2**62} lfu {{}}}}"), ["table item of", "fewer rows"]),
        (
            growing("zch {zch_size: 9 lfu {} threshold_filtering_func: 'lambda x: exec(x)'}"),
            ["id_feature.zch.threshold_filtering_func", "is not run", "average_threshold_filter"],
        ),
        (growing("dynamicemb {max_capacity: 9 init_table: 'x'}"), ["init_table"]),
        ("model_config.custom={class_path: 'nowhere:Model'}", ["nowhere"]),
    ],
)
def test_a_wrong_field_is_named_with_what_would_be_right(
    raymon, config_file: Path, override: str, parts: list[str]
) -> None:
    code, errors = raymon("train", config_file, "--num-workers", 0, "--set", override)
    assert code == 2
    assert len(errors.strip().splitlines()) == 1
    assert "Traceback" not in errors
    for part in parts:
        assert part in errors
    assert os.listdir(config_file.parent) == [config_file.name]


def test_a_wrong_line_of_a_config_is_named(raymon, config_file: Path) -> None:
    text = config_file.read_text().replace("num_epochs: 2", "num_epoch: 2")
    config_file.write_text(text)
    line = text[: text.index("num_epoch: 2")].count("\n") + 1
    code, errors = raymon("train", config_file)
    assert code == 2
    assert f"{config_file}:{line}: train_config.num_epoch" in errors
    assert '"num_epochs"' in errors


def test_a_file_that_is_not_parquet_is_named(raymon, config_file: Path) -> None:
    code, errors = raymon("train", config_file, "--set", f"train_input_path={config_file}")
    assert code == 2
    assert f"{config_file}: is not a Parquet file" in errors


@pytest.mark.parametrize("value", [0.5, float("nan"), 7.0])
def test_a_label_that_is_not_binary_is_named_with_its_row(
    raymon, config_file: Path, tmp_path: Path, value: float
) -> None:
    click = np.zeros(64)
    click[40] = value
    data = tmp_path / "labels.parquet"
    pq.write_table(small_table(click=click), data, write_statistics=False)
    arguments = [f"--set={field}={data}" for field in ("train_input_path", "eval_input_path")]
    code, errors = raymon("train", config_file, "--num-workers", 0, *arguments)
    assert code == 2
    last = errors.strip().splitlines()[-1]
    assert last.startswith(f"raymon: {data}")
    assert "click" in last
    assert "0 or 1" in last
    assert "Traceback" not in errors


@pytest.mark.parametrize("items", [np.int64(-5), np.uint64(2**63)])
@pytest.mark.parametrize("mode", ["FG_DAG", "FG_NONE"])
def test_an_id_that_no_growing_table_can_have_is_named(
    raymon, config_file: Path, tmp_path: Path, items: np.generic, mode: str
) -> None:
    column = "item_id" if mode == "FG_DAG" else "item"
    values = np.arange(64, dtype=items.dtype)
    values[40] = items
    encoded = {"user": np.arange(64) % 7, "interests": np.arange(64) % 7}
    data = tmp_path / "items.parquet"
    pq.write_table(small_table(**encoded, **{column: values}), data, write_statistics=False)
    arguments = [f"--set={field}={data}" for field in ("train_input_path", "eval_input_path")]
    arguments += [f"--set={growing('zch {zch_size: 9 lfu {}}')}"]
    arguments += [f"--set=data_config.fg_mode={mode}"]
    code, errors = raymon("train", config_file, "--num-workers", 0, *arguments)
    assert code == 2
    last = errors.strip().splitlines()[-1]
    assert f"feature item, column {column}: value {items}" in last
    assert "2^63" in last or "is not an integer" in last
    assert "Traceback" not in errors


def test_a_directory_that_cannot_be_made_is_named(raymon, config_file: Path) -> None:
    taken = config_file.parent / "taken"
    taken.write_text("a file")
    code, errors = raymon(
        "train", config_file, "--num-workers", 0, "--set", f"model_dir={taken}/run"
    )
    assert code == 2
    assert f"{taken}" in errors
    assert "cannot be written" in errors


def test_resuming_what_never_ran_is_an_error(raymon, config_file: Path) -> None:
    code, errors = raymon("train", config_file, "--num-workers", 0, "--resume")
    assert code == 2
    assert "no complete checkpoint" in errors


def test_a_directory_that_is_no_run_has_no_best_checkpoint(raymon, tmp_path: Path) -> None:
    code, errors = raymon("best", tmp_path)
    assert code == 2
    assert str(tmp_path) in errors


def test_an_option_that_does_not_exist_is_named(raymon, config_file: Path) -> None:
    code, errors = raymon("train", config_file, "--nmu-workers", 2)
    assert code == 2
    assert "--nmu-workers" in errors
    assert len(errors.strip().splitlines()) == 1


def test_a_log_level_of_the_environment_that_is_not_known_is_named(
    raymon, config_file: Path, monkeypatch
) -> None:
    monkeypatch.setenv("RAYMON_LOG_LEVEL", "LOUD")
    code, errors = raymon("train", config_file, "--num-workers", 0)
    assert code == 2
    assert "RAYMON_LOG_LEVEL=LOUD" in errors
    assert "INFO" in errors


def test_a_working_directory_whose_name_is_no_text_is_told(
    raymon, monkeypatch, tmp_path: Path, config_file: Path
) -> None:
    here = tmp_path / "\udcff"
    here.mkdir()
    monkeypatch.chdir(here)
    code, errors = raymon("train", config_file, "--num-workers", 0, "--set", "model_dir=run")
    assert code == 2
    assert "the working directory has a name that is not text in UTF-8" in errors
    assert os.listdir(here) == []
