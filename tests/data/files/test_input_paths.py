"""The files that a path means, compared with pathlib and Python's own glob."""

from __future__ import annotations

import glob
import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pyarrow import fs

from raymon.data import absolute_paths, may_be_read
from raymon.data.files.found_file import find_files
from raymon.data.files.input_paths import input_paths
from raymon.errors import DataError
from raymon.storage import ObjectPath, split_query
from tests.storage.objects import Objects

NAMES = st.text("ab19-[]!^*?,{} ~%é'\"$=", min_size=1, max_size=7).filter(lambda n: n.strip() == n)


def made(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("rows")


def found(path: object) -> list[str]:
    return [file.path for file in find_files(str(path), (".parquet",), "a Parquet file")]


def below(folder: Path, path: object) -> list[str]:
    return [Path(file).relative_to(folder).as_posix() for file in found(path)]


@given(st.lists(NAMES, min_size=2, max_size=6, unique=True), st.data())
def test_what_is_there_by_a_name_is_found_from_any_directory(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], data: st.DataObject
) -> None:
    top = tmp_path_factory.mktemp("any")
    folder, *others = names
    made(top / folder, *(name + ".parquet" for name in others))
    name = data.draw(st.sampled_from(others)) + ".parquet"
    assert found(top / folder / name) == [f"{top}/{folder}/{name}"]
    everything = sorted(f"{top}/{folder}/{name}.parquet" for name in others)
    assert found(top / folder) == everything
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(top)
        of_directory, of_file = absolute_paths(folder), absolute_paths(f"{folder}/{name}")
        patch.chdir(top / folder)
        of_list = absolute_paths(f"{name},{name}")
        of_glob = absolute_paths("*.par[q]uet")
        assert [os.path.abspath(path) for path in found(name)] == [f"{top}/{folder}/{name}"]
    assert found(of_directory) == everything
    assert found(of_file) == [f"{top}/{folder}/{name}"]
    assert found(of_list) == 2 * found(of_file)
    assert found(of_glob) == everything
    # What is absolute stays.
    for path in (of_directory, of_file, of_list, of_glob):
        assert found(absolute_paths(path)) == found(path)


GLOBS = st.lists(
    st.sampled_from(
        ["a", "1", "-", "é", "*", "?", "[!9]", "[a-b]", "[]a]", "[!]1]", "[", "]", "^"]
    ),
    min_size=1,
    max_size=5,
).map("".join)


@given(
    st.lists(st.text("ab19-[]^é", min_size=1, max_size=4), min_size=1, max_size=12, unique=True),
    GLOBS,
    st.sampled_from(["", "*/", "[!a]*/", "**/"]),
)
def test_a_glob_means_what_python_and_shells_mean(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], pattern: str, above: str
) -> None:
    assume("[^" not in pattern)  # of that they differ
    top = tmp_path_factory.mktemp("glob")
    made(top, *(f"{name}.x" for name in names), *(f"d{name}/{name}.x" for name in names[:3]))
    pattern = f"{top}/{above}{pattern}.x"
    assume(not os.path.lexists(pattern))
    expected = sorted(set(glob.glob(pattern, recursive=True)))
    if not expected:
        with pytest.raises(DataError, match="matches no file"):
            found(pattern)
        return
    assert found(pattern) == expected


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("part-[!9]*", "127abx"),
        ("part-[^9]*", "127abx"),
        ("part-[!12]*", "79abx"),
        ("part-[1-7].parquet", "127"),
        ("part-[[:digit:]].parquet", "1279"),
        ("part-[![:digit:]].parquet", "abx"),
        ("part-{1,9,x}.parquet", "19x"),
        ("part-[1,2].parquet", "12"),
        ("{part,other}-[ab].parquet", None),
        ("part-1.parquet, part-[ab].parquet", "1ab"),
    ],
)
def test_globs_of_shells(tmp_path: Path, pattern: str, expected: str | None) -> None:
    made(tmp_path, *(f"part-{name}.parquet" for name in "1279abx"))
    path = ",".join(f"{tmp_path}/{part.strip()}" for part in pattern.split(", "))
    if expected is None:  # as in a shell, each of the two must be there
        with pytest.raises(DataError, match=r"other-\[ab\]\.parquet: matches no file"):
            found(path)
        return
    assert below(tmp_path, path) == [f"part-{name}.parquet" for name in expected]


