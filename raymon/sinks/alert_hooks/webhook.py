"""The sink that posts each alert to a web address of the user's."""

from __future__ import annotations

import urllib.error
import urllib.request
from http.client import HTTPException
from urllib.parse import urlsplit

from raymon.sinks.alert_hooks.hook import AlertHook


class AlertWebhook(AlertHook):
    """A sink that posts the JSON of each alert to a web address.

    Of the address only the host is ever shown, since the rest may be a secret.

    Args:
        url: The address, http or https.
        run: Directory or URI that the run writes to.
        timeout_s: Seconds that each answer of the server may take.
    """

    def __init__(self, url: str, run: str, timeout_s: float) -> None:
        super().__init__(run, timeout_s)
        self._url = url

    def deliver(self, data: bytes) -> None:
        """Posts the alert.

        Raises:
            OSError: The server did not take it.
        """
        host = urlsplit(self._url).hostname
        headers = {"Content-Type": "application/json", "User-Agent": "raymon"}
        request = urllib.request.Request(self._url, data, headers, method="POST")
        try:
            with _OPENER.open(request, timeout=self._timeout_s):
                pass
        except urllib.error.HTTPError as error:
            error.close()
            raise ConnectionError(f"{host} answers {error.code}") from None
        except (OSError, ValueError, HTTPException) as error:
            kind = type(getattr(error, "reason", error)).__name__
            raise ConnectionError(f"{host} cannot be reached: {kind}") from None


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would send the alert, and what is in its address, to whom nobody named."""

    def redirect_request(self, *args: object, **kwargs: object) -> None:
        """Follows none: the answer is an error."""


_OPENER = urllib.request.build_opener(_NoRedirects)
