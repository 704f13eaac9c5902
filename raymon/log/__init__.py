"""The log lines of raymon: Python's logging under the name `raymon`."""

from raymon.log.context import log_context, set_log_context
from raymon.log.handler_file import check_handler_file, handlers_of_file
from raymon.log.json_formatter import JsonFormatter
from raymon.log.levels import (
    FORMATS,
    LEVELS,
    choose_format,
    choose_level,
    chosen_options,
    file_level,
    format_of,
    level_of,
)
from raymon.log.process_log import LogFiles, ProcessLog, log_to_files
from raymon.log.set_up import (
    CLOCK,
    LINE,
    formatter_of,
    is_set_up_by_others,
    set_up_logging,
    use_level,
)

__all__ = [
    "CLOCK",
    "FORMATS",
    "LEVELS",
    "LINE",
    "JsonFormatter",
    "LogFiles",
    "ProcessLog",
    "check_handler_file",
    "choose_format",
    "choose_level",
    "chosen_options",
    "file_level",
    "format_of",
    "formatter_of",
    "handlers_of_file",
    "is_set_up_by_others",
    "level_of",
    "log_context",
    "log_to_files",
    "set_log_context",
    "set_up_logging",
    "use_level",
]
