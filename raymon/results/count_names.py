"""Names of what a run counts apart from its numbers: keys of `run.json`, and words for people."""

from __future__ import annotations

FILES_UNREADABLE = "files_unreadable"
ROWS_UNREADABLE = "rows_unreadable"
ROWS_LEFT_OVER = "rows_left_over"
ROWS_LEFT_OVER_AN_EPOCH = "rows_left_over_an_epoch"
IDS_OUT_OF_RANGE = "ids_out_of_range"
SAVES_FAILED = "saves_failed"
SAVES_LEFT_OUT = "saves_left_out"

_WORDS = {
    FILES_UNREADABLE: "files that cannot be read",
    ROWS_UNREADABLE: "rows that cannot be read",
    ROWS_LEFT_OVER: "rows that fill no batch",
    ROWS_LEFT_OVER_AN_EPOCH: "rows an epoch that fill no batch",
    IDS_OUT_OF_RANGE: "ids out of range",
    SAVES_FAILED: "saves that failed",
    SAVES_LEFT_OUT: "saves left out while another was written",
}


def of_feature(name: str, feature: str) -> str:
    """Returns the name of a count of one feature, such as `ids_out_of_range.item_id`."""
    return f"{name}.{feature}"


def in_words(name: str) -> str:
    """Returns a count's name in words, such as `ids out of range: item_id`."""
    base, _, feature = name.partition(".")
    words = _WORDS.get(base, base)
    return f"{words}: {feature}" if feature else words
