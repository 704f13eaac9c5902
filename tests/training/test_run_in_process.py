"""Whole runs in this process, without Ray: 0 workers."""

import json
import logging
import re
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import raymon
from raymon.cli.summary import print_summary
from raymon.errors import RunError
from raymon.results import INPUT_PARTS, STEP_PHASES
from raymon.training.checkpoint.manifest import list_checkpoints
from raymon.training.loop.loop import Loop
from tests.checkpoints import saved_model
from tests.data.reading.test_reader import overwrite_pages


def weights(run: Path, step: int) -> dict[str, torch.Tensor]:
    return saved_model(run / f"model.ckpt-{step}")


def run(config_file: Path, name: str, *overrides: str, **options: bool) -> tuple[Path, object]:
    """Trains for 20 steps of 256 rows into a new directory."""
    directory = config_file.parent / name
    chosen = [
        "ray_config.num_workers=0",
        "train_config.num_steps=20",
        "train_config.save_checkpoints_steps=10",
        "train_config.log_step_count_steps=5",
        f"model_dir={directory}",
        *overrides,
    ]
    return directory, raymon.train(config_file, chosen, **options)


def test_the_same_seed_gives_the_same_weights_and_another_one_others(config_file: Path) -> None:
    first, _ = run(config_file, "a")
    second, _ = run(config_file, "b")
    other, _ = run(config_file, "c", "train_config.seed=7")
    for name, weight in weights(first, 20).items():
        assert torch.equal(weight, weights(second, 20)[name]), name
    assert any(not torch.equal(w, weights(other, 20)[n]) for n, w in weights(first, 20).items())


def test_a_run_that_raises_in_the_middle_goes_on_bit_for_bit(
    config_file: Path, monkeypatch, caplog: pytest.LogCaptureFixture
) -> None:
    undisturbed, summary = run(config_file, "a")
    original = Loop._step

    def failing(self: Loop, *arguments: object) -> None:
        if self._state.step == 13:
            raise RuntimeError("power cut")
        original(self, *arguments)

    monkeypatch.setattr(Loop, "_step", failing)
    with pytest.raises(raymon.TrainingError, match="power cut"):
        run(config_file, "b")
    monkeypatch.undo()
    with pytest.raises(RunError, match="--resume"):
        run(config_file, "b")
    resumed, resumed_summary = run(config_file, "b", resume=True)
    for name, weight in weights(undisturbed, 20).items():
        assert torch.equal(weight, weights(resumed, 20)[name]), name
    assert resumed_summary.train_metrics == summary.train_metrics
    assert resumed_summary.eval_metrics == summary.eval_metrics
    assert resumed_summary.samples == summary.samples
    lines = [
        [json.loads(line)["global_step"] for line in (d / "train_eval_result_v2.txt").open()]
        for d in (undisturbed, resumed)
    ]
    assert lines[0] == lines[1] == [10, 20]
    shown = [
        [
            {**json.loads(line), "time": None, "seconds": None}
            for line in (d / "monitor/evaluations.jsonl").open()
        ]
        for d in (undisturbed, resumed)
    ]
    assert shown[0] == shown[1]
    for line in shown[0]:
        (curves,) = line["curves"].values()
        assert sum(curves["calibration"]["weight"]) == 4000
        assert set(line["groups"]) == {"grouped_auc"}
    # With no step left to make, the numbers are still those of the last steps.
    with caplog.at_level(logging.WARNING, "raymon"):
        _, idle = run(config_file, "b", resume=True)
    assert idle.train_metrics == summary.train_metrics
    told = [record.getMessage() for record in caplog.records]
    assert [line for line in told if line.startswith("No step was left to make")] == told[-1:]


