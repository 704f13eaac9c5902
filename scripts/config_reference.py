"""The reference of config fields, as a page made from protos/raymon and its comments."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from raymon.protos import pipeline_pb2, tune_pb2

SCHEMAS = Path(__file__).parents[1] / "protos" / "raymon"

_BLOCK = re.compile(r"(message|enum|oneof) (\w+) \{(\s*\})?")
_FIELD = re.compile(r"(?:(?:optional|required|repeated) )?[\w.<>, ]* ?\b(\w+) = -?\d+")

_TYPES = {
    FieldDescriptor.TYPE_BOOL: "true or false",
    FieldDescriptor.TYPE_DOUBLE: "number",
    FieldDescriptor.TYPE_FLOAT: "number",
    FieldDescriptor.TYPE_INT32: "integer",
    FieldDescriptor.TYPE_INT64: "integer",
    FieldDescriptor.TYPE_STRING: "text",
    FieldDescriptor.TYPE_UINT32: "integer from 0",
    FieldDescriptor.TYPE_UINT64: "integer from 0",
}


@dataclass
class Comments:
    """The comments of the schemas.

    Attributes:
        blocks: Comments of messages and enums, by `Name`, or `Outer.Name` within a message.
        members: Comments of fields and of values of enums, by that and `.member`.
    """

    blocks: dict[str, str] = field(default_factory=dict)
    members: dict[str, str] = field(default_factory=dict)


def read_comments(folder: Path = SCHEMAS) -> Comments:
    """Returns the comments in the schemas of a folder; a comment belongs to the line below it."""
    comments = Comments()
    for path in sorted(folder.glob("*.proto")):
        _read(path.read_text(encoding="utf-8"), comments)
    return comments


def page(comments: Comments) -> str:
    """Returns a page of Markdown with every message of a pipeline config, and of a space."""
    lines = [
        "# Every field of a config",
        "",
        "A pipeline config is a `PipelineConfig` as protobuf text. A field without a default is",
        "empty, 0 or not there unless it is set; what that means is said with it. Any of them can",
        "be set by `--set`, as in `--set train_config.num_steps=100`.",
        "",
    ]
    lines += _messages(pipeline_pb2.DESCRIPTOR.message_types_by_name["PipelineConfig"], comments)
    lines += ["## The space of a sweep", "", "What `raymon tune` takes beside a config.", ""]
    lines += _messages(tune_pb2.DESCRIPTOR.message_types_by_name["TuneConfig"], comments)
    return "\n".join(lines)


def _messages(root: Descriptor, comments: Comments) -> Iterator[str]:
    for message in _reachable(root):
        yield from (f"## {message.name}", "")
        if about := comments.blocks.get(_key(message)):
            yield from (about, "")
        yield from _table(message, comments)


def _read(text: str, comments: Comments) -> None:
    open_blocks: list[tuple[str, str]] = []
    said: list[str] = []
    for line in map(str.strip, text.splitlines()):
        if line.startswith("//"):
            said.append(line.removeprefix("//").strip())
            continue
        comment, said = " ".join(said), []
        if found := _BLOCK.match(line):
            kind, name, ends = found.groups()
            if comment and kind != "oneof":
                comments.blocks[_path(open_blocks, name)] = comment
            if not ends:
                open_blocks.append((kind, name))
        elif line == "}":
            open_blocks.pop()
        elif open_blocks and (member := _FIELD.match(line)):
            comments.members[_path(open_blocks, member.group(1))] = comment


def _path(open_blocks: Sequence[tuple[str, str]], name: str) -> str:
    return ".".join([*(block for kind, block in open_blocks if kind != "oneof"), name])


def _key(block: Descriptor | EnumDescriptor) -> str:
    return str(block.full_name).removeprefix("raymon.protos.")


def _reachable(root: Descriptor) -> Iterator[Descriptor]:
    """Yields the messages that are used, once each, near where they are used first."""
    waiting, seen = [root], {root.full_name}
    while waiting:
        message = waiting.pop(0)
        yield message
        inner = []
        for one in message.fields:
            below = one.message_type
            if below is None or below.GetOptions().map_entry or below.full_name in seen:
                continue
            if not _is_ours(below):
                continue
            seen.add(below.full_name)
            inner.append(below)
        waiting = inner + waiting


def _table(message: Descriptor, comments: Comments) -> Iterator[str]:
    if not message.fields:
        yield from ("It has no fields.", "")
        return
    yield from ("| field | type | default | what it is |", "|---|---|---|---|")
    for one in message.fields:
        about = comments.members.get(f"{_key(message)}.{one.name}", "")
        if one.enum_type is not None:
            about = " ".join(filter(None, (about, _values(one.enum_type, comments))))
        if not about and one.message_type is not None:
            about = comments.blocks.get(_key(one.message_type), "")
        cells = (f"`{one.name}`", _type(one), _default(one), _cell(about))
        yield f"| {' | '.join(cells)} |"
    yield ""


def _type(one: FieldDescriptor) -> str:
    below = one.message_type
    if below is not None and below.GetOptions().map_entry:
        key, value = (_TYPES.get(f.type, f.type) for f in below.fields)
        return f"map from {key} to {value}"
    if below is not None and not _is_ours(below):
        name = f"`{below.full_name}`"
    elif below is not None:
        name = f"[{below.name}](#{below.name.lower()})"
    elif one.enum_type is not None:
        name = " or ".join(f"`{value.name}`" for value in one.enum_type.values)
    else:
        name = _TYPES[one.type]
    choice = one.containing_oneof
    if choice is not None:
        return f"{name}; one {choice.name} of several"
    return f"{name}, any number" if one.is_repeated else name


def _is_ours(message: Descriptor) -> bool:
    """Whether a message is described by the schemas of raymon, and not by those of protobuf."""
    return bool(message.full_name.startswith("raymon."))


def _default(one: FieldDescriptor) -> str:
    if one.is_required:
        return "must be given"
    if not one.has_default_value:
        return ""
    value = one.default_value
    if one.enum_type is not None:
        return f"`{one.enum_type.values_by_number[value].name}`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, str):
        return f'`"{value}"`' if value.isprintable() else f"`{value!a}`"
    return f"`{value:g}`" if isinstance(value, float) and math.isfinite(value) else f"`{value}`"


def _values(enum: EnumDescriptor, comments: Comments) -> str:
    said = ((v.name, comments.members.get(f"{_key(enum)}.{v.name}")) for v in enum.values)
    texts = [f"`{name}`: {text}" for name, text in said if text]
    return " ".join(filter(None, (comments.blocks.get(_key(enum)), *texts)))


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")
