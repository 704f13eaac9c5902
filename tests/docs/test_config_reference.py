"""The page of all config fields is made from the schemas."""

import itertools
import re

from raymon.protos import pipeline_pb2
from scripts.config_reference import SCHEMAS, page, read_comments

PAGE = page(read_comments())


def test_every_field_of_every_message_is_in_it() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", PAGE, re.M)
    waiting, seen = [pipeline_pb2.PipelineConfig.DESCRIPTOR], set()
    while waiting:
        message = waiting.pop()
        if message.full_name in seen or message.GetOptions().map_entry:
            continue
        if not message.full_name.startswith("raymon."):
            continue
        seen.add(message.full_name)
        assert f"\n## {message.name}\n" in PAGE
        assert {field.name for field in message.fields} <= set(rows)
        waiting += [field.message_type for field in message.fields if field.message_type]


def test_a_field_has_its_type_its_default_and_its_comment() -> None:
    assert (
        "| `log_step_count_steps` | integer from 0 | `100` | Number of steps that a progress line "
        "and a point on the curves cover; windows end there. |" in PAGE
    )
    assert '| `separator` | text | `"\\x1d"` |' in PAGE.replace("'\\x1d'", '"\\x1d"')


def test_every_field_says_what_it_does() -> None:
    for row in re.findall(r"^\| `\w+` \|.*$", PAGE, re.M):
        assert not row.endswith("|  |"), row
    for message in re.findall(r"^## (\w+)\n\n(.)", PAGE, re.M):
        assert message[1] != "|", message[0]


def test_no_comment_of_a_field_is_left_out() -> None:
    comments = read_comments()
    fields = 0
    for schema in SCHEMAS.glob("*.proto"):
        if schema.name == "report.proto":
            continue
        lines = schema.read_text().splitlines()
        for above, line in itertools.pairwise(lines):
            found = re.search(r"^\s+[^\[]*\b(\w+) = \d+( \[.*)?;", line)
            if found and above.strip().startswith("//"):
                fields += 1
                last = above.strip().removeprefix("//").strip()
                name = found.group(1)
                said = [c for key, c in comments.members.items() if key.endswith(f".{name}")]
                assert any(last in comment for comment in said), name
    assert fields > 100
