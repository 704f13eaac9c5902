"""The hooks that get the alerts of a run."""

from __future__ import annotations

import os

from raymon.errors import ConfigError
from raymon.protos.monitor_pb2 import MonitorConfig
from raymon.sinks.alert_hooks.command import AlertCommand
from raymon.sinks.alert_hooks.webhook import AlertWebhook
from raymon.sinks.background.background import BackgroundSink

WEBHOOK = "RAYMON_ALERT_WEBHOOK"
"""Environment variable with an address, which takes precedence over that of a config."""

_QUEUED = 100


def webhook_of_environment() -> str | None:
    """Returns the address that the environment names; None if it names none.

    Raises:
        ConfigError: It is no address of http or https; the text is without it, as it may be secret.
    """
    url = os.environ.get(WEBHOOK)
    if url and not url.lower().startswith(("http://", "https://")):
        raise ConfigError(f"{WEBHOOK}: is no address of http or https")
    return url or None


def make_alert_hooks(config: MonitorConfig, run: str) -> list[BackgroundSink]:
    """Returns what of the user's gets the alerts, each on a thread of its own.

    Args:
        config: Says which program and which address.
        run: Directory or URI that the run writes to.
    """
    hooks = []
    if config.alert_command:
        # Once: a program that failed may have done half of its work.
        command = AlertCommand(config.alert_command, run, config.alert_timeout_s)
        hooks.append(BackgroundSink(command, tries=1, queued=_QUEUED))
    if url := webhook_of_environment() or config.alert_webhook:
        webhook = AlertWebhook(url, run, config.alert_timeout_s)
        hooks.append(BackgroundSink(webhook, queued=_QUEUED))
    return hooks
