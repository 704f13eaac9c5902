"""From the path or URI that a user writes to a path object."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

import raymon
from raymon.storage import (
    ObjectPath,
    absolute,
    fetched,
    file_sizes,
    remove_tree,
    storage_path,
    upload,
)
from tests.storage.objects import Objects


def test_local_paths_and_uris_of_files_are_paths_of_this_machine(tmp_path: Path) -> None:
    assert storage_path("runs/first") == Path("runs/first")
    assert storage_path(tmp_path) == tmp_path
    for written in ("a%20b", "a b", "a%2520b", "é#1?x", "100%"):
        expected = {"a%20b": "a b", "a%2520b": "a%20b"}.get(written, written)
        assert storage_path(f"file://{tmp_path}/{written}") == tmp_path / expected


def test_a_uri_may_have_any_character_in_its_path() -> None:
    query = "?endpoint_override=127.0.0.1:9&scheme=http"
    for written in ("a b", "a[1],{x}", "é#1", "part-?", "100%"):
        path = storage_path(f"s3://bucket/{written}/run{query}")
        assert isinstance(path, ObjectPath)
        assert path.inner == f"bucket/{written}/run"
        assert str(path) == f"s3://bucket/{written}/run{query}"


def test_behind_a_link_two_dots_are_another_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere" / "deep").mkdir(parents=True)
    (tmp_path / "link").symlink_to("elsewhere/deep")
    (tmp_path / "~odd").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/of/somebody")
    assert absolute(Path("link/../run")).resolve() == tmp_path / "elsewhere" / "run"
    assert absolute(Path("link/./run/../x")) == tmp_path / "link" / "x"
    for path in (storage_path("~/x"), absolute(Path("~/x"))):
        assert path == Path("/home/of/somebody/x")
    assert absolute(Path("~odd/../~odd")) == tmp_path / "~odd"
    assert storage_path("~who-is-not-here/x") == Path("~who-is-not-here/x")


def test_a_path_on_s3_keeps_the_options_of_its_uri_behind_its_name() -> None:
    uri = "s3://bucket/runs/a/?endpoint_override=127.0.0.1:9&scheme=http"
    path = storage_path(uri)
    assert isinstance(path, ObjectPath)
    part = path / "monitor" / "windows.jsonl"
    query = "?endpoint_override=127.0.0.1:9&scheme=http"
    assert str(part) == f"s3://bucket/runs/a/monitor/windows.jsonl{query}"
    assert (part.name, part.inner) == ("windows.jsonl", "bucket/runs/a/monitor/windows.jsonl")
    assert part.parent.parent == path
    assert storage_path(str(part)) == pickle.loads(pickle.dumps(part)) == part


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("s3://key:secret@bucket/run", "s3://bucket/run: is given with credentials"),
        ("s3://secret@bucket/run", "s3://bucket/run: is given with credentials"),
        ("s3://bucket/run?secret_key=secret", "s3://bucket/run: is given with credentials"),
        ("nowhere://bucket/run", "nowhere://bucket/run: cannot be opened: "),
        (Path("s3://bucket/run"), "s3:/bucket/run: a URI has two slashes"),
    ],
)
def test_what_is_no_path_is_reported_in_one_line_without_secrets(
    uri: str | Path, said: str
) -> None:
    with pytest.raises(raymon.UserError) as caught:
        storage_path(uri)
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)
    assert "=secret" not in str(caught.value)
    assert "secret@" not in str(caught.value)


@pytest.mark.parametrize(
    "field",
    ["model_dir", "train_input_path", "eval_input_path", "train_config.fine_tune_checkpoint"],
)
def test_no_credentials_get_into_the_files_of_a_run(
    config_file: Path, field: str, tmp_path: Path
) -> None:
    chosen = {"ray_config.num_workers": 0, field: "s3://key:hidden@bucket/x"}
    with pytest.raises(raymon.UserError, match="s3://bucket/x: is given with credentials") as error:
        raymon.train(config_file, chosen)
    assert "hidden" not in str(error.value)
    assert not (tmp_path / "run").exists()


def test_directories_go_up_and_come_down_and_go(tmp_path: Path) -> None:
    objects = Objects()
    (tmp_path / "deep").mkdir()
    (tmp_path / "a").write_bytes(b"first")
    (tmp_path / "deep" / "b").write_bytes(b"")
    path = objects.path()
    assert not path.exists()
    upload(tmp_path, path)
    assert path.is_dir()
    assert (path / "a").is_file()
    assert file_sizes(path) == {"a": 5}
    assert [entry.name for entry in path.iterdir()] == ["a", "deep"]
    with fetched(path / "deep") as here:
        assert [file.name for file in here.iterdir()] == ["b"]
    assert not here.exists()
    remove_tree(path)
    assert objects.objects == {}
    with pytest.raises(FileNotFoundError):
        remove_tree(path)
    (path / "a").unlink(missing_ok=True)
