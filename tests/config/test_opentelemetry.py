"""`monitor_config.opentelemetry`, in a config."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from raymon.config import load
from raymon.errors import ConfigError
from raymon.sinks import OpenTelemetry, opentelemetry_of
from tests.config.texts import write

_BLOCK = "monitor_config.opentelemetry"


def test_nothing_is_sent_without_the_block_and_an_empty_one_is_enough(tmp_path: Path) -> None:
    assert opentelemetry_of(load(write(tmp_path)).monitor_config, str(tmp_path)) == []
    for block in ("{}", "{metrics: false resource_attributes {key: 'a' value: 'b'}}"):
        config = load(write(tmp_path), [f"{_BLOCK}={block}"])
        (sink,) = opentelemetry_of(config.monitor_config, str(tmp_path))
        assert isinstance(sink, OpenTelemetry)


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("endpoint=localhost", f"{_BLOCK}.endpoint: is no address of http or https"),
        ("endpoint=http://me:s3cret@host", f"{_BLOCK}.endpoint: has credentials"),
        ("protocol=http/json", f'{_BLOCK}.protocol: is "http/json"; must be one of'),
        ("export_interval_s=60", f"{_BLOCK}.export_interval_s: is 60; must be from 0 to 10"),
        ("timeout_s=0", f"{_BLOCK}.timeout_s"),
    ],
)
def test_a_wrong_field_is_refused(tmp_path: Path, override: str, said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)):
        load(write(tmp_path), [f"{_BLOCK}.{override}"])


def test_a_block_that_sends_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="sends neither metrics nor traces"):
        load(write(tmp_path), [f"{_BLOCK}={{metrics: false traces: false}}"])
