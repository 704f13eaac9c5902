"""Requests of people who are connected to the cluster of a run, for its driver to answer."""

from __future__ import annotations

from collections import OrderedDict

_MOST = 64


class Letterbox:
    """Keeps requests until the driver has answered them, and the answers until they are fetched.

    Args:
        most: Requests and answers that are kept at most; then the oldest go.
    """

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._requests: OrderedDict[str, bytes] = OrderedDict()
        self._replies: OrderedDict[str, bytes] = OrderedDict()

    def post(self, request: str, body: bytes) -> bytes | None:
        """Takes a request, as often as it comes.

        Args:
            request: Id of the request, unique.
            body: The request.

        Returns:
            The newest answer to it; None before the first.
        """
        self._requests[request] = body
        _limit(self._requests, self._most)
        return self._replies.get(request)

    def posted(self) -> dict[str, bytes]:
        """Returns the requests that are kept, by id, in order."""
        return dict(self._requests)

    def reply(self, request: str, body: bytes) -> None:
        """Takes an answer to a request, which replaces an earlier one."""
        self._replies[request] = body
        _limit(self._replies, self._most)


def _limit(kept: OrderedDict[str, bytes], most: int) -> None:
    while len(kept) > most:
        kept.popitem(last=False)
