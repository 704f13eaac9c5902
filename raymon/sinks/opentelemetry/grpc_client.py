"""Sends OTLP by gRPC."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import grpc

from raymon.sinks.opentelemetry.collector_errors import (
    CollectorError,
    NotTakenError,
    SilentCollectorError,
    TokenRefusedError,
)
from raymon.sinks.opentelemetry.destination import Destination

_METHODS = {
    "metrics": "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    "traces": "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
}
_PORTS = {"http": 80, "https": 443}

_TOKEN = (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED)


class GrpcClient:
    """A client that calls the service of one signal.

    Args:
        destination: Where the messages go.
    """

    def __init__(self, destination: Destination) -> None:
        self._destination = destination
        self._channel: Any = None

    def send(self, message: bytes) -> bytes:
        """Sends a message, and returns the answer.

        Raises:
            CollectorError: It was not taken.
        """
        to = self._destination
        try:
            if self._channel is None:
                self._channel = _open(to)
            call = self._channel.unary_unary(_METHODS[to.signal])
            answer: bytes = call(
                message,
                timeout=to.timeout_s,
                metadata=tuple(to.headers.items()),
                compression=grpc.Compression.Gzip if to.compressed else None,
            )
            return answer
        except grpc.RpcError as error:
            code = error.code()
            # The channel would wait longer and longer before it connects again.
            self.close()
            raise _refusal(to, code, f"{to.shown} answers {code.name}") from None
        except (OSError, ValueError) as error:
            raise CollectorError(f"{to.shown} cannot be reached: {type(error).__name__}") from None

    def close(self) -> None:
        """Closes the connection."""
        channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()


def _open(to: Destination) -> Any:
    target = f"{to.parts.hostname}:{to.parts.port or _PORTS[to.parts.scheme]}"
    options = [("grpc.primary_user_agent", "raymon")]
    if to.parts.scheme == "http":
        return grpc.insecure_channel(target, options)
    return grpc.secure_channel(
        target,
        grpc.ssl_channel_credentials(
            _bytes(to.ca_path), _bytes(to.key_path), _bytes(to.certificate_path)
        ),
        options,
    )


def _bytes(path: str | None) -> bytes | None:
    return None if path is None else Path(path).read_bytes()


def _refusal(to: Destination, code: grpc.StatusCode, text: str) -> CollectorError:
    if code == grpc.StatusCode.DEADLINE_EXCEEDED:
        return SilentCollectorError(f"{to.shown} does not answer within {to.timeout_s:g} s")
    if code in _TOKEN:
        return TokenRefusedError(f"{text}: it refuses the token of OTEL_EXPORTER_OTLP_HEADERS")
    if code == grpc.StatusCode.INVALID_ARGUMENT:
        return NotTakenError(f"{text}, and what it refuses is dropped")
    if code == grpc.StatusCode.UNAVAILABLE:
        return CollectorError(f"{to.shown} cannot be reached: {code.name}")
    return CollectorError(text)
