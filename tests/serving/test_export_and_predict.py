"""From a run to an exported model, and to scores of raw rows."""

from __future__ import annotations

import copy
import json
import subprocess
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file
from sklearn.metrics import log_loss, roc_auc_score

import raymon
from raymon.cli.main import main
from raymon.data import Columns, DataReader, build_features
from raymon.models import build_model
from raymon.serving import export_program, mlflow_model, open_bundle, predict, write_bundle
from raymon.training.checkpoint.manifest import list_checkpoints
from raymon.training.checkpoint.restore import load_model
from raymon.training.export import export_run
from tests.checkpoints import saved_model
from tests.installed import installed_python
from tests.training.checkpoint.test_saver import no_file_larger_than

QUANTIZE = "export_config.quantize_tables"
ONE_ROW = pa.table({"user_id": ["u"], "item_id": [1], "user_interests": ["a"], "price": [1.0]})


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, click_log: Path) -> Path:
    """A run of 40 steps with a checkpoint every 20; the first is the best."""
    from tests.conftest import CONFIG

    folder = tmp_path_factory.mktemp("exported")
    config = folder / "click.config"
    config.write_text(CONFIG.format(data=click_log, model_dir=folder / "run"))
    raymon.train(config, {"ray_config.num_workers": 0, "train_config.num_steps": 40})
    return folder / "run"


