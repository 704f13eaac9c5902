"""The way to the jobs of a Ray cluster: its dashboard, with the token of the cluster."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from raymon.errors import RaymonError, RunError, first_line

if TYPE_CHECKING:
    from ray.job_submission import JobSubmissionClient

_ANSWER_WITHIN_S = 30.0


def job_client(address: str) -> JobSubmissionClient:
    """Returns a client of the jobs of a cluster, which has answered it.

    Args:
        address: Address of the dashboard, such as `http://HEAD:8265`.

    Raises:
        RunError: There is no cluster at the address, or it does not accept the token.
    """
    _use_token()
    from ray.exceptions import RayError

    from raymon.ray_internals import patient_job_client

    _silence_ray()
    try:
        return patient_job_client(address, _ANSWER_WITHIN_S)
    except (RayError, RuntimeError, ValueError, OSError) as error:
        raise refusal(address, error, "no Ray dashboard there") from None


def _silence_ray() -> None:
    """Leaves out Ray's own log lines, which are not about the run."""
    from raymon.ray_internals import PACKAGING_LOGGER

    for module in ("ray.dashboard.modules.dashboard_sdk", "ray.dashboard.modules.job.sdk"):
        # Each sets its own level where it is imported.
        import_module(module)
        logging.getLogger(module).setLevel(logging.WARNING)
    logging.getLogger(PACKAGING_LOGGER).setLevel(logging.WARNING)


def refusal(address: str, error: Exception, otherwise: str) -> RaymonError:
    """Returns the error to raise where a cluster did not do what it was asked, as one line.

    Args:
        address: Address of the dashboard.
        error: What Ray's client raised.
        otherwise: What happened, unless the token is the reason or nothing answers.
    """
    text = str(error)
    if "Unauthorized" in text or "Forbidden" in text or "uthentication" in text:
        return RunError(
            f"--address {address}: the cluster does not know this token; give its own in "
            "RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH (on its head: ray get-auth-token)"
        )
    if "timed out" in text:
        return RunError(f"--address {address}: no answer within {_ANSWER_WITHIN_S:.0f} s")
    if isinstance(error, ConnectionError):
        otherwise = "no Ray dashboard there"
    return RunError(f"--address {address}: {otherwise}: {first_line(error)}")


def uses_token() -> bool:
    """Returns whether Ray's client sends a token with each request."""
    return os.environ.get("RAY_AUTH_MODE") == "token"


def _use_token() -> None:
    """Makes Ray send the token of the cluster with each request, if there is one."""
    # Ray looks for a token only with this mode set.
    given = any(os.environ.get(name) for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"))
    kept = False
    with suppress(OSError, RuntimeError):  # some containers have no home directory
        kept = (Path.home() / ".ray" / "auth_token").is_file()
    if given or kept:
        os.environ.setdefault("RAY_AUTH_MODE", "token")
