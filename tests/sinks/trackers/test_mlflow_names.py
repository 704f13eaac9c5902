import posixpath
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from raymon.sinks.trackers.mlflow_names import given_name, taken_name

TAKEN = re.compile(r"[\w\-. :/]+", re.ASCII)
"""What MLflow 3 says that a name may have: alphanumerics, _ - . space : and /."""


@settings(max_examples=40, deadline=None)
@given(st.text(min_size=1, max_size=30))
def test_mlflow_takes_each_name_and_the_tag_can_be_read_from_it(tag: str) -> None:
    name = taken_name(tag)
    assert TAKEN.fullmatch(name)
    assert posixpath.normpath(name) == name
    assert not name.startswith(("/", ".."))
    assert given_name(name) == tag


def test_the_tags_of_tensorboard_stay_as_they_are() -> None:
    for tag in ("loss/total", "lr/g0", "metric/auc", "eval_val/metric/auc", "phase/forward"):
        assert taken_name(tag) == tag
    assert taken_name("metric/recall@5") == "metric/recall:40:5"


def test_a_name_that_is_too_long_ends_with_its_checksum() -> None:
    one, other = (taken_name("x" * 300 + end) for end in "ab")
    assert len(one) == 250
    assert one != other
