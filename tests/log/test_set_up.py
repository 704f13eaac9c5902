import io
import json
import logging
import math
import re

import pytest

from raymon.errors import ConfigError
from raymon.log import choose_format, choose_level, set_log_context, set_up_logging


def said(level: str, log_format: str) -> list[str]:
    stream = io.StringIO()
    set_up_logging(level, log_format, stream=stream)
    logger = logging.getLogger("raymon")
    logger.debug("quiet")
    logger.info("plain %d", 7)
    logger.warning("loud")
    return stream.getvalue().splitlines()


def test_info_is_the_level_that_people_see() -> None:
    assert [line.split(" ", 1)[1] for line in said("INFO", "text")] == [
        "INFO plain 7",
        "WARNING loud",
    ]


def test_a_json_line_has_time_level_and_message() -> None:
    first, second = (json.loads(line) for line in said("INFO", "json"))
    assert (first["level"], first["message"], second["level"]) == ("INFO", "plain 7", "WARNING")
    assert first["time"]


def test_the_environment_goes_before_the_config(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAYMON_LOG_LEVEL", "WARNING")
    monkeypatch.setenv("RAYMON_LOG_FORMAT", "json")
    (line,) = said("DEBUG", "text")
    assert json.loads(line)["message"] == "loud"


def test_a_level_that_is_not_known_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAYMON_LOG_LEVEL", "LOUD")
    with pytest.raises(ConfigError, match="RAYMON_LOG_LEVEL=LOUD: not known; use one of DEBUG"):
        set_up_logging()


def test_the_command_line_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAYMON_LOG_LEVEL", "WARNING")
    monkeypatch.setenv("RAYMON_LOG_FORMAT", "text")
    choose_level("DEBUG")
    choose_format("json")
    assert [json.loads(line)["message"] for line in said("ERROR", "text")] == [
        "quiet",
        "plain 7",
        "loud",
    ]


def line_of(value: object) -> dict[str, object]:
    stream = io.StringIO()
    set_up_logging("INFO", "json", stream=stream)
    logging.getLogger("raymon").info("%s", "so it goes", extra={"field": value})
    return json.loads(stream.getvalue(), parse_constant=lambda word: pytest.fail(word))


@pytest.mark.parametrize(
    ("value", "read"),
    [(0.25, 0.25), ({"auc": math.nan}, {"auc": None}), (math.inf, None), ([1, 2], [1, 2])],
)
def test_every_number_is_a_field_and_one_without_a_value_is_null(
    value: object, read: object
) -> None:
    line = line_of(value)
    assert line["field"] == read
    assert line["message"] == "so it goes"


def test_what_is_no_json_is_text_and_spoils_no_line() -> None:
    assert line_of({1})["field"] == "{1}"


def test_a_line_says_when_by_whom_and_where() -> None:
    set_log_context(run="runs/click", rank=3, attempt=2)
    line = line_of(1)
    assert list(line)[:5] == ["time", "level", "run", "rank", "attempt"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", str(line["time"]))
    set_log_context(rank=None)
    assert "rank" not in line_of(1)
