"""Values stated for kv_dot_product, bool_mask_feature, combine_feature and the smaller kinds."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from raymon.config import custom
from raymon.data.features.row_error import RowError
from raymon.data.values.hashing import bucket_ids, hash_values
from raymon.errors import ConfigError, DataError
from tests.data.features.made import built, made

DIM = "embedding_dim: 4"


def kv(more: str = 'default_value: "0.1"') -> Any:
    block = f'feature_name: "f" query: "user:q" document: "item:d" separator: "|" {more}'
    return built(f"kv_dot_product {{ {block} }}")[0]


def vectors(*rows: Any) -> pa.Array:
    return pa.array(rows, pa.map_(pa.string(), pa.float32()))


AB = [("a", 0.5), ("b", 0.5)]


@pytest.mark.parametrize(
    ("query", "document"),
    [
        (["a:0.5|b:0.5", "a|b|c", "a|b", None], ["a:0.5|b:0.5", "a|b", "", ""]),
        (
            [["a:0.5", "b:0.5"], ["a", "b", "c"], ["a", "b"], None],
            [["a:0.5", "b:0.5"], ["a", "b"], [], []],
        ),
        (
            vectors(AB, [("a", 1), ("b", 1), ("c", 1)], [("a", 1), ("b", 1)], None),
            vectors(AB, [("a", 1), ("b", 1)], [], []),
        ),
    ],
    ids=["strings", "lists", "maps"],
)
def test_dot_products_of_vectors_and_sets(query: Any, document: Any) -> None:
    assert made(kv(), q=query, d=document) == pytest.approx([0.5, 2, 0.1, 0.1])
    bounds = f"boundaries: [0.05, 0.15, 1.0] {DIM}"
    assert made(kv(f'{bounds} default_value: ""'), q=query, d=document) == [[2], [3], [], []]


@pytest.mark.parametrize(
    ("query", "document", "product"),
    [
        ("a:0.5|b:0.5", "d:0.5|b:0.5", 0.25),
        (["a:0.5", "b:0.5"], "d:0.5|b:0.5", 0.25),
        (["a", "b", "c"], "a|b|d", 2.0),
        ("a|b", "c|d", 0.0),
    ],
)
def test_dot_products_that_documents_state(query: Any, document: Any, product: float) -> None:
    assert made(kv(), q=[query], d=[document]) == [product]


def test_a_dot_product_has_a_delimiter_and_a_normalizer() -> None:
    feature = kv('kv_delimiter: "=" normalizer: "method=log10,threshold=1e-10,default=-10"')
    assert made(feature, q=["a=2|b=3"], d=["a=2|b=2"]) == [1]
    with pytest.raises(ConfigError, match='kv_delimiter: "::" is not one character'):
        kv('kv_delimiter: "::"')
    with pytest.raises(RowError, match="'x' is no number"):
        made(kv(), q=["a:x"], d=["a:1"])


def mask(more: str = "num_buckets: 500") -> Any:
    block = f'feature_name: "f" expression: ["user:i", "user:m"] separator: "," {DIM} {more}'
    return built(f"bool_mask_feature {{ {block} }}")[0]


@pytest.mark.parametrize(
    ("values", "masks", "ids"),
    [
        (["123,456,90,80"], ["true,false,true,false"], [[123, 90]]),
        (["123,456,90,80"], [[1, 0, 1, 0]], [[123, 90]]),
        ([[1, 2, 3, 4]], [[1, 0, 1, 0]], [[1, 3]]),
        ([[1, 2, 3, 4]], ["true,false,true,false"], [[1, 3]]),
        ([[1], None], [[False], None], [[], []]),
    ],
)
def test_values_whose_mask_is_true_are_left(values: Any, masks: Any, ids: Any) -> None:
    assert made(mask(), i=values, m=masks) == ids


def test_a_mask_may_leave_one_value_and_is_as_long_as_its_values() -> None:
    one = mask('num_buckets: 500 value_dim: 1 default_value: "7"')
    assert made(one, i=["1,2,3", "4"], m=["0,1,1", "0"]) == [[2], [7]]
    with pytest.raises(RowError, match="3 values and 2 booleans; there must be as many") as error:
        made(mask(), i=["1", "1,2,3"], m=["1", "1,0"])
    assert error.value.row == 1
    with pytest.raises(RowError, match="'maybe' is no boolean"):
        made(mask(), i=["1"], m=["maybe"])


def combine(more: str) -> Any:
    return built(f'combine_feature {{ feature_name: "f" expression: "user:t" {more} }}')[0]


VALUE_MAP = 'value_map { key: "tag1" value: 1 } value_map { key: "tag2" value: 2 }'


def test_values_are_mapped_to_numbers_and_combined() -> None:
    tags = ["tag1", "tag2", "tag1\x1dtag2\x1dother", "other", None]
    assert made(combine(VALUE_MAP), t=tags) == [1, 2, 3, 0, 0]
    assert made(combine(f'{VALUE_MAP} combiner: "mean"'), t=tags)[2] == 1.5
    assert made(combine(f"{VALUE_MAP} num_buckets: 9 {DIM}"), t=tags) == [[1], [2], [3], [], []]
    bounds = f"boundaries: [0.5, 1.5, 2.5] {DIM}"
    assert made(combine(f"{VALUE_MAP} {bounds}"), t=tags) == [[1], [2], [3], [], []]


def test_numbers_without_a_map_are_themselves() -> None:
    assert made(combine(""), t=[3.14, None]) == pytest.approx([3.14, 0])
    assert made(combine('combiner: "max"'), t=["1\x1d5", "2"]) == [5, 2]
    with pytest.raises(ConfigError, match="boundaries: are given beside num_buckets"):
        combine(f"num_buckets: 9 boundaries: 1 {DIM}")
    with pytest.raises(ConfigError, match='combiner: is ""; give sum'):
        combine('combiner: ""')


def replaced(pattern: str, replacement: str, listed: str, more: str = "") -> Any:
    block = f'regex_pattern: {pattern} replacement: "{replacement}" vocab_list: {listed} {more}'
    return built(
        f'regex_replace_feature {{ feature_name: "f" expression: "item:t" {DIM} {block} }}'
    )[0]


@pytest.mark.parametrize(
    ("pattern", "replacement", "more", "texts", "listed", "ids"),
    [
        (r'"\\|"', " ", "", ["a|b|c", "abc", None], '["a b c", "abc"]', [[2], [3], []]),
        (
            r'"\\|"', " ", "replace_all: false", ["a|b|c", "abc"], '["a b|c", "abc"]', [[2], [3]],
        ),
        (r'["\\|", "#", "\\(.*\\)"]', "", "", ["a|b#c(d)", "abc"], '["abc"]', [[2], [2]]),
        ('"abc"', "x", "icase: true", ["ABCd", "abcd"], '["xd"]', [[2], [2]]),
        (
            r'"(?s)^(.{0,3}).*$"', r"\\1<eos>", "replace_all: false", ["abcdef", "中华人民共和国"],
            '["abc<eos>", "中华人<eos>"]', [[2], [3]],
        ),
        (r'"\\|"', " ", 'default_value: "x|y"', ["a|b", None], '["a b"]', [[2], [0]]),
        (
            r'"\\|"', " ", 'value_dim: 0', [["a|b", "c|d"], ["c|d"]], '["a b", "c d"]',
            [[2, 3], [3]],
        ),
    ],
)  # fmt: skip
def test_patterns_are_replaced(
    pattern: str, replacement: str, more: str, texts: Any, listed: str, ids: Any
) -> None:
    assert made(replaced(pattern, replacement, listed, more), t=texts) == ids


def test_what_is_no_pattern_is_told() -> None:
    with pytest.raises(ConfigError, match=r"regex_pattern\[0\]: .*missing"):
        replaced('"("', "", '"a"')
    with pytest.raises(ConfigError, match="regex_pattern: is missing"):
        replaced("[]", "", '"a"')


@pytest.fixture
def words(tmp_path: Any) -> str:
    """Path of a tokenizer of whole words."""
    listed = {"<unk>": 0, "abc": 1, "efg": 2, "ABC": 3, "中": 4, "xyz": 5}
    tokenizer = Tokenizer(models.WordLevel(listed, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    return str(tmp_path / "tokenizer.json")


def tokens(path: str, more: str = "") -> Any:
    block = f'feature_name: "f" expression: "item:t" vocab_file: "{path}" {DIM} {more}'
    return built(f"tokenize_feature {{ {block} }}")[0]


def test_texts_are_cut_into_the_tokens_of_a_tokenizer(words: str) -> None:
    feature = tokens(words)
    assert feature.embedding.num_embeddings == 6
    texts = ["abc efg", "", None, "efg", "abc efg", "new"]
    assert made(feature, t=texts) == [[1, 2], [], [], [2], [1, 2], [0]]
    assert made(tokens(words, 'default_value: "xyz"'), t=["abc", ""]) == [[1], [5]]


@pytest.mark.parametrize(
    ("options", "text", "ids"),
    [
        ("norm_options: TEXT_UPPER2LOWER", "ABC EFG", [1, 2]),
        ("norm_options: TEXT_LOWER2UPPER", "abc", [3]),
        ("norm_options: TEXT_SBC2DBC", "\uff41\uff42\uff43\u3000efg", [1, 2]),
        ("norm_options: TEXT_FILTER", "a*b-c!", [1]),
        ("norm_options: TEXT_REMOVE_SPACE", "a b c", [1]),
        ("norm_options: TEXT_SPLITCHRS", "中abc", [4, 1]),
        ("", "a*bc", [3]),
        ("max_length: 3 norm_options: TEXT_UPPER2LOWER", "ABC ABC", [3, 3]),
    ],
)
def test_texts_are_normalized_before(words: str, options: str, text: str, ids: list[int]) -> None:
    feature = tokens(words, f"text_normalizer {{ {options} }}")
    assert made(feature, t=[text]) == [ids]


def test_stop_characters_are_those_of_a_file(words: str, tmp_path: Any) -> None:
    (tmp_path / "stop").write_text("x\ny\n")
    more = f'text_normalizer {{ norm_options: TEXT_FILTER stop_char_file: "{tmp_path}/stop" }}'
    assert made(tokens(words, more), t=["xaybcx"]) == [[1]]


def test_what_is_no_tokenizer_is_told(
    words: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "wrong.json").write_text("{}")
    with pytest.raises(ConfigError, match=r"vocab_file: .*wrong.json is no tokenizer.json"):
        tokens(f"{tmp_path}/wrong.json")
    with pytest.raises(ConfigError, match=r"vocab_file: .*none.json cannot be read"):
        tokens(f"{tmp_path}/none.json")
    with pytest.raises(ConfigError, match='tokenizer_type: raymon does not have "sentencepiece"'):
        tokens(words, 'tokenizer_type: "sentencepiece"')
    monkeypatch.setitem(__import__("sys").modules, "tokenizers", None)
    with pytest.raises(
        ConfigError, match=r'needs .* tokenizers; .*pip install "raymon\[tokenize\]'
    ):
        tokens(words)


class Longer:
    """How much longer a text is than a limit."""

    def __init__(self, limit: float = 0) -> None:
        self.limit = limit

    def __call__(self, texts: pa.Array) -> pa.Array:
        if pc.any(pc.equal(texts, "fail")).as_py():
            raise RuntimeError("as asked")
        return pc.subtract(pc.cast(pc.utf8_length(texts), pa.float64()), self.limit)


def own(more: str = "", name: str = f"{__name__}:Longer") -> Any:
    block = f'feature_name: "f" operator_name: "{name}" expression: "item:t" {more}'
    return built(f"custom_feature {{ {block} }}")[0]


def test_a_class_of_ones_own_makes_numbers_and_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(custom, "_allowed", False)
    monkeypatch.delenv(custom.ALLOWED_BY, raising=False)
    with pytest.raises(ConfigError, match=r"operator_name.* is code that a config brings along"):
        own()
    monkeypatch.setattr(custom, "_allowed", True)
    limit = 'operator_params { fields { key: "limit" value { number_value: 2 } } }'
    assert made(own(limit), t=["abc", "a", None]) == [1, -1, 0]
    assert made(own(f"boundaries: [1, 2] {DIM}"), t=["abc", "a"]) == [[2], [1]]
    hashed = [int(bucket_ids(hash_values(pa.array(["3"])), 50)[0])]
    assert made(own(f"hash_bucket_size: 50 {DIM}"), t=["abc"]) == [hashed]
    with pytest.raises(DataError, match=r"its operator failed: .*as asked"):
        made(own(), t=["fail"])
    with pytest.raises(ConfigError, match=r"operator_params: .*unexpected keyword"):
        own('operator_params { fields { key: "other" value { number_value: 2 } } }')
