"""Features of the tokens of texts, from their blocks."""

from __future__ import annotations

from typing import Any

from raymon.data.features.building.context import Context
from raymon.data.features.building.encoded import encoded_ids
from raymon.data.features.building.made import made_feature
from raymon.data.features.embedding_spec import embedding_spec
from raymon.data.features.feature import Feature
from raymon.data.features.id_feature import IdFeature
from raymon.data.features.operators.tokens import Tokens
from raymon.errors import ConfigError, UserError, os_reason, reason
from raymon.protos import feature_pb2
from raymon.protos.feature_pb2 import TextNormalizeOption
from raymon.storage import storage_path

_OPTIONS = (
    TextNormalizeOption.TEXT_LOWER2UPPER,
    TextNormalizeOption.TEXT_SBC2DBC,
    TextNormalizeOption.TEXT_FILTER,
)
"""What is done to a text if a text_normalizer does not say."""


def build_tokenize_feature(config: feature_pb2.TokenizeFeature, context: Context) -> Feature:
    """Returns the feature of a `tokenize_feature`.

    Raises:
        ConfigError: A field is wrong, or the library is missing.
    """
    place, name = context.place, context.name(config.feature_name)
    if config.tokenizer_type != "bpe":
        raise ConfigError(
            f'{place}.tokenizer_type: raymon does not have "{config.tokenizer_type}" yet; give a '
            "tokenizer.json, and bpe"
        )
    tokenizer = _tokenizer(config.vocab_file, place)
    rows = tokenizer.get_vocab_size()
    embedding = embedding_spec(config, place, rows, context.constraints)
    if context.encoding is not None:
        return encoded_ids(config, embedding, context)
    options: tuple[int, ...] = ()
    longest, stop = None, None
    if config.HasField("text_normalizer"):
        normalizer = config.text_normalizer
        options = tuple(normalizer.norm_options) or _OPTIONS
        longest = normalizer.max_length if normalizer.HasField("max_length") else None
        if normalizer.HasField("stop_char_file"):
            at = f"{place}.text_normalizer.stop_char_file"
            stop = frozenset("".join(_text(normalizer.stop_char_file, at).splitlines()))
    operator = Tokens(tokenizer, options, longest, stop, config.default_value)
    end = IdFeature(name=name, columns=(name,), value_dim=0, embedding=embedding, num_buckets=rows)
    columns = (context.column(config.expression),)
    return made_feature(context, config, operator, columns, end)


def _tokenizer(path: str, place: str) -> Any:
    try:
        from tokenizers import Tokenizer
    except ImportError:
        raise ConfigError(
            f'{place}: needs the library tokenizers; install it with pip install "raymon[tokenize]"'
        ) from None
    text = _text(path, f"{place}.vocab_file")
    try:
        return Tokenizer.from_str(text)
    except Exception as error:  # the library raises plain exceptions
        raise ConfigError(
            f"{place}.vocab_file: {path} is no tokenizer.json: {reason(error)}"
        ) from None


def _text(path: str, place: str) -> str:
    try:
        return storage_path(path).read_bytes().decode()
    except OSError as error:
        raise ConfigError(f"{place}: {path} cannot be read: {os_reason(error)}") from None
    except UserError as error:
        raise ConfigError(f"{place}: {error}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{place}: {path} is not UTF-8: {error.reason}") from None
