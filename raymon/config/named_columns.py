"""The fields of a feature that name the columns it is made from."""

from __future__ import annotations

_OF_KINDS = {
    "lookup_feature": ("map", "key"),
    "match_feature": ("nested_map", "pkey", "skey"),
    "expr_feature": ("variables",),
    "overlap_feature": ("query", "title"),
    "kv_dot_product": ("query", "document"),
}


def column_fields(kind: str) -> tuple[str, ...]:
    """Returns the names of the fields, by the name of the block of a feature."""
    return _OF_KINDS.get(kind, ("expression",))
