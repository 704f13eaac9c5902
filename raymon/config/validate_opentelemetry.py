"""Checks of where a run is sent by OTLP, in a config."""

from __future__ import annotations

from urllib.parse import urlsplit

from raymon.config.rules import Rules

_PROTOCOLS = ("http/protobuf", "grpc")
_LONGEST_S = 10.0


def validate_opentelemetry(rules: Rules) -> None:
    """Checks `monitor_config.opentelemetry`.

    Args:
        rules: The rules for its fields.

    Raises:
        ConfigError: Something is wrong.
    """
    rules.positive("timeout_s")
    if rules.has("protocol"):
        rules.one_of("protocol", _PROTOCOLS)
    if rules.has("endpoint"):
        _validate_endpoint(rules)
    interval_s = rules.value("export_interval_s")
    rules.require(
        0 <= interval_s <= _LONGEST_S,
        "export_interval_s",
        f"is {interval_s:g}; must be from 0 to {_LONGEST_S:g}",
    )
    rules.warn(
        rules.has("window_spans") and not rules.value("traces"), "window_spans", "traces is false"
    )
    rules.require(
        rules.value("metrics") or rules.value("traces"),
        "",
        "sends neither metrics nor traces; leave the block out",
    )


def _validate_endpoint(rules: Rules) -> None:
    try:
        url = urlsplit(rules.value("endpoint"))
        is_url = url.scheme in ("http", "https") and bool(url.hostname) and (url.port or 1) > 0
        has_secret = url.username is not None
    except ValueError:
        is_url = has_secret = False
    rules.require(
        is_url,
        "endpoint",
        "is no address of http or https; give one such as http://localhost:4318",
    )
    rules.require(
        not has_secret,
        "endpoint",
        "has credentials, which would be in pipeline.config; set OTEL_EXPORTER_OTLP_HEADERS",
    )
