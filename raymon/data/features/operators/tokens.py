"""The tokens of texts, by a tokenizer of Hugging Face's library."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from raymon.data.features.operators.operator import Operator
from raymon.data.features.operators.rows import lists_of
from raymon.data.values.canonical import canonical_texts, is_value
from raymon.protos.feature_pb2 import TextNormalizeOption


@dataclass(frozen=True)
class Tokens(Operator):
    """The ids of the tokens of each text; equal texts are cut once.

    Attributes:
        tokenizer: Tokenizer of the library `tokenizers`.
        options: What is done to a text before, in this order.
        longest: Texts of more characters are cut as they are; None if none are.
        stop_characters: Characters that `TEXT_FILTER` takes out; None for all that are neither
            letters, digits nor blanks.
        default: Text in place of a missing one; "" if it has no tokens.
    """

    tokenizer: Any
    options: tuple[int, ...]
    longest: int | None
    stop_characters: frozenset[str] | None
    default: str

    @property
    def output_type(self) -> pa.DataType:
        """Lists of integers."""
        return pa.large_list(pa.int64())

    def accepted_types(self, index: int) -> str:
        """Returns the accepted types, in words for a message."""
        return "strings, or other values that have one text"

    def accepts(self, index: int, column_type: pa.DataType) -> bool:
        """Whether values have a text."""
        return is_value(column_type)

    def apply(self, columns: Sequence[pa.Array]) -> pa.Array:
        """Returns the ids of the tokens of each row."""
        texts = canonical_texts(columns[0]).fill_null("")
        texts = pc.if_else(pc.equal(texts, ""), pa.scalar(self.default, texts.type), texts)
        encoded = texts.dictionary_encode()
        distinct = [self._normalized(text) for text in encoded.dictionary.to_pylist()]
        cut = self.tokenizer.encode_batch(distinct, add_special_tokens=False)
        own = [np.array(tokens.ids, np.int64) for tokens in cut]
        lengths = np.array([len(ids) for ids in own], np.int64)
        flat = np.concatenate([np.empty(0, np.int64), *own])
        rows = encoded.indices.to_numpy(zero_copy_only=False)
        counts = lengths[rows]
        begins = np.cumsum(lengths) - lengths
        within = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
        places = np.repeat(begins[rows], counts) + within
        return lists_of(pa.array(flat[places]), counts)

    def _normalized(self, text: str) -> str:
        if self.longest is not None and len(text) > self.longest:
            return text
        for option in self.options:
            if option == TextNormalizeOption.TEXT_FILTER:
                text = "".join(c for c in text if not self._is_special(c))
            else:
                text = _CHANGES[option](text)
        return text

    def _is_special(self, character: str) -> bool:
        if self.stop_characters is not None:
            return character in self.stop_characters
        return unicodedata.category(character)[0] not in "LNZM"


def _half_width(text: str) -> str:
    """Returns a text with full-width forms of ASCII characters as these."""
    return "".join(
        chr(ord(c) - 0xFEE0) if "\uff01" <= c <= "\uff5e" else " " if c == "\u3000" else c
        for c in text
    )


def _split(text: str) -> str:
    """Returns a text with blanks around Chinese characters."""
    parts = "".join(f" {c} " if "\u4e00" <= c <= "\u9fff" else c for c in text)
    return " ".join(parts.split())


_CHANGES: Mapping[int, Callable[[str], str]] = {
    TextNormalizeOption.TEXT_LOWER2UPPER: str.upper,
    TextNormalizeOption.TEXT_UPPER2LOWER: str.lower,
    TextNormalizeOption.TEXT_SBC2DBC: _half_width,
    TextNormalizeOption.TEXT_SPLITCHRS: _split,
    TextNormalizeOption.TEXT_REMOVE_SPACE: lambda text: "".join(text.split()),
}
