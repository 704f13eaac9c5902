"""Checks that names of columns, features, groups and files in a config are not empty."""

from __future__ import annotations

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from raymon.config.source import Source

_OF_FILES = ("vocab_file",)
"""Optional fields that are names too; for others an empty text is the same as none."""

_HAVE_WORDS_OF_THEIR_OWN = ("vocab_list",)
"""Fields of names that other checks cover, with more exact messages."""


def check_given_names(message: Message, source: Source, path: str = "") -> None:
    """Checks that whatever must have a name in a message, and in the blocks in it, has one.

    These are required strings, and the items of lists of strings.

    Args:
        message: A config, or a block of it.
        source: Source of the config.
        path: Path of the block.

    Raises:
        ConfigError: A name is empty.
    """
    for field, value in message.ListFields():
        own = f"{path}.{field.name}" if path else field.name
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            continue
        values = [(f"{own}[{i}]", v) for i, v in enumerate(value)] if field.is_repeated else None
        for place, each in values or [(own, value)]:
            if isinstance(each, Message):
                check_given_names(each, source, place)
            elif each == "" and _is_name(field):
                raise source.error(place, "is empty; give a name")


def _is_name(field: FieldDescriptor) -> bool:
    if field.name in _HAVE_WORDS_OF_THEIR_OWN:
        return False
    return bool(field.is_required or field.is_repeated or field.name in _OF_FILES)
