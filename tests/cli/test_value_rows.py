import re

from hypothesis import given
from hypothesis import strategies as st

from raymon.cli.value_rows import columns, row_lines, value_notes, values_text

NAMES = st.from_regex(r"[a-z_]{1,40}", fullmatch=True)
VALUES = st.dictionaries(NAMES, st.floats(-10, 10), max_size=8)


@given(VALUES, st.integers(40, 200))
def test_no_name_is_broken_and_none_is_parted_from_its_value(
    values: dict[str, float], width: int
) -> None:
    lines = row_lines("train", values_text(values), 16, width)
    shown = [pair for line in lines for pair in re.findall(r"([a-z_]+) (-?[0-9][^ ]*|-)", line)]
    assert [name for name, _ in shown if name != "train"] == list(values)
    # Only a text without a space to break at is longer than the terminal.
    assert all(len(line) <= width or len(line.split()) <= 3 for line in lines)


@given(VALUES)
def test_a_file_has_no_end_of_a_line(values: dict[str, float]) -> None:
    assert len(row_lines("train", values_text(values), 16, None)) == 1


def test_columns_stand_below_each_other() -> None:
    assert columns([("auc", "0.71234"), ("a_name_longer_than_24_columns", "-")]) == [
        "auc                            0.71234",
        "a_name_longer_than_24_columns        -",
    ]


def test_a_confidence_interval_stands_before_the_counts_of_its_metric() -> None:
    details = {"auc": {"ci_low": 0.709, "ci_high": 0.725}, "grouped_auc": {"groups": 3.0}}
    assert value_notes({"auc": 0.001}, details) == {
        "auc": " (±0.001) (95 %: 0.70900 to 0.72500)",
        "grouped_auc": " (3 groups)",
    }
