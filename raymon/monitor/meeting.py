"""Where the ranks of a process group tell each other where their reporter is: its store."""

from __future__ import annotations

import os
import threading
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from typing import Any, Protocol

import torch.distributed
from torch.distributed import is_available, is_initialized

from raymon.protos.report_pb2 import Invitation

# Annotated, because torch does not name these names as its own.
_dist: Any = torch.distributed

_PREFIX = "raymon/monitor"
_TIMEOUT = timedelta(seconds=10)
_PAUSE_S = 0.2

_made: Counter[str] = Counter()
"""Number of monitors of each name that this process has made."""


class Store(Protocol):
    """What is used of a store of torch."""

    def check(self, keys: list[str]) -> bool:
        """Returns whether all of the keys have a value, without waiting for one."""

    def get(self, key: str) -> bytes:
        """Returns the value of a key, which it waits for."""

    def set(self, key: str, value: bytes) -> None:
        """Gives a key a value."""


class Meeting:
    """The place in the store where the first rank leaves an invitation for the others.

    Under torchrun the store is that of its agent, which is there before there is a group; else it
    is that of the group, once there is one. Only calls that do not wait are made, and where it can
    be on a connection of its own, as calls on one connection wait for each other.

    Every rank has to make its monitors of one name in the same order.

    Args:
        name: Name of the monitor; None for the only one.
    """

    def __init__(self, name: str | None) -> None:
        self._key = f"{name or ''}/{_made[name or '']}"
        _made[name or ""] += 1
        self._store: Store | None = None
        self._over = threading.Event()

    def publish(self, invitation: Invitation) -> None:
        """Leaves an invitation there, on a thread, as soon as there is a store."""
        threading.Thread(
            target=self._publish, args=(invitation,), name="raymon-meeting", daemon=True
        ).start()

    def find(self) -> Invitation | None:
        """Returns the invitation; None if there is none yet.

        Raises:
            Exception: The store does not answer, or has something else there.
        """
        store = self._find_store()
        if store is None or not store.check([self._key]):
            return None
        return Invitation.FromString(store.get(self._key))

    def close(self) -> None:
        """Ends the thread that waits for a store."""
        self._over.set()

    def _publish(self, invitation: Invitation) -> None:
        while not self._over.is_set():
            # Whatever a store that goes away raises, another one may come.
            with suppress(Exception):
                store = self._find_store()
                if store is not None:
                    store.set(self._key, invitation.SerializeToString())
                    return
            self._over.wait(_PAUSE_S)

    def _find_store(self) -> Store | None:
        if self._store is None:
            found = _store_of_agent() or _store_of_group()
            self._store = None if found is None else _dist.PrefixStore(_PREFIX, found)
        return self._store


def can_meet() -> bool:
    """Returns whether the ranks have a store, or are told where they will have one."""
    return is_available() and (
        is_initialized() or all(os.environ.get(n) for n in ("MASTER_ADDR", "MASTER_PORT"))
    )


def _store_of_agent() -> Store | None:
    if os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True":
        return None
    store: Store = _dist.TCPStore(
        os.environ["MASTER_ADDR"],
        int(os.environ["MASTER_PORT"]),
        is_master=False,
        timeout=_TIMEOUT,
        wait_for_workers=False,
    )
    return store


def _store_of_group() -> Store | None:
    group = _dist.group.WORLD if is_initialized() else None
    if group is None:
        return None
    store: Any = group.get_group_store()
    try:
        clone: Store = store.clone()
        return clone
    except Exception:  # a store that has no clones is used as it is
        own: Store = store
        return own