HIDDEN = [
    "_SUCCESS",
    "_metadata.parquet",
    "_temporary/0/_temporary/attempt_1/part-1.parquet",
    ".ipynb_checkpoints/part-0-checkpoint.parquet",
    "_delta_log/00000000000000000010.checkpoint.parquet",
    ".hoodie/metadata/files.parquet",
    ".spark-staging-1/day=1/part-0.parquet",
    "day=1/_temporary/part-0.parquet",
    "day=1/.part-0.parquet.crc",
    "part-9.parquet._COPYING_",
    "part-9.parquet.tmp",
    "metadata/v1.metadata.json",
]
DATA = ["_day=1/part-0.parquet", "a.PARQUET", "day=1/b.parquet", "day=2/c.parquet"]


def test_what_tools_leave_next_to_data_is_not_read(tmp_path: Path) -> None:
    made(tmp_path, *HIDDEN, *DATA)
    assert below(tmp_path, tmp_path) == DATA
    assert below(tmp_path, f"{tmp_path}/**/*.parquet") == [DATA[0], *DATA[2:]]
    assert below(tmp_path, f"{tmp_path}/*") == DATA_AND_OTHERS
    assert below(tmp_path, f"{tmp_path}/*/*.parquet") == [DATA[0], *DATA[2:]]


DATA_AND_OTHERS = sorted([*DATA, "part-9.parquet.tmp"])


@pytest.mark.parametrize("name", [name for name in HIDDEN if name != "_SUCCESS"])
def test_what_a_user_names_is_read_wherever_it_is(tmp_path: Path, name: str) -> None:
    made(tmp_path, *HIDDEN, *DATA)
    assert below(tmp_path, tmp_path / name) == [name]
    # And a directory that is in a hidden one.
    top = tmp_path / ".cache" / "_tmp"
    made(top, "day=1/b.parquet", "_x/c.parquet")
    assert below(top, top) == below(top, f"{top}/*/*.parquet") == ["day=1/b.parquet"]
    assert below(top, f"{top}/_*/*.parquet") == ["_x/c.parquet"]


def test_a_directory_that_a_glob_means_is_read_as_one(tmp_path: Path) -> None:
    made(tmp_path, "day1.parquet/part-0.parquet", "day1.parquet/_SUCCESS", "day2.parquet/p.parquet")
    expected = ["day1.parquet/part-0.parquet", "day2.parquet/p.parquet"]
    assert below(tmp_path, f"{tmp_path}/*.parquet") == expected
    assert below(tmp_path, f"{tmp_path}/*.parquet/*.parquet") == expected


@pytest.mark.parametrize(
    "path",
    [
        "data/",
        "./data",
        "data//",
        "data/../data",
        "./data/./",
        "file://{top}/data",
        "data/*",
        "~/data",
    ],
)
def test_one_directory_is_written_in_many_ways(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    made(tmp_path, "data/a.parquet", "data/b.parquet")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    path = path.format(top=tmp_path)
    for each in (path, absolute_paths(path)):
        files = [Path(file.removeprefix("file://")).resolve() for file in found(each)]
        assert files == [tmp_path / "data" / "a.parquet", tmp_path / "data" / "b.parquet"]


def test_a_uri_may_have_any_character(tmp_path: Path) -> None:
    made(tmp_path, "a b[1]/é#1,%41.parquet", "a b[1]/é2.parquet")
    top = f"file://{tmp_path}"
    assert len(found(f"{top}/a b[1]")) == len(found(f"{top}/a%20b%5B1%5D")) == 2
    assert found(f"{top}/a b[1]/é?.parquet") == [f"{top}/a b[1]/é2.parquet"]
    assert found(f"{top}/a b[1]/é#1,%2541.parquet") == [f"{top}/a b[1]/é#1,%41.parquet"]


def test_links_are_followed_and_no_file_is_read_twice(tmp_path: Path) -> None:
    data = tmp_path / "data"
    made(data, "day=1/a.parquet")
    made(tmp_path, "elsewhere/b.parquet", "elsewhere/c.parquet")
    (data / "day=2").symlink_to(tmp_path / "elsewhere")
    (data / "latest").symlink_to("day=1")
    (data / "loop").symlink_to(".")
    (data / "day=1" / "up").symlink_to("..")
    (data / "d.parquet").symlink_to(tmp_path / "elsewhere" / "c.parquet")
    twice = ["day=2/c.parquet", "d.parquet"]
    names = below(data, data)
    assert len(names) == 3
    assert set(names) - set(twice) == {"day=1/a.parquet", "day=2/b.parquet"}
    assert below(data, f"{data}/latest/*.parquet") == ["latest/a.parquet"]
    assert found(f"{data}/**/a.parquet")[0] == f"{data}/day=1/a.parquet"


def test_a_link_to_nothing_is_no_part_less(tmp_path: Path) -> None:
    from raymon.data.files.formats import open_files

    (tmp_path / "part-1.parquet").symlink_to("gone.parquet")
    for path in (tmp_path, f"{tmp_path}/*", f"{tmp_path}/part-1.parquet"):
        with pytest.raises(DataError, match=r"part-1\.parquet: cannot be opened"):
            open_files(str(path))


def test_no_pipe_is_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"a\.parquet: is a pipe or a device"):
        found(tmp_path / "a.parquet")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["b.csv", "a/c.csv", ".x"], "or a glob; it has c.csv and 1 more"),
        (["_part-0.parquet"], "or a glob; names that begin with _ or . are not data"),
        ([], "or a glob; it is empty"),
    ],
)
def test_a_directory_without_the_files_that_are_wanted_says_what_it_has(
    tmp_path: Path, names: list[str], said: str
) -> None:
    made(tmp_path, *names)
    with pytest.raises(DataError) as error:
        found(tmp_path)
    assert str(error.value).endswith(said)


