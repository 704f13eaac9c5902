"""Where a run is sent, by its config and the environment variables of OpenTelemetry."""

from __future__ import annotations

from pathlib import Path

import pytest

from raymon.errors import ConfigError
from raymon.sinks import OpenTelemetry
from raymon.sinks.opentelemetry.destination import GRPC, HTTP, find_destination
from tests.sinks.opentelemetry.collector import Collector
from tests.sinks.snapshots import snapshot


@pytest.mark.parametrize(
    ("endpoint", "protocol", "environment", "url"),
    [
        (None, None, {}, "http://localhost:4318/v1/metrics"),
        (None, GRPC, {}, "http://localhost:4317"),
        ("https://host/otlp/", None, {}, "https://host/otlp/v1/metrics"),
        (None, None, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://e:1"}, "http://e:1/v1/metrics"),
        (
            "http://given",
            None,
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://e:1"},
            "http://given/v1/metrics",
        ),
        (None, None, {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://e:1/in"}, "http://e:1/in"),
        (
            None,
            None,
            {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://e"},
            "http://localhost:4318/v1/metrics",
        ),
        (None, None, {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "http://localhost:4317"),
        (None, GRPC, {"OTEL_EXPORTER_OTLP_ENDPOINT": "e:4317"}, "https://e:4317"),
        (
            None,
            GRPC,
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "e:1", "OTEL_EXPORTER_OTLP_INSECURE": "true"},
            "http://e:1",
        ),
    ],
)
def test_a_signal_goes_where_the_config_the_environment_or_the_standard_says(
    endpoint: str | None, protocol: str | None, environment: dict[str, str], url: str
) -> None:
    assert find_destination("metrics", endpoint, protocol, 1.0, environment).url == url


def test_headers_are_decoded_and_those_of_a_signal_go_first() -> None:
    environment = {
        "OTEL_EXPORTER_OTLP_HEADERS": "api-key=a%3Db, X-Tenant = 7,",
        "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "api-key=other",
        "OTEL_EXPORTER_OTLP_CERTIFICATE": "/ca.pem",
        "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": "/me.pem",
        "OTEL_EXPORTER_OTLP_CLIENT_KEY": "/key.pem",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
    }
    found = find_destination("metrics", None, None, 1.0, environment)
    assert found.headers == {"api-key": "a=b", "x-tenant": "7"}
    assert (found.ca_path, found.compressed, found.protocol) == ("/ca.pem", True, HTTP)
    assert (found.certificate_path, found.key_path) == ("/me.pem", "/key.pem")
    assert find_destination("traces", None, None, 1.0, environment).headers == {"api-key": "other"}


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ENDPOINT", "ftp://secret", "no address of http or https"),
        ("ENDPOINT", "http://user:secret@host", "has credentials"),
        ("ENDPOINT", "http://secret:99999", "no address of http or https"),
        ("PROTOCOL", "secret", "must be one of http/protobuf, grpc"),
        ("HEADERS", "a=b,secret", "entry 2 is no key=value"),
        ("HEADERS", "a=secret%0d%0ax", "entry 1 is no key=value"),
    ],
)
def test_a_wrong_variable_is_an_error_of_one_line_without_its_value(
    name: str, value: str, said: str
) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        find_destination("metrics", None, None, 1.0, {f"OTEL_EXPORTER_OTLP_{name}": value})
    assert str(caught.value).startswith(f"OTEL_EXPORTER_OTLP_{name}: ")
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_resource_is_the_run_and_what_the_environment_and_the_config_add(
    collector: Collector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "team=ads%20x,tier=1,service.name=other")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "clicks")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
    sink = OpenTelemetry(tmp_path, endpoint=collector.url, resource_attributes={"tier": "2"})
    sink.write(snapshot(10))
    sink.close()
    found = collector.resource()
    assert (found["service.name"], found["team"], found["tier"]) == ("clicks", "ads x", "2")
    assert found["raymon.model_dir"] == str(tmp_path)
    assert found["service.instance.id"].startswith(tmp_path.name)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("raymon.sinks.opentelemetry.opentelemetry.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'raymon\[opentelemetry\]'"):
        OpenTelemetry()
