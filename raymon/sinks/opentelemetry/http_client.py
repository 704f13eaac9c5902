"""Sends OTLP by HTTP."""

from __future__ import annotations

import gzip
import ssl
import urllib.error
import urllib.request
from http.client import HTTPException

from raymon.sinks.opentelemetry.collector_errors import (
    CollectorError,
    NotTakenError,
    SilentCollectorError,
    TokenRefusedError,
)
from raymon.sinks.opentelemetry.destination import Destination
from raymon.version import __version__

_MOST_BYTES = 1 << 16
"""Bytes of an answer that are read."""

_DROPPED = (400, 413, 422)
"""Answers to what will never be taken."""


class HttpClient:
    """A client that posts the messages of one signal.

    Args:
        destination: Where they go.
    """

    def __init__(self, destination: Destination) -> None:
        self._destination = destination
        self._opener: urllib.request.OpenerDirector | None = None

    def send(self, message: bytes) -> bytes:
        """Sends a message, and returns the answer.

        Raises:
            CollectorError: It was not taken.
        """
        to = self._destination
        headers = {
            **to.headers,
            "Content-Type": "application/x-protobuf",
            "User-Agent": f"raymon/{__version__}",
        }
        if to.compressed:
            message, headers["Content-Encoding"] = gzip.compress(message, 1), "gzip"
        request = urllib.request.Request(to.url, message, headers, method="POST")
        try:
            if self._opener is None:
                self._opener = urllib.request.build_opener(
                    _NoRedirects, urllib.request.HTTPSHandler(context=_tls(to))
                )
            with self._opener.open(request, timeout=to.timeout_s) as answer:
                found: bytes = answer.read(_MOST_BYTES)
            return found
        except urllib.error.HTTPError as error:
            error.close()
            raise _refusal(to, error.code) from None
        except TimeoutError:
            raise _silent(to) from None
        except (OSError, ValueError, HTTPException) as error:
            cause = getattr(error, "reason", error)
            if isinstance(cause, TimeoutError):
                raise _silent(to) from None
            kind = type(cause).__name__
            raise CollectorError(f"{to.shown} cannot be reached: {kind}") from None

    def close(self) -> None:
        """Does nothing: there is a connection for each message."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would send the token to whom nobody named."""

    def redirect_request(self, *args: object, **kwargs: object) -> None:
        """Follows none: the answer is an error."""


def _tls(to: Destination) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=to.ca_path)
    if to.certificate_path is not None:
        context.load_cert_chain(to.certificate_path, to.key_path)
    return context


def _silent(to: Destination) -> SilentCollectorError:
    return SilentCollectorError(f"{to.shown} does not answer within {to.timeout_s:g} s")


def _refusal(to: Destination, code: int) -> CollectorError:
    if code in (401, 403):
        return TokenRefusedError(
            f"{to.shown} answers {code}: it refuses the token of OTEL_EXPORTER_OTLP_HEADERS"
        )
    if code in _DROPPED:
        return NotTakenError(f"{to.shown} answers {code}, and what it refuses is dropped")
    return CollectorError(f"{to.shown} answers {code}")
