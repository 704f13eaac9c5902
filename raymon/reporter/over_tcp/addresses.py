"""The address at which the first rank of a process group listens for the others."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Mapping

from raymon.errors import RunError

ADDRESS = "RAYMON_MONITOR_ADDRESS"
"""Environment variable with the address to listen at, whichever that is."""

_ANY_OTHER = "192.0.2.1"
"""An address of the documentation (RFC 5737), which is on the way that all others take."""

_LAUNCHERS = (
    ("LOCAL_WORLD_SIZE", "WORLD_SIZE"),  # torchrun
    ("OMPI_COMM_WORLD_LOCAL_SIZE", "OMPI_COMM_WORLD_SIZE"),  # mpirun of Open MPI
    ("MPI_LOCALNRANKS", "PMI_SIZE"),  # mpirun of MPICH and Intel MPI
)
"""Environment variables with the number of processes here, and everywhere, by launcher."""

_PORT = 9  # to find an address nothing is sent


def address_to_listen_at(environment: Mapping[str, str] = os.environ) -> str:
    """Returns an address of this machine at which the other ranks of its group reach it.

    That is the loopback interface if all of them are here; else the address by which this machine
    is in the network of `MASTER_ADDR`, if that is a private one.

    Raises:
        RunError: There is none but a public one, or none at all.
    """
    named = environment.get(ADDRESS)
    if named:
        return _checked_name(named)
    master = environment.get("MASTER_ADDR", "")
    if _are_here(environment):
        return "127.0.0.1"
    found = _own_address(master) or _own_address(_ANY_OTHER)
    if found is None:
        raise RunError(
            f"this machine has no address that other machines reach; set {ADDRESS} to one of it"
        )
    # All but those that the whole world reaches, as networks of providers have others too.
    if ipaddress.ip_address(found).is_global:
        raise RunError(
            f"{found} is a public address, at which nothing listens unless it is asked to; set "
            f"{ADDRESS}={found} to allow it, or to a private address of this machine"
        )
    return found


def _are_here(environment: Mapping[str, str]) -> bool:
    """Returns whether all ranks are on this machine, as far as is known."""
    master = environment.get("MASTER_ADDR", "")
    if master == "localhost" or _is_loopback(master):
        return True
    for here, everywhere in _LAUNCHERS:
        if environment.get(here) and environment.get(everywhere):
            return environment[here] == environment[everywhere]
    # Nothing says that there are other machines.
    return not master


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:  # a name
        return False


def _own_address(other: str) -> str | None:
    """Returns the address by which this machine reaches another one; None if it is loopback."""
    try:
        ((family, kind, _, _, place), *_) = socket.getaddrinfo(other, _PORT, type=socket.SOCK_DGRAM)
        with socket.socket(family, kind) as sock:
            sock.connect(place)
            found = str(sock.getsockname()[0]).partition("%")[0]
    except OSError:
        return None
    return None if _is_loopback(found) else found


def _checked_name(named: str) -> str:
    try:
        infos = socket.getaddrinfo(named, 0, type=socket.SOCK_STREAM)
    except OSError as error:
        raise RunError(f"{ADDRESS}={named}: is no address: {error.strerror}") from None
    return str(infos[0][4][0])
