from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from raymon.data.vocabulary import Vocabulary, look_up, read_values
from raymon.errors import ConfigError
from tests.data.test_features import id_feature, rows


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