def test_all_six_summaries_are_on_the_curves(config_file: Path) -> None:
    names = ("parameter", "global_gradient_norm", "gradient_norm", "gradient")
    chosen = [f"train_config.tensorboard_summaries+={name}" for name in names]
    directory, _ = run(config_file, "run", *chosen)
    events = EventAccumulator(str(directory)).Reload()
    parameters = set(weights(directory, 20))
    assert set(events.Tags()["histograms"]) == parameters | {f"{p}/gradient" for p in parameters}
    scalars = set(events.Tags()["scalars"])
    assert {"loss/total", "lr/g0", "lr/g1", "global_gradient_norm"} <= scalars
    assert {f"{p}/gradient_norm" for p in parameters} <= scalars
    assert [p.step for p in events.Scalars("global_gradient_norm")] == [5, 10, 15, 20]
    for point in events.Scalars("global_gradient_norm"):
        total = sum(
            next(p.value for p in events.Scalars(f"{name}/gradient_norm") if p.step == point.step)
            ** 2
            for name in parameters
        )
        assert point.value == pytest.approx(total**0.5, rel=1e-5)
    for name, weight in weights(directory, 20).items():
        histogram = events.Histograms(name)[-1].histogram_value
        assert histogram.num == weight.numel()


def test_summaries_change_no_weight(config_file: Path) -> None:
    plain, _ = run(config_file, "a")
    watched, _ = run(
        config_file,
        "b",
        "train_config.tensorboard_summaries+=gradient",
        "train_config.is_profiling=true",
    )
    for name, weight in weights(plain, 20).items():
        assert torch.equal(weight, weights(watched, 20)[name]), name
    assert list((watched / "train_eval_trace").glob("*.json*"))


def test_a_short_last_batch_of_a_group_counts_by_its_rows(config_file: Path) -> None:
    # 10,000 rows: 4,000 and 4,000 and 2,000 make one step of the optimizer, as 10,000 at once do.
    whole, _ = run(
        config_file, "a", "data_config.batch_size=10000", "train_config.num_steps=2",
        "data_config.shuffle=false",
    )  # fmt: skip
    parts, _ = run(
        config_file, "b", "data_config.batch_size=4000", "train_config.num_steps=6",
        "data_config.shuffle=false", "train_config.gradient_accumulation_steps=3",
    )  # fmt: skip
    for name, weight in weights(whole, 2).items():
        torch.testing.assert_close(weights(parts, 6)[name], weight, rtol=1e-4, atol=1e-6)


