"""Names of Ray that are not public, all in one place, each with why no public name would do.

They may change with any release of Ray; the tests of the lowest and of the newest version that
raymon allows find it out.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import ray
from ray.experimental import internal_kv

if TYPE_CHECKING:
    from ray.job_submission import JobSubmissionClient

DAEMON_MARK = b"/ray/_private/"
"""Part of the command line of each daemon that Ray runs in Python. Ray has no list of them that
outlives the process that started them."""

PACKAGING_LOGGER = "ray._private.runtime_env.packaging"
"""Logger of uploads; Ray's option for less output is for all of its loggers of a process."""


def local_node() -> Any:
    """Returns Ray's record of the processes that this process has started; None where it has none.

    No public call tells whether the GCS and the raylet live while they do not answer, nor ends them
    at once.
    """
    return ray._private.worker._global_node


def newest_address() -> str:
    """Returns the address that `auto` means to `ray.init`, which itself tries it for minutes.

    Raises:
        ConnectionError: No cluster has been started on this machine.
    """
    return str(ray._private.services.canonicalize_bootstrap_address("auto"))


def show_worker_output(show: Callable[..., object]) -> None:
    """Has the output of workers shown by a function; Ray prints it, or drops all of it."""
    ray._private.worker.print_to_stdstream = show


def listen_on_loopback() -> None:
    """Has a Ray that this process starts listen on the loopback interface alone.

    Ray has the switch for systems whose firewalls would ask, and `ray.init` has no argument for it.
    """
    ray._private.ray_constants.ENABLE_RAY_CLUSTER = False


@contextmanager
def sigterm_as_before() -> Iterator[None]:
    """Leaves SIGTERM, while Ray starts, to the handler that it had before.

    Ray takes it in Python, and in C++, where the process is aborted three seconds after it; it has
    no option to leave it alone.
    """
    utils, taken = ray._private.utils, signal.getsignal(signal.SIGTERM)
    set_by_ray = utils.set_sigterm_handler
    if callable(taken):
        utils.set_sigterm_handler = lambda handler: None
    try:
        yield
    finally:
        utils.set_sigterm_handler = set_by_ray
        if threading.current_thread() is threading.main_thread():
            # Setting the Python handler again replaces the one that Ray installed in C++.
            signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGTERM))


@contextmanager
def daemons_in_new_sessions() -> Iterator[None]:
    """Starts each daemon of Ray in a new session, within the context.

    The daemons then get no signal that a terminal, `timeout` or a scheduler sends to the group of
    this process, which needs Ray to end its run, and ends Ray after that. `ray.init` has no option
    for it.
    """
    services: Any = ray._private.services
    popen = services.ConsolePopen
    services.ConsolePopen = partial(popen, start_new_session=True)
    try:
        yield
    finally:
        services.ConsolePopen = popen


def train_run_id() -> str:
    """Returns the id of the run of Ray Train that this worker belongs to.

    The public context has the name of the run alone, which a later run may have too.
    """
    from ray.train.v2._internal.execution.context import get_train_context

    return str(get_train_context().train_run_context.run_id)


def keep_in_cluster(key: bytes, value: bytes) -> None:
    """Keeps a value in the cluster's key-value store, beyond the life of any actor.

    The public ways to keep something are an actor, which may die with its node, and storage, which
    a cluster need not have.
    """
    internal_kv._internal_kv_put(key, value)


def kept_in_cluster(key: bytes) -> bytes | None:
    """Returns what is kept under a key; None where nothing is."""
    value: bytes | None = internal_kv._internal_kv_get(key)
    return value


def forget_in_cluster(key: bytes) -> None:
    """Removes what is kept under a key."""
    internal_kv._internal_kv_del(key)


def patient_job_client(address: str, seconds: float) -> JobSubmissionClient:
    """Returns a client of Ray Jobs whose requests fail if nothing answers for some time.

    The public client waits for ever for an address that takes a connection and says nothing, and
    has no option for it.

    Args:
        address: Address of the dashboard.
        seconds: Longest wait for a connection, and for each piece of an answer.
    """
    # Imported here, as workers need none of it.
    from ray.job_submission import JobSubmissionClient

    class Patient(JobSubmissionClient):
        def _do_request(self, *arguments: Any, **options: Any) -> Any:
            return super()._do_request(*arguments, timeout=seconds, **options)

    return Patient(address)
