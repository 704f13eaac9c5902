"""Checks of where the alerts of a run go."""

from __future__ import annotations

from urllib.parse import urlsplit

from raymon.config.rules import Rules
from raymon.protos.monitor_pb2 import MonitorConfig


def validate_alerts(config: MonitorConfig, rules: Rules) -> None:
    """Checks where the alerts of a run go, apart from whether that is allowed."""
    rules.positive("alert_timeout_s")
    command = config.alert_command
    rules.require(
        not command or bool(command[0]), "alert_command", "is empty; give a program and arguments"
    )
    try:
        url = urlsplit(config.alert_webhook)
        is_url = url.scheme in ("http", "https") and bool(url.hostname)
        has_secret = url.username is not None
    except ValueError:
        is_url = has_secret = False
    rules.require(
        is_url or not config.alert_webhook,
        "alert_webhook",
        "is no address of http or https; give one such as https://host/path",
    )
    rules.require(
        not has_secret,
        "alert_webhook",
        "has credentials, which would be in pipeline.config; set RAYMON_ALERT_WEBHOOK to it",
    )
