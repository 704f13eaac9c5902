"""Addresses at which there is something else than a Ray cluster."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import grpc
import pytest
import ray

from raymon.errors import RunError
from raymon.training.on_ray import address as ray_address
from raymon.training.on_ray.address import probe


@contextmanager
def _silent() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@contextmanager
def _of_web() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def _closed() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    yield f"127.0.0.1:{port}"


@contextmanager
def _another_service() -> Iterator[str]:
    server = grpc.server(futures.ThreadPoolExecutor(1))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()


@contextmanager
def _no_port() -> Iterator[str]:
    yield "127.0.0.1:99999"


@pytest.mark.parametrize("kind", [_silent, _of_web, _closed, _another_service, _no_port])
def test_what_is_no_cluster_is_told_in_a_line(kind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_address, "_PROBE_S", 0.5)
    with kind() as address:
        with pytest.raises(RunError, match="no Ray cluster there") as caught:
            probe(address, f"RAY_ADDRESS={address}")
        assert str(caught.value).startswith(f"RAY_ADDRESS={address}: ")
        assert "\n" not in str(caught.value)


def test_none_on_this_machine_is_told_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    services: Any = ray._private.services
    monkeypatch.setattr(services, "find_gcs_addresses", set)
    monkeypatch.setattr(services, "find_bootstrap_address", lambda *_: None)
    with pytest.raises(RunError, match=r"^RAY_ADDRESS=auto: no Ray cluster there: "):
        probe("auto", "RAY_ADDRESS=auto")


@pytest.mark.parametrize("address", [None, "", "local"])
def test_where_one_is_to_be_started_none_is_looked_for(address: str | None) -> None:
    probe(address, "")


@pytest.mark.parametrize("code", [None, grpc.StatusCode.UNAUTHENTICATED])
def test_what_answers_as_a_cluster_is_one(code: grpc.StatusCode | None) -> None:
    def check(request: bytes, context: grpc.ServicerContext) -> bytes:
        if code is not None:
            context.abort(code, "a token, please")
        return b"\x08\x01"

    health = grpc.method_handlers_generic_handler(
        "grpc.health.v1.Health", {"Check": grpc.unary_unary_rpc_method_handler(check)}
    )
    server = grpc.server(futures.ThreadPoolExecutor(1), handlers=[health])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        probe(f"127.0.0.1:{port}", "")
    finally:
        server.stop(None).wait()
