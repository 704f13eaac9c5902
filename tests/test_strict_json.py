import ast
import json
import math
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import raymon
from raymon.storage import numbers_of, to_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def strictly(text: str) -> Any:
    def refuse(word: str) -> None:
        raise ValueError(f"{word} is no JSON")

    return json.loads(text, parse_constant=refuse)


def with_null(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: with_null(entry) for key, entry in value.items()}
    return [with_null(entry) for entry in value] if isinstance(value, list) else value


@given(VALUES, st.sampled_from([None, 1, 2]))
def test_what_is_written_is_json_and_null_is_what_has_no_value(value: Any, indent: Any) -> None:
    text = to_json(value, indent=indent)
    assert strictly(text) == with_null(value)
    assert indent is not None or "\n" not in text


def test_numbers_are_read_as_they_were() -> None:
    read = numbers_of(strictly(to_json({"auc": math.nan, "loss": 0.1, "steps": 3})))
    assert math.isnan(read.pop("auc"))
    assert read == {"loss": 0.1, "steps": 3.0}


def test_all_json_of_raymon_is_written_by_one_writer() -> None:
    package = Path(raymon.__file__).parent
    writers = {
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "json"
        and node.attr in ("dump", "dumps", "JSONEncoder")
    }
    assert writers == {"strict_json.py"}
