"""The check that there is a Ray cluster at an address."""

from __future__ import annotations

import os
import socket

import grpc

from raymon import ray_internals
from raymon.errors import RunError, reason

_PROBE_S = 10
_CLIENT = "ray://"
_HEALTH = "/grpc.health.v1.Health/Check"


def probe(address: str | None, given: str) -> None:
    """Checks within seconds that there is a cluster; Ray itself would try and log for minutes.

    Args:
        address: Address as `ray.init` takes it.
        given: The address as the user gave it, for messages.

    Raises:
        RunError: There is no cluster at the address.
    """
    if address == "auto":
        # The newest cluster of this machine, which may be gone.
        try:
            address = ray_internals.newest_address()
        except Exception as error:
            raise RunError(f"{given}: no Ray cluster there: {reason(error)}") from None
    host, _, port = (address or "").removeprefix(_CLIENT).rpartition(":")
    if not host or not port.isdigit():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_PROBE_S).close()
    except (OSError, OverflowError) as error:
        raise RunError(f"{given}: no Ray cluster there: {error}") from None
    if not (address or "").startswith(_CLIENT) and not os.environ.get("RAY_USE_TLS"):
        _check_health(f"{host}:{port}", given)


def _check_health(target: str, given: str) -> None:
    # Like Ray, ignore a proxy that the environment may name.
    options = (("grpc.enable_http_proxy", 0),)
    with grpc.insecure_channel(target, options=options) as channel:
        try:
            channel.unary_unary(_HEALTH)(b"", timeout=_PROBE_S)
        except grpc.RpcError as error:
            if error.code() in (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED):
                return  # a cluster, with a token
            raise RunError(
                f"{given}: no Ray cluster there; what listens does not answer as one: "
                f"{' '.join(str(error.details()).split())}"
            ) from None
