"""Log lines as JSON objects whose numbers are fields."""

from __future__ import annotations

import time
from typing import Any

from pythonjsonlogger.json import JsonFormatter as PlainJsonFormatter

from raymon.log.context import log_context
from raymon.strict_json import to_json

_FIELDS = "%(asctime)s %(levelname)s %(name)s %(message)s"


class JsonFormatter(PlainJsonFormatter):
    """Formats a record as one JSON object in a line.

    It has `time` (UTC, RFC 3339), `level`, the context of the process (`set_log_context`), the
    fields of the record (`extra`), `logger` and `message`. A number that has no value is null.

    Args:
        fmt: Format, of which the names of the fields are taken; None for those above.
        datefmt: Not used; the time is always the same.
        style: Style of `fmt`.
        validate: Whether `fmt` is checked.
    """

    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def __init__(
        self,
        fmt: str | None = None,
        datefmt: str | None = None,
        style: str = "%",
        validate: bool = True,
    ) -> None:
        super().__init__(
            fmt or _FIELDS,
            None,
            style,
            validate,
            rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
        )
        self.converter = time.gmtime

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        """Returns the fields of a line in their order: when and who, then what."""
        first: dict[str, Any] = {
            name: log_data.pop(name) for name in ("time", "level") if name in log_data
        }
        last: dict[str, Any] = {
            name: log_data.pop(name) for name in ("logger", "message") if name in log_data
        }
        return {**first, **log_context(), **log_data, **last}

    def jsonify_log_record(self, log_data: dict[str, Any]) -> str:
        """Returns the line."""
        try:
            return to_json(log_data)
        except (TypeError, ValueError):
            # Somebody's field is no JSON.
            return to_json({name: _plain(value) for name, value in log_data.items()})


def _plain(value: Any) -> Any:
    try:
        to_json(value)
    except (TypeError, ValueError):
        return str(value)
    return value
