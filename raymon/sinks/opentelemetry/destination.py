"""Where a signal goes, by the settings of a run and the environment variables of OpenTelemetry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import SplitResult, unquote, urlsplit

from raymon.errors import ConfigError

HTTP, GRPC = "http/protobuf", "grpc"

PROTOCOLS = (HTTP, GRPC)
"""How OTLP is spoken."""

Signal = Literal["metrics", "traces"]

_DEFAULT = {HTTP: "http://localhost:4318", GRPC: "http://localhost:4317"}
_PREFIX = "OTEL_EXPORTER_OTLP"


@dataclass(frozen=True)
class Destination:
    """Where one signal goes.

    Attributes:
        signal: The signal.
        protocol: How OTLP is spoken, one of `PROTOCOLS`.
        url: Address, without credentials; with HTTP the one that is posted to.
        timeout_s: Seconds that an answer may take.
        headers: Headers, or metadata of gRPC, which may be secret.
        compressed: Whether messages are compressed by gzip.
        ca_path: File with the certificates of those who may sign the collector's; None for those
            that this machine trusts.
        certificate_path: File with the certificate that is shown to the collector; None for none.
        key_path: File with the key of that certificate.
    """

    signal: Signal
    protocol: str
    url: str
    timeout_s: float
    headers: Mapping[str, str] = field(repr=False)
    compressed: bool = False
    ca_path: str | None = None
    certificate_path: str | None = None
    key_path: str | None = None

    @property
    def shown(self) -> str:
        """The address as it is shown, without what may be secret in it."""
        port = f":{self.parts.port}" if self.parts.port else ""
        return f"{self.parts.scheme}://{self.parts.hostname}{port}"

    @property
    def parts(self) -> SplitResult:
        """The parts of the address."""
        return urlsplit(self.url)


def find_destination(
    signal: Signal,
    endpoint: str | None,
    protocol: str | None,
    timeout_s: float,
    environment: Mapping[str, str],
) -> Destination:
    """Returns where a signal goes.

    What is given here goes before the environment, where variables of the signal go before those
    of all signals.

    Args:
        signal: The signal.
        endpoint: Address of the collector; with HTTP `/v1/{signal}` is added to it.
        protocol: One of `PROTOCOLS`.
        timeout_s: Seconds that an answer may take.
        environment: Environment variables.

    Raises:
        ConfigError: A variable is wrong; the text is without its value, which may be secret.
    """

    def find(name: str) -> tuple[str, str]:
        own = f"{_PREFIX}_{signal.upper()}_{name}"
        return (own, environment[own]) if environment.get(own) else _shared(name)

    def _shared(name: str) -> tuple[str, str]:
        return f"{_PREFIX}_{name}", environment.get(f"{_PREFIX}_{name}", "")

    named, spoken = ("protocol", protocol) if protocol else find("PROTOCOL")
    spoken = spoken or HTTP
    if spoken not in PROTOCOLS:
        raise ConfigError(f"{named}: must be one of {', '.join(PROTOCOLS)}")
    named, url = ("endpoint", endpoint) if endpoint else find("ENDPOINT")
    url = url or _DEFAULT[spoken]
    if spoken == GRPC and "://" not in url:
        insecure = find("INSECURE")[1].lower() == "true"
        url = f"{'http' if insecure else 'https'}://{url}"
    check_url(url, lambda why: ConfigError(f"{named}: {why}"))
    if spoken == HTTP and named != f"{_PREFIX}_{signal.upper()}_ENDPOINT":
        url = f"{url.rstrip('/')}/v1/{signal}"
    return Destination(
        signal,
        spoken,
        url,
        timeout_s,
        _headers(*find("HEADERS")),
        compressed=find("COMPRESSION")[1].lower() == "gzip",
        ca_path=find("CERTIFICATE")[1] or None,
        certificate_path=find("CLIENT_CERTIFICATE")[1] or None,
        key_path=find("CLIENT_KEY")[1] or None,
    )


def check_url(url: str, error: Callable[[str], Exception]) -> None:
    """Checks the address of a collector.

    Args:
        url: The address.
        error: Makes the error to raise, of what is wrong.
    """
    try:
        parts = urlsplit(url)
        right = parts.scheme in ("http", "https") and bool(parts.hostname)
        right, secret = right and (parts.port or 1) > 0, parts.username is not None
    except ValueError:
        right = secret = False
    if secret:
        raise error("has credentials; put them into OTEL_EXPORTER_OTLP_HEADERS")
    if not right:
        raise error("is no address of http or https; give one such as http://localhost:4318")


def _headers(name: str, text: str) -> dict[str, str]:
    headers = {}
    for number, entry in enumerate(filter(None, map(str.strip, text.split(","))), 1):
        key, equals, value = entry.partition("=")
        key, value = unquote(key.strip()).lower(), unquote(value.strip())
        # What is wrong is not shown: it may be a token.
        if not equals or not key or not (key + value).isascii() or not (key + value).isprintable():
            raise ConfigError(f"{name}: entry {number} is no key=value of printable ASCII")
        headers[key] = value
    return headers
