import io
import json
import logging

import pytest

from raymon.errors import ConfigError
from raymon.log import set_up_logging


@pytest.fixture(autouse=True)
def _restored():
    logger = logging.getLogger("raymon")
    before = logger.handlers, logger.level, logger.propagate
    yield
    logger.handlers, logger.level, logger.propagate = before


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