@pytest.fixture(scope="module")
def raw(click_log: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Raw rows: in two files, some without values, some with values never seen."""
    table = pq.read_table(click_log / "eval")
    columns = table.to_pydict()
    for row in range(0, len(table), 7):
        columns["user_id"][row] = None if row % 2 else f"never seen {row}"
        columns["item_id"][row] = None if row % 3 else 10**6
        columns["user_interests"][row] = None if row % 5 else ""
        columns["price"][row] = None
    table = pa.table(columns, table.schema)
    folder = tmp_path_factory.mktemp("raw")
    pq.write_table(table.slice(0, 1500), folder / "a.parquet", row_group_size=400)
    pq.write_table(table.slice(1500), folder / "b.parquet", row_group_size=999)
    return folder


def test_scores_of_raw_rows_are_those_of_the_checkpoint(
    run: Path, raw: Path, tmp_path: Path
) -> None:
    exported = export_run(run, tmp_path / "model", "best")
    rows = predict(
        tmp_path / "model", str(raw), tmp_path / "scores.parquet",
        keep=["click", "user_id"], batch_size=333,
    )  # fmt: skip
    scores, original = pq.read_table(tmp_path / "scores.parquet"), pq.read_table(raw)
    assert rows == len(scores) == len(original)
    assert scores.column_names == ["click", "user_id", "logits", "probs"]
    for name in ("click", "user_id"):
        assert scores[name].equals(original[name]), name
    # As MLflow has it loaded and called: by a frame, in which integers may be missing.
    frame = original.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
    framed = mlflow_model._load_pyfunc(str(tmp_path / "model")).predict(frame)
    assert framed["probs"].to_numpy() == pytest.approx(scores["probs"].to_numpy(), rel=1e-5)
    # By the checkpoint itself, in one batch.
    config = raymon.config.read_saved(run)
    features = build_features(config.feature_configs)
    model = build_model(config, features)
    load_model(model, exported)
    (batch,) = DataReader(str(raw), Columns(features, {}), batch_size=10**6).epoch(0)
    with torch.inference_mode():
        expected = model.eval().predict(batch)["probs"]
    found = torch.from_numpy(scores["probs"].to_numpy())
    torch.testing.assert_close(found, expected)
    # And by raymon evaluate.
    _, metrics = raymon.evaluate_run(
        run, "best", [f"eval_input_path={raw}", "ray_config.num_workers=0"]
    )
    auc = roc_auc_score(scores["click"].to_numpy(), scores["probs"].to_numpy())
    assert metrics["auc"] == pytest.approx(auc, abs=1e-4)


def test_what_is_exported_tells_what_it_is(run: Path, tmp_path: Path) -> None:
    chosen = export_run(run, tmp_path / "model", "20")
    card = json.loads((tmp_path / "model" / "card.json").read_text())
    assert card["step"] == chosen.step == 20
    assert card["metrics"] == dict(chosen.metrics)
    assert card["metrics"]["auc"] > 0
    assert card["check"]["rows"] == 1000
    assert card["check"]["of"].endswith("/eval")
    assert card["check"]["largest_difference"] <= 1e-5
    assert card["quantization"] is None
    assert card["tables"][0] == {
        "name": "wide_embeddings.tables.t_user", "rows": 1000, "dim": 4, "format": "FP32",
        "parts": 1, "bytes": 16_000, "ids": None,
    }  # fmt: skip
    assert "deepfm" in card["config"]
    weights = load_file(tmp_path / "model" / "weights.safetensors")
    expected = saved_model(run / "model.ckpt-20")
    assert weights.keys() == expected.keys()
    assert all(torch.equal(weights[name], expected[name]) for name in expected)


def test_the_card_says_what_quantized_tables_change(
    run: Path, raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluate = [f"eval_input_path={raw}", "ray_config.num_workers=0"]
    exact = export_run(run, tmp_path / "exact", "best")
    _, before = raymon.evaluate_run(run, "best", evaluate)
    sizes = {}
    for name in ("INT8", "FP16"):
        quantize = [f"eval_input_path={raw}", f"export_config.quantize_tables={name}"]
        export_run(run, tmp_path / name, "best", quantize)
        card = json.loads((tmp_path / name / "card.json").read_text())
        assert card["check"]["largest_difference"] <= 1e-5
        assert {table["format"] for table in card["tables"]} == {name}
        said = card["quantization"]
        assert (said["tables"], said["of"]) == (name, str(raw))
        assert 0 < said["largest_difference"] < 0.01
        assert said["metrics"].keys() == before.keys()
        for metric, value in before.items():
            change = said["metrics"][metric]
            assert change["before"] == pytest.approx(value, abs=1e-6)
            assert change["after"] - change["before"] == change["change"]
        predict(tmp_path / name, str(raw), tmp_path / f"{name}.parquet", keep=["click"])
        scores = pq.read_table(tmp_path / f"{name}.parquet")
        clicks, probs = (scores[column].to_numpy() for column in ("click", "probs"))
        after = said["metrics"]["auc"]["after"]
        assert after == pytest.approx(roc_auc_score(clicks, probs), abs=1e-6)
        assert after != said["metrics"]["auc"]["before"]
        loss = said["metrics"]["binary_cross_entropy"]["after"]
        assert loss == pytest.approx(log_loss(clicks, probs.astype("float64")), abs=1e-6)
        sizes[name] = sum(table["bytes"] for table in card["tables"])
    tables = json.loads((tmp_path / "exact" / "card.json").read_text())["tables"]
    # Of 8 numbers a row, and of 4 in the wide part, each row having a scale besides.
    assert sizes["FP16"] * 2 == sum(table["bytes"] for table in tables) == 2100 * (8 + 4) * 4
    assert sizes["INT8"] == 2100 * (8 + 4 + 2 * 4)
    assert exact.step == card["step"]


@pytest.mark.parametrize(
    ("path", "why"),
    [("", "the config has no eval_input_path"), ("/gone", "/gone: ")],
)
def test_without_evaluation_rows_the_card_says_that_there_are_no_metrics(
    run: Path, tmp_path: Path, path: str, why: str
) -> None:
    overrides = [f"eval_input_path={path}", "export_config.quantize_tables=INT8"]
    export_run(run, tmp_path / "model", "latest", overrides)
    said = json.loads((tmp_path / "model" / "card.json").read_text())["quantization"]
    assert said["metrics"] is None
    assert said["why_none"].startswith(why)
    assert said["largest_difference"] > 0


def test_a_program_that_predicts_otherwise_is_not_exported(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def off_by_a_little(model: torch.nn.Module, features: Any, together: Any) -> Any:
        other = copy.deepcopy(model)
        with torch.no_grad():
            next(other.parameters()).add_(0.01)
        return export_program(other, features, together)

    monkeypatch.setattr("raymon.training.export.export_program", off_by_a_little)
    with pytest.raises(raymon.RunError, match="the program predicts otherwise than the checkpoint"):
        export_run(run, tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_a_vocabulary_goes_along(run: Path, tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("a\nb\nu\n")
    saved = run / "pipeline.config"
    text = saved.read_text()
    config = tmp_path / "other" / "pipeline.config"
    config.parent.mkdir()
    config.write_text(
        text.replace("hash_bucket_size: 1000", f'vocab_file: "{words}"').replace(
            str(run), str(config.parent)
        )
    )
    other = raymon.config.read_saved(config.parent)
    raymon.train(other.__class__.FromString(other.SerializeToString()))
    export_run(config.parent, tmp_path / "model")
    words.unlink()
    pq.write_table(ONE_ROW, tmp_path / "one.parquet")
    moved = (tmp_path / "model").rename(tmp_path / "moved")
    assert predict(moved, str(tmp_path / "one.parquet"), tmp_path / "out.parquet") == 1


def test_without_its_data_a_model_is_checked_on_missing_values(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = raymon.config.read_saved(run)
    saved.train_input_path = saved.eval_input_path = str(tmp_path / "gone")
    monkeypatch.setattr("raymon.training.export.read_saved", lambda *_: saved)
    export_run(run, tmp_path / "model")
    check = json.loads((tmp_path / "model" / "card.json").read_text())["check"]
    assert (check["rows"], check["of"]) == (2, "missing values")


def test_predictions_need_no_ray(run: Path, raw: Path, tmp_path: Path) -> None:
    export_run(run, tmp_path / "model")
    script = "import sys; sys.modules['ray'] = None\nfrom raymon.cli.main import main\nmain()"
    arguments = ["predict", "model", str(raw), "o.parquet"]
    done = subprocess.run(
        [installed_python(), "-c", script, *arguments], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "4,000 rows: o.parquet\n"


def command(monkeypatch: pytest.MonkeyPatch, capsys, *arguments: object) -> tuple[int, str]:
    monkeypatch.setattr("sys.argv", ["raymon", *map(str, arguments)])
    with pytest.raises(SystemExit) as exit_:
        main()
    return int(exit_.value.code or 0), capsys.readouterr().err


def test_bad_input_gets_one_line(run: Path, raw: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    def raymon_(*arguments: object) -> str:
        code, said = command(monkeypatch, capsys, *arguments)
        assert code == 2
        assert said.count("\n") == 1
        return said

    model = tmp_path / "model"
    export_run(run, model)
    before = sorted(tmp_path.iterdir())
    assert "is there already" in raymon_("export", run, "--out", model)
    assert "--checkpoint 30: not there; it has 20, 40" in raymon_(
        "export", run, "--checkpoint", 30, "--out", tmp_path / "x"
    )
    said = raymon_("export", run, "--out", tmp_path / "x", "--set", f"{QUANTIZE}=INT4")
    assert f'{QUANTIZE}: unknown value "INT4"; did you mean "INT8"?' in said
    assert "is no run, checkpoint or export" in raymon_("predict", raw, raw, tmp_path / "y")
    pq.write_table(ONE_ROW.drop_columns(["price"]), tmp_path / "z.parquet")
    said = raymon_("predict", model, tmp_path / "z.parquet", tmp_path / "y")
    assert "z.parquet: has no column price, needed as feature price" in said
    said = raymon_("predict", model, raw, tmp_path / "y", "--keep", "clik")
    assert "a.parquet: has no column clik" in said
    assert sorted(tmp_path.iterdir()) == sorted([*before, tmp_path / "z.parquet"])


def test_a_damaged_checkpoint_is_not_exported(run: Path, tmp_path: Path) -> None:
    newest = list_checkpoints(run)[-1].path
    copy = tmp_path / "run"
    for name in ("pipeline.config", "version"):
        (copy / newest.name).mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes((run / name).read_bytes())
    for part in newest.iterdir():
        (copy / newest.name / part.name).write_bytes(part.read_bytes())
    tensors = copy / newest.name / "__0_0.distcp"
    content = bytearray(tensors.read_bytes())
    content[len(content) // 2] ^= 1
    tensors.write_bytes(content)
    with pytest.raises(raymon.RunError, match=r"is damaged: __0_0.distcp is not what"):
        export_run(copy, tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_the_parts_of_what_is_exported_fit(run: Path, tmp_path: Path) -> None:
    export_run(run, tmp_path / "model")
    bundle = open_bundle(tmp_path / "model")
    assert [feature.name for feature in bundle.features] == ["user", "item", "interests", "price"]


@pytest.mark.parametrize("name", ["model.pt2", "weights.safetensors", "features.config"])
def test_an_export_of_which_one_byte_is_another_is_not_opened(
    run: Path, tmp_path: Path, name: str
) -> None:
    export_run(run, tmp_path / "model")
    part = tmp_path / "model" / name
    content = bytearray(part.read_bytes())
    content[len(content) // 2] ^= 1
    part.write_bytes(content)
    with pytest.raises(raymon.RunError, match=rf"model: is damaged: {name} is not what was"):
        open_bundle(tmp_path / "model")


@pytest.mark.parametrize("which", ["best", "latest"])
def test_a_run_that_is_done_exports_by_itself(
    config_file: Path, raw: Path, tmp_path: Path, which: str
) -> None:
    # The rates are such that the first evaluation is the best.
    chosen = [
        "ray_config.num_workers=0",
        "train_config.num_steps=40",
        f"export_config.exporter_type={which}",
        "export_config.best_exporter_metric=auc",
        "export_config.export_at_end=true",
    ]
    summary = raymon.train(config_file, chosen)
    run = Path(summary.model_dir)
    assert summary.export == str(run / "export")
    assert json.loads((run / "run.json").read_text())["export"] == summary.export
    expected = getattr(raymon, f"{which}_checkpoint")(run).step
    assert json.loads((run / "export" / "card.json").read_text())["step"] == expected
    assert predict(run / "export", str(raw), tmp_path / "scores.parquet") == 4000
    # One that goes on puts the new one in its place.
    more = raymon.train(config_file, [*chosen, "train_config.num_steps=60"], resume=True)
    expected = getattr(raymon, f"{which}_checkpoint")(run).step
    assert more.steps == 60
    assert json.loads((run / "export" / "card.json").read_text())["step"] == expected


def test_a_model_that_cannot_be_exported_is_trained_all_the_same(
    config_file: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from raymon.models.rank.deepfm import DeepFM

    predict_ = DeepFM.predict

    def stubborn(self: DeepFM, batch: Any) -> Any:
        predictions = predict_(self, batch)
        return predictions if predictions["probs"].sum() > 0 else {}

    monkeypatch.setattr(DeepFM, "predict", stubborn)
    summary = raymon.train(
        config_file,
        {
            "ray_config.num_workers": 0,
            "train_config.num_steps": 5,
            "export_config.export_at_end": True,
        },
    )
    assert (summary.status, summary.export) == ("done", None)
    assert "Not exported: the model cannot be exported: torch" in caplog.text


def test_columns_that_cannot_be_kept_are_reported(run: Path, tmp_path: Path) -> None:
    export_run(run, tmp_path / "model")
    folder = tmp_path / "in"
    folder.mkdir()
    for name, kept in (("a", [1]), ("b", ["x"])):
        table = ONE_ROW.append_column("kept", [kept]).append_column("probs", [[0.5]])
        pq.write_table(table, folder / f"{name}.parquet")
    with pytest.raises(
        raymon.DataError, match=r"--keep: .*b\.parquet: column kept is string, but int64 in"
    ):
        predict(tmp_path / "model", str(folder), tmp_path / "out", keep=["kept"])
    with pytest.raises(raymon.RunError, match=r"--keep probs: is the name of a prediction too"):
        predict(tmp_path / "model", str(folder), tmp_path / "out", keep=["probs"])
    assert not (tmp_path / "out").exists()


class Tied(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one = torch.nn.Linear(2, 2, bias=False)
        self.other = torch.nn.Linear(2, 2, bias=False)
        self.other.weight = self.one.weight

    def predict(self, batch: Any) -> Any:
        return {"y": self.other(self.one(batch.dense["age"])).sum(1)}


def test_weights_may_be_tied_and_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    from tests.models.pipelines import features_of, pipeline

    features, model = features_of(pipeline()), Tied()
    program = export_program(model, features)
    write_bundle(tmp_path / "model", program, pipeline(), {})
    weights = load_file(tmp_path / "model" / "weights.safetensors")
    assert weights.keys() == {"one.weight", "other.weight"}
    with no_file_larger_than(1000), pytest.raises(raymon.RunError, match="cannot be written: OSE"):
        write_bundle(tmp_path / "other", program, pipeline(), {})
    assert [entry.name for entry in tmp_path.iterdir()] == ["model"]
