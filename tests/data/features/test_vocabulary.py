from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from raymon.data.features.vocabulary import Vocabulary, look_up, read_values
from raymon.errors import ConfigError
from tests.data.features.test_build import id_feature, rows


def test_a_dictionary_gives_values_their_ids() -> None:
    feature = id_feature(
        'vocab_dict { key: "a" value: 5 } vocab_dict { key: "b" value: 5 } '
        'vocab_dict { key: "12" value: 2 }'
    )
    assert feature.embedding is not None
    assert feature.embedding.num_embeddings == 6
    assert rows(feature.convert(pa.array(["a", "b", "12", "c", None])), 5) == [
        [5],
        [5],
        [2],
        [1],
        [],
    ]
    assert rows(feature.convert(pa.array([12, 13])), 2) == [[2], [1]]


def test_a_file_gives_values_their_places(tmp_path: Path) -> None:
    (tmp_path / "values.txt").write_text("red\ngreen\n")
    feature = id_feature(f'vocab_file: "{tmp_path}/values.txt"')
    assert feature.embedding is not None
    assert feature.embedding.num_embeddings == 4
    assert rows(feature.convert(pa.array(["green", "blue", None])), 3) == [[3], [1], []]


@pytest.mark.parametrize("spelled", ["~/values.txt", "file://{home}/values.txt"])
def test_a_file_may_be_at_home_or_a_uri(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spelled: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "values.txt").write_text("red\ngreen\n")
    feature = id_feature(f'vocab_file: "{spelled.format(home=tmp_path)}"')
    assert rows(feature.convert(pa.array(["green"])), 1) == [[3]]
    with pytest.raises(ConfigError, match="nowhere://x: cannot be opened"):
        id_feature('vocab_file: "nowhere://x"')


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "is empty"), ("a\n\nb\n", "none may be empty"), ("a\na\n", "a.* is in line 1 too")],
)
def test_a_wrong_file_is_an_error(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "values.txt").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_values(str(tmp_path / "values.txt"))
    with pytest.raises(ValueError, match="cannot be read"):
        read_values(str(tmp_path / "missing.txt"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('vocab_dict { key: "a" value: 1 }', '"a": 1; ids begin at 2'),
        ('vocab_dict { key: "" value: 3 }', "no value may be empty"),
        ('vocab_list: "a" vocab_dict { key: "a" value: 2 }', "exactly one of"),
        ('vocab_file: "/nowhere"', "/nowhere cannot be read"),
    ],
)
def test_a_wrong_vocabulary_is_an_error_that_names_its_field(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=rf"feature_configs\[0\]\.id_feature.*{message}"):
        id_feature(text)


def test_no_values_have_no_ids() -> None:
    assert look_up(pa.array([], pa.string()), Vocabulary({"a": 2})).tolist() == []


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a\r\nb\r\n", {"a": 2, "b": 3}),
        (b"\xef\xbb\xbfa\nb", {"a": 2, "b": 3}),
        ("x\u2028y\na\u0085\x0c\x1db\n".encode(), {"x\u2028y": 2, "a\u0085\x0c\x1db": 3}),
        (b"new york\nroute 66\n", {"new york": 2, "route 66": 3}),
        (b"a\n\n", ":2: is an empty line"),
        (b"a\nb \n", ":2: 'b ' has blanks around it"),
        (b"a\rb\r", ":1: has a carriage return inside"),
        ("a\nb".encode("utf-16"), "is not UTF-8"),
        (b"a\nb\na\n", ':3: "a" is in line 1 too'),
    ],
)
def test_lines_end_with_lf_or_cr_lf_alone(
    tmp_path: Path, content: bytes, expected: dict[str, int] | str
) -> None:
    path = tmp_path / "values.txt"
    path.write_bytes(content)
    if isinstance(expected, dict):
        assert read_values(str(path)) == expected
        return
    with pytest.raises(ValueError, match=f"values.txt.*{expected}"):
        read_values(str(path))


COLUMN = pa.array(["b", "zz", None, "other", "a"])


@pytest.mark.parametrize(
    ("text", "expected", "table"),
    [
        # 0 and 1 are reserved; a value that is missing has no id without a default_value.
        ('vocab_list: ["a", "b"]', [[3], [1], [], [1], [2]], 4),
        ('vocab_list: ["a", "b"] default_value: "other"', [[3], [1], [0], [0], [2]], 4),
        ('vocab_list: ["a", "b"] default_value: "b"', [[3], [1], [3], [1], [2]], 4),
        (
            'vocab_dict { key: "a" value: 6 } vocab_dict { key: "b" value: 2 } default_value: "b"',
            [[0], [1], [0], [1], [6]],
            7,
        ),
        # With default_bucketize_value nothing is reserved.
        ('vocab_list: ["a", "b"] default_bucketize_value: 0', [[1], [0], [], [0], [0]], 2),
        (
            'vocab_list: ["a", "b"] default_bucketize_value: 1 default_value: "a"',
            [[1], [1], [0], [1], [0]],
            2,
        ),
        (
            'vocab_dict { key: "a" value: 0 } vocab_dict { key: "b" value: 4 } '
            'default_bucketize_value: 3 default_value: "other"',
            [[4], [3], [3], [3], [0]],
            5,
        ),
    ],
)
def test_reserved_ids_and_default_bucketize_value(
    text: str, expected: list[list[int]], table: int
) -> None:
    feature = id_feature(text)
    assert feature.embedding is not None
    assert feature.embedding.num_embeddings == table
    assert rows(feature.convert(COLUMN), 5) == expected


def test_a_file_with_default_bucketize_value_may_have_ids(tmp_path: Path) -> None:
    (tmp_path / "values.txt").write_text("a\nb\n")
    (tmp_path / "ids.txt").write_text("a 5\nb\t2\n")
    (tmp_path / "mixed.txt").write_text("a 5\nb\n")
    for name, ids in (("values", [[1], [0]]), ("ids", [[2], [0]])):
        feature = id_feature(f'vocab_file: "{tmp_path}/{name}.txt" default_bucketize_value: 0')
        assert rows(feature.convert(pa.array(["b", "zz"])), 2) == ids
    with pytest.raises(ConfigError, match='"b" is no value and its id'):
        id_feature(f'vocab_file: "{tmp_path}/mixed.txt" default_bucketize_value: 0')


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('vocab_list: ["a"] default_bucketize_value: 1', "is 1; it must be one of the ids"),
        ("num_buckets: 3 default_bucketize_value: 1", "num_buckets has none; leave it out"),
        ('vocab_list: ["1", "true"]', '"true" and "1" are the same'),
    ],
)
def test_what_goes_against_a_vocabulary_is_an_error(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        id_feature(text)
