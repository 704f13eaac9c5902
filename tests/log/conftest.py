"""The logger of raymon as a program has it that has set up nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from raymon.log import choose_format, choose_level, log_context, set_log_context


@pytest.fixture(autouse=True)
def _restored(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for variable in ("RAYMON_LOG_LEVEL", "RAYMON_LOG_FORMAT"):
        monkeypatch.delenv(variable, raising=False)
    logger = logging.getLogger("raymon")
    before = logger.handlers, logger.level, logger.propagate
    logger.handlers, logger.propagate = [], False
    yield
    logger.handlers, logger.level, logger.propagate = before
    choose_level(None)
    choose_format(None)
    set_log_context(**dict.fromkeys(log_context()))
