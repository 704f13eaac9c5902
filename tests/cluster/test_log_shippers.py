"""The files in `cluster/logging`: read as their programs read them, and true to raymon's lines."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml

from raymon.log import handlers_of_file
from tests.cluster.files import CLUSTER

LOGGING = CLUSTER / "logging"


@pytest.mark.parametrize("name", ["syslog.json", "http.json"])
def test_handlers_for_raymon_need_no_trust(name: str) -> None:
    ((_, handler),) = handlers_of_file(LOGGING / name, trusted=False)
    handler.close()


def test_a_program_reads_what_raymon_writes() -> None:
    everywhere = "/shared/runs/*/logs/*.log"
    (beat,) = yaml.safe_load((LOGGING / "filebeat.yml").read_text())["filebeat.inputs"]
    assert beat["paths"] == [everywhere]
    for name in ("rsyslog.conf", "loki.alloy"):
        assert f'"{everywhere}"' in (LOGGING / name).read_text()
    files = json.loads((LOGGING / "cloudwatch.json").read_text())["logs"]["logs_collected"]
    (one,) = files["files"]["collect_list"]
    # Else the agent sends the newest of the files alone.
    assert (one["file_path"], one["publish_multi_logs"]) == (everywhere, True)


def test_cloudwatch_takes_the_time_of_a_line() -> None:
    files: Any = json.loads((LOGGING / "cloudwatch.json").read_text())
    for one in files["logs"]["logs_collected"]["files"]["collect_list"]:
        read = datetime.strptime("2026-01-31T23:59:59.123", one["timestamp_format"])
        assert read.replace(tzinfo=UTC).isoformat() == "2026-01-31T23:59:59.123000+00:00"
