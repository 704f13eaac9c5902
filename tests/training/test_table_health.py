"""The health of tables of whole runs, against numpy's counts of the columns of the data."""

import json
import math
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import raymon
from raymon.config import load
from raymon.training.input.readers import features_of
from tests.checkpoints import saved_model

STEPS = 40
"""Steps of an epoch of 10,000 rows, of which the last one has 16."""


def run(config_file: Path, name: str, *overrides: str, **options: bool) -> Path:
    directory = config_file.parent / name
    chosen = [
        "ray_config.num_workers=0",
        f"train_config.num_steps={STEPS}",
        f"train_config.save_checkpoints_steps={STEPS}",
        f"train_config.log_step_count_steps={STEPS}",
        # Rows stay as they are, but for rounding, so that their norms are known.
        "train_config.sparse_optimizer.adam_optimizer.lr=1e-12",
        "data_config.shuffle=false",
        f"model_dir={directory}",
        *overrides,
    ]
    raymon.train(config_file, chosen, **options)
    return directory


def lines(directory: Path) -> list[dict]:
    return [json.loads(line) for line in (directory / "monitor" / "windows.jsonl").open()]


def ids_of(config_file: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Returns by feature all ids of the training data, and how many each row has."""
    config = load(config_file)
    table = pq.read_table(config.train_input_path)
    found = {}
    for feature in features_of(config):
        if feature.embedding is not None:
            ids = feature.convert(table[feature.columns[0]])
            values, offsets = ids.values.numpy(), ids.offsets
            starts = np.arange(len(values)) if offsets is None else offsets.numpy()
            found[feature.name] = values, np.diff(starts, append=len(values))
    return found


def test_the_tables_of_a_run_are_those_of_its_rows(config_file: Path) -> None:
    # Of tables of at most 128 rows all norms are known.
    sizes = {"user": 120, "item": 128, "interests": 100}
    text = config_file.read_text()
    text = text.replace("hash_bucket_size: 1000", "hash_bucket_size: 120")
    config_file.write_text(text.replace("num_buckets: 1000", "num_buckets: 128"))
    directory = run(config_file, "run")
    (line,) = lines(directory)
    weights = saved_model(directory / f"model.ckpt-{STEPS}")
    for feature, (ids, lengths) in ids_of(config_file).items():
        rows = sizes[feature]
        counts = np.sort(np.bincount(ids, minlength=rows))[::-1]
        distinct = int((counts > 0).sum())
        # Of the last step, rows with one id give their norms.
        ends = lengths.cumsum()[-16:]
        single = np.unique(ids[ends[lengths[-16:] == 1] - 1])
        for collection in ("embeddings", "wide_embeddings"):
            found = line["tables"][f"{collection}.{feature}"]
            assert found["rows"] == rows
            assert found["lookups"] == len(ids)
            assert found["distinct_rows"] == distinct
            assert found["touched_share"] == distinct / rows
            assert found["top10_share"] == counts[:10].sum() / len(ids)
            hashed = None if feature == "item" else (distinct - 1) / (rows - 1)
            assert found["collision_share"] == hashed
            weight = weights[f"{collection}.tables.t_{feature}.weight"]
            norm = weight[torch.from_numpy(single)].double().norm(dim=1).mean()
            assert found["mean_row_norm"] == pytest.approx(float(norm), rel=1e-5)


def test_tensorboard_has_what_the_lines_have(config_file: Path) -> None:
    directory = run(config_file, "run", "train_config.log_step_count_steps=10")
    events = EventAccumulator(str(directory)).Reload()
    tags = {tag for tag in events.Tags()["scalars"] if tag.startswith("table/")}
    expected = {}
    for line in lines(directory):
        for table, figures in line["tables"].items():
            for figure in figures.keys() - {"rows"}:
                if figures[figure] is not None:
                    curve = expected.setdefault(f"table/{table}/{figure}", [])
                    curve.append((line["global_step"], pytest.approx(figures[figure], rel=1e-6)))
    assert len(expected) == 6 * 5 + 4
    assert tags == set(expected)
    for tag, points in expected.items():
        assert [(point.step, point.value) for point in events.Scalars(tag)] == points


def test_the_figures_of_a_run_that_goes_on_are_those_of_an_undisturbed_one(
    config_file: Path,
) -> None:
    chosen = [
        "train_config.save_checkpoints_steps=10",
        "train_config.log_step_count_steps=1",
        "data_config.shuffle=true",
    ]
    undisturbed = run(config_file, "a", *chosen)
    interrupted = run(config_file, "b", *chosen, "train_config.num_steps=10")
    run(config_file, "b", *chosen, resume=True)
    tables = [line["tables"] for line in lines(interrupted)]
    assert tables == [line["tables"] for line in lines(undisturbed)]
    shares = [table["embeddings.user"]["touched_share"] for table in tables]
    assert len(shares) == STEPS
    assert shares[0] < shares[-1]
    assert shares == sorted(shares)


def test_a_field_switches_it_off(config_file: Path) -> None:
    directory = run(config_file, "run", "monitor_config.table_health=false")
    assert [line["tables"] for line in lines(directory)] == [{}]
    events = EventAccumulator(str(directory)).Reload()
    assert not any(tag.startswith("table/") for tag in events.Tags()["scalars"])


def test_counting_lookups_changes_no_weight(config_file: Path) -> None:
    counted = run(config_file, "a")
    uncounted = run(config_file, "b", "monitor_config.table_health=false")
    for name, weight in saved_model(counted / f"model.ckpt-{STEPS}").items():
        assert torch.equal(weight, saved_model(uncounted / f"model.ckpt-{STEPS}")[name]), name


def test_a_run_whose_lookups_were_not_counted_at_first_has_no_touched_share(
    config_file: Path,
) -> None:
    saves = "train_config.save_checkpoints_steps=10"
    every = "train_config.log_step_count_steps=10"
    off = "monitor_config.table_health=false"
    directory = run(config_file, "run", "train_config.num_steps=10", saves, every, off)
    run(config_file, "run", "train_config.num_steps=20", saves, every, resume=True)
    first, second = lines(directory)
    assert first["tables"] == {}
    found = second["tables"]["embeddings.user"]
    assert found["distinct_rows"] > 0
    assert found["touched_share"] is None
    assert found["collision_share"] is None
    assert not math.isnan(found["top10_share"])


def test_the_growth_of_a_table_is_shown(config_file: Path) -> None:
    text = config_file.read_text()
    growth = "zch { zch_size: 60 eviction_interval: 2 lfu {} }"
    config_file.write_text(text.replace("num_buckets: 1000", growth))
    directory = run(config_file, "run", "train_config.log_step_count_steps=20")
    admitted = evicted = 0
    for line in lines(directory):
        found = line["tables"]["embeddings.item"]
        assert 0 < found["fallback_lookups"] < found["lookups"]
        admitted, evicted = admitted + found["admitted"], evicted + found["evicted"]
        assert found["occupancy"] == (admitted - evicted) / 59
        assert found["distinct_rows"] <= 60
    assert evicted > 0
    assert found["occupancy"] == 1
    events = EventAccumulator(str(directory)).Reload()
    curve = events.Scalars("table/embeddings.item/fallback_lookups")
    assert [point.step for point in curve] == [20, 40]
    # Other tables do not grow.
    assert "occupancy" not in line["tables"]["embeddings.user"]