@pytest.mark.parametrize("path", ["", " ", ",", "x\0y", "s3:/bucket/a.parquet", "nope://a/b"])
def test_a_path_that_is_none_is_an_error(path: str) -> None:
    with pytest.raises(DataError) as error:
        found(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("path", "output", "read"),
    [
        ("data", "data/x.parquet", True),
        ("data", "data/deep/er/x", True),
        ("data", "other/x.parquet", False),
        ("data/a.parquet", "data/a.parquet", True),
        ("data/a.parquet", "data/b.parquet", False),
        ("data/*.parquet", "data/b.parquet", True),
        ("data/*.parquet", "data/b.csv", False),
        ("data/*.parquet", "data/day.parquet/b", True),
        ("data/**/*.parquet", "data/x/y/b.parquet", True),
        ("data/part-[!9]*", "data/part-9.parquet", False),
        ("data/a.parquet,link", "data/x", True),
        ("link/*", "data/x", True),
    ],
)
def test_whether_a_new_file_would_be_read_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, output: str, read: bool
) -> None:
    made(tmp_path, "data/a.parquet")
    (tmp_path / "link").symlink_to("data")
    monkeypatch.chdir(tmp_path)
    assert any(part.may_read(output) for part in input_paths(path)) == read


PATTERNS = [
    "data",
    "data/",
    "data/*",
    "data/*.PARQUET",
    "data/**",
    "data/**/*.parquet",
    "data/day=[!2]/*.parquet",
    "data/day=?/*",
    "data/_*/*.parquet",
    "data/*/part-0.parquet",
    "data/a b[1]",
    "data/a b[1]/*.parquet",
    "data/{day=1,_day=1}/*.parquet",
    "data/a b[1]/é%20,#?.parquet, data/day=1",
]


@pytest.mark.parametrize("query", ["?endpoint_override=h", "?endpoint_override=http://h:1"])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_object_storage_has_the_same_files_as_a_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pattern: str, query: str
) -> None:
    names = [*HIDDEN, *DATA, "a b[1]/é%20,#?.parquet", "a b[1]/x.parquet", "day=1/_x/y.parquet"]
    made(tmp_path / "data", *names)
    objects = Objects()
    objects.objects = {f"bucket/data/{name}": b"rows" for name in names}

    def opened(uri: str) -> tuple[Any, str]:
        path, given = split_query(uri)
        assert given == query
        return fs.PyFileSystem(objects), unquote(path.removeprefix("mem://"))

    monkeypatch.setattr("raymon.data.files.input_paths.open_uri", opened)
    monkeypatch.chdir(tmp_path)
    uris = ",".join(
        "mem://bucket/" + part.strip().replace("%", "%25").replace("20,", "20%2C") + query
        for part in pattern.split(", ")
    )
    for path in (uris, absolute_paths(uris)):
        assert found(path) == [f"mem://bucket/{name}" for name in found(pattern)]
    for name in found(pattern):
        file = ObjectPath(fs.PyFileSystem(objects), f"bucket/{name}", f"mem://bucket/{name}")
        assert may_be_read(uris, file)
    assert not may_be_read(uris, objects.path("other/x.parquet"))
