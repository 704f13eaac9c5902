"""What waits to be sent to a collector, up to a bound."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, Protocol, TypeVar

from raymon.sinks.opentelemetry.collector_errors import NotTakenError

Item = TypeVar("Item")


class Client(Protocol):
    """Sends messages to a collector."""

    def send(self, message: bytes) -> bytes:
        """Sends a message, and returns the answer.

        Raises:
            CollectorError: It was not taken.
        """

    def close(self) -> None:
        """Closes the connection."""


class Outbox(Generic[Item]):
    """A queue of what waits to be sent; the oldest is dropped where too much waits.

    Args:
        what: Name of the items, in notices.
        client: Sends them.
        encode: Makes a message of items.
        rejected: Returns how many items an answer says were rejected, and why.
        most: Largest number of items that wait.
        at_once: Largest number of items in a message.

    Attributes:
        notices: What people should read, each kind once.
    """

    def __init__(
        self,
        what: str,
        client: Client,
        encode: Callable[[Sequence[Item]], bytes],
        rejected: Callable[[bytes], tuple[int, str]],
        *,
        most: int,
        at_once: int,
    ) -> None:
        self._what = what
        self._client = client
        self._encode = encode
        self._rejected = rejected
        self._most = most
        self._at_once = at_once
        self._waiting: deque[Item] = deque()
        self._told: set[str] = set()
        self.notices: list[str] = []

    def add(self, items: Iterable[Item]) -> None:
        """Adds items, without sending them."""
        self._waiting.extend(items)
        if len(self._waiting) > self._most:
            self._tell("full", f"more than {self._most:,} {self._what} wait; the oldest are lost")
            while len(self._waiting) > self._most:
                self._waiting.popleft()

    def send(self) -> None:
        """Sends all that waits; what was taken no longer waits, also if it raises.

        Raises:
            CollectorError: The rest waits on.
        """
        while self._waiting:
            chunk = [self._waiting[i] for i in range(min(self._at_once, len(self._waiting)))]
            try:
                answer = self._client.send(self._encode(chunk))
            except NotTakenError as error:
                self._tell("refused", str(error))
            else:
                self._hear(answer)
            for _ in chunk:
                self._waiting.popleft()

    def close(self) -> None:
        """Closes the connection."""
        self._client.close()

    def _hear(self, answer: bytes) -> None:
        count, why = self._rejected(answer)
        if count:
            because = f": {why}" if why else ""
            self._tell("partial", f"the collector rejects {count:,} {self._what}{because}")
        elif why:
            self._tell("warning", f"the collector says of {self._what}: {why}")

    def _tell(self, kind: str, text: str) -> None:
        if kind not in self._told:
            self._told.add(kind)
            self.notices.append(" ".join(text.split())[:300])
