"""Keys of overrides: the fields on the way to a value, and which items of a list are meant.

`feature_configs[0]`, also written `feature_configs.0`, is the first item, `feature_configs[-1]` the
last one; `feature_configs[1:3]` are the second and the third one, `feature_configs[:]` all.
`feature_configs[feature_name=x]` are those with this value; the field is looked for in the item,
and in the message of its oneof. There are also `>=`, `<=`, `>` and `<`, and fields of blocks, as in
`model_config.metrics[auc.thresholds>=100]`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from operator import eq, ge, gt, le, lt
from typing import Any, cast

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from raymon.config.scalars import parse_scalar

_QUOTED = r'"[^"]*"|\'[^\']*\''
_SELECTOR = rf"\[(?:[^\[\]\"']|{_QUOTED})*\]"
_PART = re.compile(rf"({_SELECTOR})|([^.\[\]]+|[\[\]])")
_END = re.compile(rf"(?:{_SELECTOR}|[^=])*")
_SLICE = re.compile(r"\s*(-?\d*)\s*:\s*(-?\d*)\s*")
_CONDITION = re.compile(r"\s*([\w.]+)\s*(>=|<=|==|=|>|<)(.*)", re.DOTALL)

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": eq, "==": eq, ">=": ge, "<=": le, ">": gt, "<": lt,
}  # fmt: skip


def split_override(text: str) -> tuple[str, str | None]:
    """Returns the key and the value of `KEY=VALUE`; the value is None if there is none."""
    found = _END.match(text)
    assert found is not None, "it matches the empty text"
    key, rest = text[: found.end()], text[found.end() :]
    return key, rest[1:] if rest else None


def parts_of(key: str) -> list[str]:
    """Returns the parts of a key: names, and selectors without their brackets."""
    return [selector[1:-1] if selector else name.strip() for selector, name in _PART.findall(key)]


def selected(
    items: Sequence[Any],
    field: FieldDescriptor,
    selector: str,
    inner: Sequence[str] = (),
    refused: Mapping[int, Mapping[str, str]] | None = None,
) -> list[int]:
    """Returns the indices of the items of a list that a selector means, at least one.

    Where a field of one kind of items is set, such as `id_feature.embedding_dim`, a range or a
    condition means those of this kind alone.

    Args:
        items: Items of the list.
        field: Field of the list.
        selector: An index, a range, or a condition on a field of the items.
        inner: Names on the way from an item to the field that is set.
        refused: Scalars of items that hold what raymon does not have yet, by index.

    Raises:
        ValueError: It means none; the message says why, and what would be right.
    """
    count = len(items)
    there = f"has items 0 to {count - 1}" if items else "is empty"
    if re.fullmatch(r"-?\d+", selector):
        index = int(selector) + (count if selector.startswith("-") else 0)
        if not 0 <= index < count:
            raise ValueError(f"has no item {selector}; it {there}, and += appends")
        return [index]
    between = _SLICE.fullmatch(selector)
    if between is not None:
        begin, end = (int(text) if text.strip("-") else None for text in between.groups())
        fits = list(range(count))[begin:end]
        return _of_kind(fits, items, inner, f"items [{selector}]; it {there}")
    condition = _CONDITION.fullmatch(selector)
    if condition is None or field.message_type is None:
        raise ValueError(
            f"has no item {selector}; it {there}: write [0], [1:3], [:], or [FIELD=VALUE] for "
            "items that are blocks"
        )
    name, comparison, value = condition.groups()
    holds = _COMPARISONS[comparison]
    value = value.strip()
    if re.fullmatch(_QUOTED, value):
        value = value[1:-1]
    texts = {} if refused is None or holds is not eq else refused
    fits = [
        i
        for i, item in enumerate(items)
        if _fits(item, name.split("."), holds, value) or texts.get(i, {}).get(name) == value
    ]
    return _of_kind(fits, items, inner, f"item with {selector.strip()}; it {there}")


def _of_kind(fits: list[int], items: Sequence[Any], inner: Sequence[str], what: str) -> list[int]:
    if not fits:
        raise ValueError(f"has no {what}")
    if len(inner) < 2 or not isinstance(items[0], Message):
        return fits
    field = items[0].DESCRIPTOR.fields_by_name.get(inner[0])
    oneof = None if field is None else field.containing_oneof
    if oneof is None:
        return fits
    of_kind = [i for i in fits if items[i].WhichOneof(oneof.name) == inner[0]]
    if not of_kind:
        raise ValueError(f"has no {inner[0]} among these items")
    return of_kind


def _fits(item: Message, names: list[str], holds: Callable[[Any, Any], bool], text: str) -> bool:
    """Whether a field of an item, or of the message of its oneof, compares as it should."""
    for message in (item, *_inner(item)):
        field = cast(FieldDescriptor | None, message.DESCRIPTOR.fields_by_name.get(names[0]))
        if field is None or field.is_repeated:
            continue
        if len(names) > 1:
            inner = field.message_type is not None and message.HasField(names[0])
            return inner and _fits(getattr(message, names[0]), names[1:], holds, text)
        if field.message_type is not None:
            continue
        return holds(getattr(message, names[0]), parse_scalar(field, text))
    return False


def _inner(item: Message) -> list[Message]:
    chosen = (item.WhichOneof(oneof.name) for oneof in item.DESCRIPTOR.oneofs)
    values = [getattr(item, name) for name in chosen if name is not None]
    return [value for value in values if isinstance(value, Message)]