def test_accumulated_gradients_of_small_batches_are_those_of_a_large_one(config_file: Path) -> None:
    large, _ = run(
        config_file, "a", "data_config.batch_size=256", "train_config.num_steps=4",
        "data_config.shuffle=false",
    )  # fmt: skip
    small, _ = run(
        config_file, "b", "data_config.batch_size=64", "train_config.num_steps=16",
        "data_config.shuffle=false", "train_config.gradient_accumulation_steps=4",
    )  # fmt: skip
    for name, weight in weights(large, 4).items():
        torch.testing.assert_close(weights(small, 16)[name], weight, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("precision", ["BF16", "FP16"])
def test_mixed_precision_trains_to_nearly_the_same_loss(config_file: Path, precision: str) -> None:
    _, full = run(config_file, "a")
    _, mixed = run(
        config_file, "b", f"train_config.mixed_precision={precision}",
        "train_config.grad_scaler={init_scale: 1024}",
    )  # fmt: skip
    assert mixed.eval_metrics["total_loss"] == pytest.approx(
        full.eval_metrics["total_loss"], rel=0.02
    )
    assert mixed.eval_metrics["total_loss"] != full.eval_metrics["total_loss"]


def test_a_norm_that_is_clipped_to_nothing_moves_tables_alone(config_file: Path) -> None:
    chosen = [
        "train_config.dense_optimizer={sgd_optimizer {lr: 0.1 momentum: 0}}",
        "train_config.sparse_optimizer={sgd_optimizer {lr: 0.1}}",
        "train_config.grad_clipping={clipping_type: 'norm' max_gradient: 1e-9}",
    ]
    directory, _ = run(config_file, "run", *chosen)
    before, after = weights(directory, 10), weights(directory, 20)
    for name, weight in before.items():
        if ".tables." in name:
            assert not torch.allclose(after[name], weight, rtol=0, atol=1e-7), name
        else:
            torch.testing.assert_close(after[name], weight, rtol=0, atol=1e-7)


def test_epochs_set_when_to_save(config_file: Path) -> None:
    directory, summary = run(
        config_file, "run", "train_config.num_steps=", "train_config.num_epochs=3",
        "train_config.save_checkpoints_steps=", "train_config.save_checkpoints_epochs=1",
        "data_config.batch_size=2500",
    )  # fmt: skip
    assert [c.step for c in list_checkpoints(directory)] == [4, 8, 12]
    assert (summary.epochs, summary.samples) == (3, 30_000)


def test_an_evaluation_can_be_cut_short(config_file: Path) -> None:
    chosen = ["eval_config.num_steps=1", "data_config.eval_batch_size=500"]
    _, short = run(config_file, "a", *chosen)
    _, full = run(config_file, "b")
    assert short.eval_metrics["auc"] != full.eval_metrics["auc"]


def test_ranks_that_are_weighted_count_by_their_weights(config_file: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = 1000
    columns = {
        "user_id": [f"u{u}" for u in rng.integers(0, 50, rows)],
        "item_id": rng.integers(0, 90, rows),
        "user_interests": ["a|b"] * rows,
        "price": rng.uniform(1, 9, rows),
        "click": rng.integers(0, 2, rows).astype(np.int8),
        "weight": rng.integers(0, 3, rows).astype(np.float32),
    }
    weighted = tmp_path / "weighted.parquet"
    pq.write_table(pa.table(columns), weighted)
    repeated = tmp_path / "repeated.parquet"
    index = np.repeat(np.arange(rows), columns["weight"].astype(int))
    pq.write_table(pa.table(columns).take(pa.array(index)), repeated)

    results = []
    for name, data, more in (
        ("a", weighted, ["data_config.sample_weight_fields+=weight"]),
        ("b", repeated, []),
    ):
        paths = [f"train_input_path={data}", f"eval_input_path={data}"]
        whole = ["data_config.batch_size=5000", "data_config.shuffle=false"]
        _, summary = run(config_file, name, *paths, *whole, *more)
        results.append(summary.eval_metrics)
    # A weight of two counts as the row twice.
    for name in ("auc", "normalized_entropy", "binary_cross_entropy"):
        assert results[0][name] == pytest.approx(results[1][name], rel=1e-4)


def test_several_labels_are_learned_at_once(config_file: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = 2000
    item = rng.integers(0, 90, rows)
    table = pa.table(
        {
            "user_id": [f"u{u}" for u in rng.integers(0, 50, rows)],
            "item_id": item,
            "user_interests": ["a|b"] * rows,
            "price": rng.uniform(1, 9, rows),
            "click": (item % 2).astype(np.int8),
            "seconds": (item % 5).astype(np.float32),
        }
    )
    pq.write_table(table, tmp_path / "two.parquet")
    _, summary = run(
        config_file, "run",
        f"train_input_path={tmp_path / 'two.parquet'}",
        f"eval_input_path={tmp_path / 'two.parquet'}",
        "data_config.label_fields+=seconds",
        "model_config.losses[0].label_name=click",
        "model_config.losses+={l2_loss {} label_name: 'seconds'}",
        "model_config.metrics[0].label_name=click",
        "model_config.metrics[1].label_name=click",
        "model_config.metrics[2].label_name=click",
        "model_config.metrics+={mean_absolute_error {} label_name: 'seconds'}",
        "model_config.train_metrics[0].label_name=click",
        "model_config.train_metrics[1].label_name=click",
        "export_config.best_exporter_metric=auc_click",
        "train_config.num_steps=200", "train_config.save_checkpoints_steps=200",
        "train_config.dense_optimizer.adam_optimizer.lr=0.02",
        "train_config.sparse_optimizer.adam_optimizer.lr=0.05",
    )  # fmt: skip
    assert summary.eval_metrics["auc_click"] > 0.99
    assert summary.eval_metrics["mean_absolute_error_seconds"] < 0.3
    assert set(summary.train_metrics) >= {"auc_click", "l2_loss_seconds", "total_loss"}


def test_checkpoints_are_kept_as_configured(config_file: Path) -> None:
    directory, _ = run(
        config_file, "run", "train_config.save_checkpoints_steps=5",
        "train_config.keep_checkpoint_max=1", "export_config.exporter_type=latest",
    )  # fmt: skip
    assert [c.step for c in list_checkpoints(directory)] == [20]


def test_log_lines_are_json_where_a_program_reads_them(
    config_file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # In a program without logging set up, that is without the handlers of pytest.
    logger = logging.getLogger("raymon")
    logger.handlers.clear()
    monkeypatch.setattr(logger, "propagate", False)
    run(config_file, "run", "monitor_config.log_format=json")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert any("Evaluation at step 20" in line["message"] for line in lines)
    assert {line["level"] for line in lines} == {"INFO"}
    logger.handlers.clear()


def content_of(directory: Path) -> dict[Path, bytes]:
    """Returns the files of a run but for its log files, by path."""
    logs = directory / "logs"
    files = (path for path in directory.rglob("*") if path.is_file())
    return {path: path.read_bytes() for path in files if logs not in path.parents}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("train_config.seed=5", "in another order"),
        ("train_config.dense_optimizer={adagrad_optimizer {}}", "Adagrad"),
        ("feature_configs[0].id_feature.embedding_dim=4", "model of this config"),
    ],
)
def test_a_run_goes_on_only_as_the_same_run(config_file: Path, change: str, named: str) -> None:
    directory, _ = run(config_file, "run")
    before = content_of(directory)
    changed = ["train_config.num_steps=30", change]
    if "embedding_dim" in change:
        changed += [c.replace("[0]", f"[{i}]") for i in (1, 2) for c in [change]]
    with pytest.raises(RunError, match=named):
        run(config_file, "run", *changed, resume=True)
    # A refused session leaves the run as it was, with the config of its checkpoints.
    assert content_of(directory) == before
    last = json.loads((directory / "logs" / "driver.log").read_text().splitlines()[-1])
    assert (last["event"], last["level"]) == ("failed", "ERROR")
    assert re.search(named, last["message"])


def test_a_run_can_be_made_longer(config_file: Path) -> None:
    whole, _ = run(config_file, "a", "train_config.num_steps=30")
    run(config_file, "b")
    longer, summary = run(config_file, "b", "train_config.num_steps=30", resume=True)
    assert summary.steps == 30
    for name, weight in weights(whole, 30).items():
        assert torch.equal(weight, weights(longer, 30)[name]), name


def test_what_was_wrong_with_the_data_is_in_the_summary(
    config_file: Path, click_log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "train"
    shutil.copytree(click_log / "train", data)
    overwrite_pages(data / "part-00001.parquet", 0)
    (data / "part-00009.parquet").write_text("not data")
    table = pq.read_table(click_log / "train")
    items = table["item_id"].to_numpy()
    damaged = pq.read_metadata(data / "part-00001.parquet").row_group(0).num_rows
    begin = pq.read_metadata(data / "part-00000.parquet").num_rows
    read = np.delete(items, slice(begin, begin + damaged))
    overrides = [
        f"train_input_path={data}",
        "train_config.num_epochs=1",
        "data_config.shuffle=false",
        "data_config.drop_remainder=true",
        "data_config.on_bad_file=SKIP",
        "feature_configs[1].id_feature.num_buckets=90",
    ]
    directory = tmp_path / "skipped"
    summary = raymon.train(
        config_file, ["ray_config.num_workers=0", f"model_dir={directory}", *overrides]
    )
    dropped = len(items) % 256
    assert summary.input_counts == {
        "files_unreadable": 1,
        "rows_unreadable": damaged,
        "ids_out_of_range.item": int((read >= 90).sum()),
        "rows_left_over_an_epoch": dropped,
    }
    assert summary.samples == len(read) - dropped
    saved = json.loads((directory / "run.json").read_text())
    assert saved["input_counts"] == summary.input_counts
    print_summary(summary)
    assert f"{damaged:,} rows that cannot be read" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("asked", "saved"),
    [
        (["save_checkpoints_steps=0"], [90]),
        (["save_checkpoints_steps=0", "save_checkpoints_epochs=1"], [40, 80, 90]),
        (["save_checkpoints_epochs=2", "save_checkpoints_steps=0"], [80, 90]),
        (["save_checkpoints_epochs=0"], [*range(10, 100, 10)]),
        (["save_checkpoints_epochs=0", "save_checkpoints_steps=50"], [50, 90]),
    ],
)
def test_0_asks_for_no_checkpoints_of_a_kind(
    config_file: Path, asked: list[str], saved: list[int]
) -> None:
    chosen = [f"train_config.{each}" for each in asked]
    directory, _ = run(config_file, "a", "train_config.num_steps=90", *chosen)
    assert [checkpoint.step for checkpoint in list_checkpoints(directory)] == saved


def test_a_run_goes_on_in_another_precision(config_file: Path) -> None:
    for steps, precision in enumerate(("", "FP16", "BF16", "FP16", ""), 1):
        chosen = [f"train_config.mixed_precision={precision}"] if precision else []
        _, summary = run(
            config_file, "a", f"train_config.num_steps={10 * steps}", *chosen, resume=steps > 1
        )
        assert (summary.status, summary.steps) == ("done", 10 * steps)


@pytest.mark.parametrize("taken", ["run/model.ckpt-10", "run", "."])
def test_a_run_whose_files_a_person_takes_away_goes_on(
    config_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    taken: str,
) -> None:
    original = Loop._save

    def taking(self: Loop) -> None:
        if self._state.step == 20:
            self._saver.wait()
            # At once, as deleting could race with writing.
            (config_file.parent / "own" / taken).rename(config_file.parent / "away")
        original(self)

    chosen = ["train_config.num_steps=50", "train_config.keep_checkpoint_max=2"]
    with monkeypatch.context() as patch:
        patch.setattr(Loop, "_save", taking)
        _, summary = run(config_file, "own/run", *chosen)
    assert (summary.status, summary.steps) == ("done", 50)
    assert "the checkpoint of step 10 was deleted by somebody else; the run goes on" in caplog.text
    _, resumed = run(config_file, "own/run", "train_config.num_steps=70", resume=True)
    assert resumed.steps == 70


def test_all_of_the_time_of_a_run_is_in_its_phases(config_file: Path, capsys) -> None:
    directory, summary = run(config_file, "a")
    lines = [json.loads(line) for line in (directory / "monitor" / "windows.jsonl").open()]
    for line in lines:
        seconds = sum(line["phases"].get(phase, 0.0) for phase in STEP_PHASES)
        assert seconds == pytest.approx(line["seconds"])
        assert line["phases"].keys() >= {"data", "forward", "backward", "optimizer", "monitor"}
        assert sum(line["phase_shares"].values()) == pytest.approx(1)
        assert line["slowest_rank"] == 0
        assert line["phases_slowest"] == pytest.approx(line["phases_median"])
    times = [line["time"] for line in lines]
    assert times == sorted(times)
    # An evaluation and a save come after step 10.
    assert {"evaluation", "checkpoint"} <= lines[2]["phase_shares"].keys()
    ranks = [json.loads(line) for line in (directory / "monitor" / "ranks.jsonl").open()]
    for part in INPUT_PARTS:
        assert sum(sum(line["rank_numbers"].get(part, [])) for line in ranks) > 0, part
    shares = json.loads((directory / "run.json").read_text())["phases"]["shares"]
    assert sum(shares.values()) == pytest.approx(1)
    print_summary(summary)
    assert "time spent in" in capsys.readouterr().out
