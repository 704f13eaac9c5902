"""Where the first rank of a process group listens."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

import pytest

from raymon.errors import RunError
from raymon.reporter.over_tcp import addresses
from raymon.reporter.over_tcp.addresses import address_to_listen_at


@pytest.mark.parametrize(
    "environment",
    [
        {"LOCAL_WORLD_SIZE": "8", "WORLD_SIZE": "8", "MASTER_ADDR": "10.1.2.3"},
        {"LOCAL_WORLD_SIZE": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1"},
        {"LOCAL_WORLD_SIZE": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "localhost"},
        {"OMPI_COMM_WORLD_LOCAL_SIZE": "2", "OMPI_COMM_WORLD_SIZE": "2", "MASTER_ADDR": "10.1.2.3"},
        {"MPI_LOCALNRANKS": "2", "PMI_SIZE": "2", "MASTER_ADDR": "10.1.2.3"},
        {},
    ],
)
def test_ranks_of_one_machine_meet_on_its_loopback_interface(
    environment: Mapping[str, str],
) -> None:
    assert address_to_listen_at(environment) == "127.0.0.1"


SEVERAL = {"LOCAL_WORLD_SIZE": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "203.0.113.1"}


def given_address(monkeypatch: pytest.MonkeyPatch, address: str | None) -> None:
    monkeypatch.setattr(addresses, "_own_address", lambda other: address)


@pytest.mark.parametrize("address", ["10.0.0.5", "192.168.1.9", "100.64.0.7", "fd00::2"])
def test_ranks_of_several_machines_meet_in_their_private_network(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    given_address(monkeypatch, address)
    assert address_to_listen_at(SEVERAL) == address


def test_at_a_public_address_nothing_listens_unless_it_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given_address(monkeypatch, "8.8.4.4")
    with pytest.raises(RunError) as raised:
        address_to_listen_at(SEVERAL)
    assert str(raised.value) == (
        "8.8.4.4 is a public address, at which nothing listens unless it is asked to; set "
        "RAYMON_MONITOR_ADDRESS=8.8.4.4 to allow it, or to a private address of this machine"
    )
    assert address_to_listen_at({**SEVERAL, "RAYMON_MONITOR_ADDRESS": "8.8.4.4"}) == "8.8.4.4"


def test_without_an_address_that_others_reach_it_says_what_to_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given_address(monkeypatch, None)
    with pytest.raises(RunError, match="set RAYMON_MONITOR_ADDRESS to one of it"):
        address_to_listen_at(SEVERAL)
    with pytest.raises(RunError, match=r"RAYMON_MONITOR_ADDRESS=no such\.: is no address"):
        address_to_listen_at({"RAYMON_MONITOR_ADDRESS": "no such."})


def test_the_way_to_another_machine_tells_the_own_address() -> None:
    assert addresses._own_address("127.0.0.1") is None
    assert addresses._own_address("no.such.name.") is None
    found = addresses._own_address("192.0.2.1")
    assert found is None or not ipaddress.ip_address(found).is_loopback
