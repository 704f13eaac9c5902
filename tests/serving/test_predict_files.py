"""The files that predictions are made of and written to, and those that they never replace."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from google.protobuf import text_format
from pyarrow import csv, feather

from raymon.data import build_features
from raymon.errors import DataError, RaymonError, RunError
from raymon.models import build_model
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.serving import export_program, predict, write_bundle
from tests.training.checkpoint.test_saver import no_file_larger_than

CONFIG = """
train_input_path: "x" model_dir: "y"
train_config { num_steps: 1 }
data_config { label_fields: "click" fg_mode: FG_DAG %s }
feature_configs { id_feature {
  feature_name: "user" expression: "user:user" hash_bucket_size: 50 embedding_dim: 4
} }
feature_configs { raw_feature { feature_name: "price" expression: "item:price" } }
model_config {
  feature_groups { group_name: "wide" group_type: WIDE feature_names: "user" }
  feature_groups { group_name: "fm" group_type: DEEP feature_names: "user" }
  feature_groups { group_name: "deep" group_type: DEEP feature_names: ["user", "price"] }
  deepfm { deep { hidden_units: [4] } }
  losses { binary_cross_entropy {} }
}
"""
ROWS = pa.table(
    {
        "user": ["00123", "a", None, "7", "é"],
        "price": [1.0, 2.5, None, -3.0, 0.0],
        "tags": [["a"], [], None, ["b", "c"], ["d"]],
    }
)
FLAT = ROWS.drop_columns(["tags"])


def exported(folder: Path, data: str = "") -> Path:
    config = text_format.Parse(CONFIG % data, PipelineConfig())
    features = build_features(config.feature_configs)
    model = build_model(config, features).eval()
    write_bundle(folder, export_program(model, features), config, {})
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported(tmp_path_factory.mktemp("model") / "model")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    for name in ("a", "b"):
        pq.write_table(ROWS, tmp_path / "data" / f"{name}.parquet")
    return tmp_path / "data"


def state(folder: Path) -> dict[str, bytes]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.mark.parametrize(
    ("given", "output"),
    [
        ("data/a.parquet", "data/a.parquet"),
        ("data/a.parquet", "data/../data/./a.parquet"),
        ("data", "data/b.parquet"),
        ("data", "data/new.parquet"),
        ("data", "data/deep/new"),
        ("data/*", "data/new"),
        ("data/*.parquet", "data/new.parquet"),
        ("data/[!x]*,other.parquet", "data/new.parquet"),
        ("data/a.parquet,data/b.parquet", "data/b.parquet"),
        ("data/a.parquet", "to_file"),
        ("data/a.parquet", "hard"),
        ("data", "to_data/new.parquet"),
        ("to_data", "data/new.parquet"),
        ("to_file", "data/a.parquet"),
        ("file://{top}/data", "data/new.parquet"),
        ("data", "file://{top}/data/new.parquet"),
        ("data", "data"),
    ],
)
@pytest.mark.parametrize("overwrite", [False, True])
def test_the_input_is_never_replaced_nor_added_to(
    model: Path,
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    given: str,
    output: str,
    overwrite: bool,
) -> None:
    from raymon.storage import storage_path

    monkeypatch.chdir(tmp_path)
    pq.write_table(ROWS, "other.parquet")
    (tmp_path / "to_data").symlink_to("data")
    (tmp_path / "to_file").symlink_to("data/a.parquet")
    os.link(data / "a.parquet", tmp_path / "hard")
    before = state(tmp_path)
    with pytest.raises(RunError) as error:
        predict(
            model,
            given.format(top=tmp_path),
            storage_path(output.format(top=tmp_path)),
            overwrite=overwrite,
        )
    assert "give another OUTPUT" in str(error.value) or "is there already" in str(error.value)
    assert "\n" not in str(error.value)
    assert state(tmp_path) == before
    assert not (data / "deep").exists()


def test_what_is_there_is_replaced_only_where_asked(
    model: Path, data: Path, tmp_path: Path
) -> None:
    output = tmp_path / "scores.parquet"
    output.write_bytes(b"of somebody")
    with pytest.raises(RunError, match=r"scores\.parquet: is there already; --overwrite replaces"):
        predict(model, str(data), output)
    assert output.read_bytes() == b"of somebody"
    assert predict(model, str(data), output, overwrite=True) == 10
    assert pq.read_table(output).column_names == ["logits", "probs"]
    before = state(model)
    for inside in (model / "card.json", model / "new"):
        with pytest.raises(RunError, match=r"is in the model .*; give another OUTPUT"):
            predict(model, str(data), inside, overwrite=True)
    assert state(model) == before
    for directory in (tmp_path / "folder", model):
        directory.mkdir(exist_ok=True)
        with pytest.raises(RunError, match="is a directory; give a file"):
            predict(model, str(data), directory, overwrite=True)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(RunError, match="is no file that can be replaced"):
        predict(model, str(data), tmp_path / "pipe", overwrite=True)
    # A link is followed: what it leads to is replaced.
    (tmp_path / "link").symlink_to("scores.parquet")
    predict(model, str(data), tmp_path / "link", keep=["user"], overwrite=True)
    assert (tmp_path / "link").is_symlink()
    assert pq.read_table(output).column_names == ["user", "logits", "probs"]


def test_what_fails_leaves_nothing(model: Path, data: Path, tmp_path: Path) -> None:
    pq.write_table(ROWS.set_column(1, "price", [[1.0, 1, 1, 1, float("nan")]]), data / "c.parquet")
    before = state(tmp_path)
    output = tmp_path / "new" / "deep" / "scores.parquet"
    with pytest.raises(DataError, match=r"c\.parquet: row group 0: feature price"):
        predict(model, str(data), output)
    with no_file_larger_than(100), pytest.raises(RunError, match="cannot be written"):
        predict(model, str(data / "a.parquet"), output)
    assert state(tmp_path) == before
    assert not (tmp_path / "new").exists()


WRITERS: dict[str, Callable[[pa.Table, Path], None]] = {
    "parquet": pq.write_table,
    "csv": csv.write_csv,
    "tsv": lambda rows, path: csv.write_csv(rows, path, csv.WriteOptions(delimiter="\t")),
    "arrow": lambda rows, path: feather.write_feather(rows, path, compression="uncompressed"),
}


@pytest.mark.parametrize("ending", WRITERS)
def test_any_format_has_the_same_scores(model: Path, tmp_path: Path, ending: str) -> None:
    pq.write_table(FLAT, tmp_path / "a.parquet")
    (tmp_path / "in").mkdir()
    WRITERS[ending](FLAT, tmp_path / "in" / f"a.{ending}")
    scores = []
    for path in (tmp_path / "a.parquet", tmp_path / "in" / f"a.{ending}", tmp_path / "in"):
        predict(model, str(path), tmp_path / "out", overwrite=True)
        scores.append(pq.read_table(tmp_path / "out"))
    assert scores[0].num_rows == 5
    assert scores[0].equals(scores[1])
    assert scores[0].equals(scores[2])


def test_a_model_of_csv_reads_csv_as_it_was_trained(tmp_path: Path) -> None:
    fields = "".join(f'input_fields {{ input_name: "{n}" }} ' for n in ("price", "user"))
    own = exported(tmp_path / "model", f'dataset_type: CsvDataset delimiter: ";" {fields}')
    (tmp_path / "rows.txt").write_text("1;00123\n2.5;a\n;\n")
    assert predict(own, str(tmp_path / "rows.txt"), tmp_path / "out.csv", keep=["user"]) == 3
    found = csv.read_csv(
        tmp_path / "out.csv",
        convert_options=csv.ConvertOptions(column_types={"user": pa.string()}),
    )
    assert found["user"].to_pylist() == ["00123", "a", ""]


def read_csv(path: Path, delimiter: str = ",") -> pa.Table:
    return csv.read_csv(path, parse_options=csv.ParseOptions(delimiter=delimiter))


READERS: dict[str, Callable[[Path], Any]] = {
    "scores.csv": read_csv,
    "scores.CSV.gz": read_csv,
    "scores.tsv": lambda path: read_csv(path, "\t"),
    "scores.feather": feather.read_table,
    "scores": pq.read_table,
}


@pytest.mark.parametrize("name", READERS)
def test_the_ending_of_the_output_is_its_format(
    model: Path, data: Path, tmp_path: Path, name: str
) -> None:
    predict(model, str(data), tmp_path / "expected", keep=["price"])
    predict(model, str(data), tmp_path / name, keep=["price", "price"])
    path = tmp_path / name
    if name.endswith(".gz"):
        path = path.rename(tmp_path / "scores.csv.gz")
    found, expected = READERS[name](path), pq.read_table(tmp_path / "expected")
    assert found.column_names == expected.column_names
    assert [c.to_pylist() for c in found.cast(expected.schema)] == [c.to_pylist() for c in expected]


@pytest.mark.parametrize("name", ["scores.json", "scores.csv.zip", "scores.XLSX", "scores.txt"])
def test_an_ending_of_another_format_is_refused(
    model: Path, data: Path, tmp_path: Path, name: str
) -> None:
    ending = name.rpartition(".")[2]
    with pytest.raises(
        RunError, match=rf"{name}: predictions are not written as {ending}; .*\.csv"
    ):
        predict(model, str(data), tmp_path / name)
    assert not (tmp_path / name).exists()


def test_what_csv_cannot_hold_is_named(model: Path, data: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"--keep tags: is list<.*>, which CSV cannot hold"):
        predict(model, str(data), tmp_path / "a.csv", keep=["tags"])
    assert not (tmp_path / "a.csv").exists()
    assert predict(model, str(data), tmp_path / "a.parquet", keep=["tags"]) == 10


KEPT = [
    (pa.int64(), [pa.int32(), pa.null(), pa.uint8(), pa.bool_()]),
    (pa.float64(), [pa.float32(), pa.int16(), pa.null(), pa.bool_()]),
    (pa.string(), [pa.dictionary(pa.int8(), pa.string()), pa.string_view(), pa.null()]),
    (pa.large_string(), [pa.string(), pa.large_string()]),
    (pa.list_(pa.int64()), [pa.list_(pa.int32()), pa.list_(pa.null())]),
]


@pytest.mark.parametrize(("common", "others"), KEPT)
def test_kept_columns_have_the_type_that_goes_for_all_files(
    model: Path, tmp_path: Path, common: pa.DataType, others: list[pa.DataType]
) -> None:
    (tmp_path / "in").mkdir()
    expected = []
    for number, kind in enumerate([common, *others]):
        values = [[], None] if pa.types.is_list(common) else [1, 0, None]
        if pa.types.is_string(common) or pa.types.is_large_string(common):
            values = ["a", "", None]
        if pa.types.is_null(kind):
            values = [None] * 3
        values = (values * 3)[:5]
        given = [None if v is None else bool(v) for v in values] if kind == pa.bool_() else values
        table = FLAT.append_column("n", pa.array(given, kind))
        feather.write_feather(table, tmp_path / "in" / f"{number}.arrow")
        expected += values
    predict(model, str(tmp_path / "in"), tmp_path / "out", keep=["n"], batch_size=3)
    found = pq.read_table(tmp_path / "out")["n"]
    assert found.type == common
    assert found.to_pylist() == expected


def test_a_kept_value_that_the_common_type_cannot_have_is_named(
    model: Path, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    for number, values in enumerate(([0.5], [2**60 + 1])):
        table = FLAT.slice(0, 1).append_column("n", pa.array(values))
        pq.write_table(table, tmp_path / "in" / f"{number}.parquet")
    with pytest.raises(DataError, match=r"1\.parquet: column n: .* of double, its type in other"):
        predict(model, str(tmp_path / "in"), tmp_path / "out", keep=["n"])
    assert not (tmp_path / "out").exists()


def test_files_of_several_formats_are_refused(model: Path, tmp_path: Path) -> None:
    csv.write_csv(FLAT, tmp_path / "a.csv")
    feather.write_feather(FLAT, tmp_path / "a.arrow")
    with pytest.raises(DataError, match="give files of one format"):
        predict(model, str(tmp_path), tmp_path.parent / "never")


def test_an_export_that_was_killed_on_its_way_has_lost_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = text_format.Parse(CONFIG % "", PipelineConfig())
    features = build_features(config.feature_configs)
    network = build_model(config, features).eval()
    program = export_program(network, features)
    place = tmp_path / "export[1]"
    write_bundle(place, program, config, {"step": 1})
    before = state(place)
    # As it lies after a kill between the two renames.
    place.rename(tmp_path / ".export[1].123.old")
    with pytest.raises(RunError, match="is there already"):
        write_bundle(place, program, config, {"step": 2})
    assert state(place) == before
    place.rename(tmp_path / ".export[1].123.old")
    write_bundle(place, program, config, {"step": 2}, replace=True)
    assert b'"step": 2' in state(place)["card.json"]
    assert [path.name for path in tmp_path.iterdir()] == ["export[1]"]


@pytest.mark.parametrize("what", ["file", "directory", "own"])
def test_an_export_replaces_nothing_but_an_export(tmp_path: Path, what: str) -> None:
    config = text_format.Parse(CONFIG % "", PipelineConfig())
    features = build_features(config.feature_configs)
    network = build_model(config, features).eval()
    program = export_program(network, features)
    place = tmp_path / "export"
    if what == "file":
        place.write_text("of somebody")
    else:
        write_bundle(place, program, config, {"step": 1})
        if what == "directory":
            (place / "notes.txt").write_text("of somebody")
    before = state(tmp_path)
    with pytest.raises(RunError, match="is there already; give another directory"):
        write_bundle(place, program, config, {"step": 2})
    assert state(tmp_path) == before
    if what == "own":
        write_bundle(place, program, config, {"step": 2}, replace=True)
        assert b'"step": 2' in state(tmp_path)["export/card.json"]
        assert [path.name for path in tmp_path.iterdir()] == ["export"]
        return
    with pytest.raises(RaymonError, match=r"is no directory|has notes\.txt, which is of no export"):
        write_bundle(place, program, config, {"step": 2}, replace=True)
    assert state(tmp_path) == before
