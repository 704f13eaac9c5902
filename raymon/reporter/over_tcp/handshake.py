"""How the two ends of a connection prove that they know the secret of the attempt.

The reporter sends a challenge, random bytes. A rank answers with its `Hello`, which has random
bytes of its own, and a proof; the reporter answers with its `Welcome` and a proof. A proof is an
HMAC (RFC 2104) with SHA-256 over the message and the random bytes of both, so that neither can be
used twice, and nobody learns the secret from them.
"""

from __future__ import annotations

import hmac
import secrets

from google.protobuf.message import DecodeError

from raymon.errors import RaymonError
from raymon.protos.report_pb2 import Hello, Welcome

RANDOM_BYTES = 32
"""Bytes of a secret, and of a challenge."""

_PROOF_BYTES = 32
_RANK, _REPORTER = b"raymon rank", b"raymon reporter"


class HandshakeError(RaymonError):
    """The other end does not know the secret of this attempt, or speaks something else."""


def new_secret() -> bytes:
    """Returns random bytes, which nobody can guess."""
    return secrets.token_bytes(RANDOM_BYTES)


def sign_hello(token: bytes, challenge: bytes, hello: Hello) -> bytes:
    """Returns the message that answers a challenge."""
    message = hello.SerializeToString()
    return _prove(token, _RANK, challenge, message) + message


def read_hello(token: bytes, challenge: bytes, message: bytes) -> Hello:
    """Returns who has answered a challenge.

    Raises:
        HandshakeError: It does not know the secret.
    """
    body = _checked(token, _RANK, challenge, message)
    try:
        return Hello.FromString(body)
    except DecodeError:
        raise HandshakeError("no hello") from None


def sign_welcome(token: bytes, challenge: bytes, hello: Hello, welcome: Welcome) -> bytes:
    """Returns the message that answers a `Hello`."""
    message = welcome.SerializeToString()
    return _prove(token, _REPORTER, challenge + hello.nonce, message) + message


def read_welcome(token: bytes, challenge: bytes, hello: Hello, message: bytes) -> Welcome:
    """Returns what a reporter answered to a `Hello`.

    Raises:
        HandshakeError: It does not know the secret.
    """
    body = _checked(token, _REPORTER, challenge + hello.nonce, message)
    try:
        return Welcome.FromString(body)
    except DecodeError:
        raise HandshakeError("no welcome") from None


def _prove(token: bytes, side: bytes, challenge: bytes, message: bytes) -> bytes:
    # All that comes before the message has a length of its own that is fixed.
    return hmac.digest(token, side + challenge + message, "sha256")


def _checked(token: bytes, side: bytes, challenge: bytes, message: bytes) -> bytes:
    proof, body = message[:_PROOF_BYTES], message[_PROOF_BYTES:]
    if not hmac.compare_digest(proof, _prove(token, side, challenge, body)):
        raise HandshakeError("the other end does not know the secret of this attempt")
    return body
