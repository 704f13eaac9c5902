"""The Ray cluster that a run is on."""

from __future__ import annotations

import logging
import os
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Ray reads these at import; what the user has set takes precedence.
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
# Ray Train notices a checkpoint, and the end of a run, when it next polls the workers, by default
# every two seconds.
os.environ.setdefault("RAY_TRAIN_HEALTH_CHECK_INTERVAL_S", "0.5")
# Shows training runs and their workers in the dashboard's REST API.
os.environ.setdefault("RAY_TRAIN_ENABLE_STATE_TRACKING", "1")

import ray
from ray.autoscaler.sdk import request_resources

from raymon import ray_internals
from raymon.errors import ConfigError, RunError, reason
from raymon.protos.ray_pb2 import RayConfig
from raymon.retries import retrying
from raymon.training.on_ray.address import probe
from raymon.training.on_ray.cluster_watch import StartedRay
from raymon.training.on_ray.user_code import code_environment

_log = logging.getLogger("raymon")

_LOOK_S = 1.0

_NAMED = 8
"""Nodes that an error names."""

_CLIENT_PAUSES_S = (2.0, 5.0)
"""Seconds between tries to connect by Ray Client.

The server of a head node that has just started may not yet be able to start the process that
represents a client.
"""

_started: StartedRay | None = None


@dataclass(frozen=True)
class Connection:
    """The cluster that this process is connected to.

    Attributes:
        dashboard: Address of its dashboard; None if it has none.
        started: The Ray processes, if this process has started them; else None.
    """

    dashboard: str | None
    started: StartedRay | None = None

    def leave(self) -> None:
        """Ends the Ray that this process has started, if Ray itself no longer can."""
        if self.started is not None:
            self.started.end()


def connect(address: str | None) -> Connection:
    """Connects to a cluster, or starts one on this machine that lives as long as this process.

    Args:
        address: Address of a cluster; None takes RAY_ADDRESS from the environment, or starts one.

    Raises:
        RunError: There is no cluster at the address.
    """
    global _started
    if ray.is_initialized():
        return Connection(None, _started)
    given = f"--address {address}"
    if not address:
        address = os.environ.get("RAY_ADDRESS")
        given = f"RAY_ADDRESS={address}"
    probe(address, given)
    if not address:
        _give_token()
    ray_internals.show_worker_output(_log_raylet)
    for name in ("ray", "ray.train", "ray.data", "ray.tune"):
        logging.getLogger(name).setLevel(logging.ERROR)
    is_client = (address or "").startswith("ray://")
    if not address:
        ray_internals.listen_on_loopback()
    try:
        with ray_internals.sigterm_as_before(), ray_internals.daemons_in_new_sessions():
            context = retrying(_CLIENT_PAUSES_S if is_client else (), _may_pass)(
                ray.init,
                address=address or "local",
                # Only with Ray Client the code of the driver may be missing on the cluster.
                runtime_env=code_environment(Path.cwd()) if is_client else None,
                configure_logging=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
    except Exception as error:
        if address:
            raise RunError(f"{given}: no Ray cluster there: {_why_not(error)}") from None
        raise RunError(f"Ray cannot be started on this machine: {reason(error)}") from error
    if not address or address == "local":
        _started = StartedRay()
    return Connection(_dashboard(context.dashboard_url), _started)


def _may_pass(error: BaseException) -> bool:
    # It refuses a client, or does not answer one in time; something listens there.
    return isinstance(error, ConnectionError)


def _why_not(error: Exception) -> str:
    first, *others = str(error).strip().splitlines() or [""]
    if isinstance(error, ConnectionAbortedError) and others:
        # The server of Ray Client answers with its whole traceback, whose last line says why.
        return f"{type(error).__name__}: {first} {others[-1].strip()}"
    return reason(error)


def has_started_ray() -> bool:
    """Returns whether this process has started a Ray cluster, which ends with it."""
    return _started is not None


def _give_token() -> None:
    """Gives a new cluster a token if Ray could not keep one in the home directory."""
    if os.environ.get("RAY_AUTH_TOKEN") or os.environ.get("RAY_AUTH_TOKEN_PATH"):
        return
    try:
        kept = Path.home() / ".ray" / "auth_token"
        # The only way to find out whether it can be made is to make it.
        kept.parent.mkdir(parents=True, exist_ok=True)
        if os.access(kept if kept.exists() else kept.parent, os.R_OK | os.W_OK):
            return
    except (OSError, RuntimeError):  # there is no home directory
        pass
    os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)


def worker_resources(config: RayConfig) -> dict[str, float]:
    """Returns the resources of a worker: by default one CPU, and one GPU with `use_gpu`."""
    resources = {"CPU": 1.0, "GPU": 1.0 if config.use_gpu else 0.0}
    resources.update(config.resources_per_worker)
    return {name: amount for name, amount in resources.items() if amount > 0}


def wait_for_capacity(config: RayConfig, data_by_ray: bool) -> None:
    """Waits until `check_capacity` passes, for a while in which an autoscaler may add nodes.

    Raises:
        ConfigError: The check does not pass in time.
    """
    deadline = time.monotonic() + config.wait_for_nodes_s
    asked = False
    try:
        while True:
            try:
                check_capacity(config, data_by_ray)
                return
            except ConfigError as error:
                if time.monotonic() >= deadline:
                    raise
                if not asked:
                    _log.info("%s: waiting for nodes, %g s at most", error, config.wait_for_nodes_s)
                    workers = config.min_workers or config.num_workers
                    request_resources(bundles=[worker_resources(config)] * workers)
                    asked = True
            time.sleep(_LOOK_S)
    finally:
        if asked:
            # From here on Ray Train asks for its resources.
            request_resources(bundles=[])


def check_capacity(config: RayConfig, data_by_ray: bool) -> None:
    """Checks that the cluster can place all workers at once, if nothing else runs on it.

    Args:
        config: Config of Ray for the run.
        data_by_ray: Whether `ray.data` needs CPUs in addition to the workers.

    Raises:
        ConfigError: The cluster cannot; the message says what it has.
    """
    need = worker_resources(config)
    alive = [node for node in ray.nodes() if node["Alive"]]
    nodes = [node["Resources"] for node in alive]
    if "GPU" in need and not any(node.get("GPU") for node in nodes):
        raise ConfigError(
            f"ray_config.use_gpu: no node of the cluster has a GPU: {_each(alive, need)}; leave it "
            "out, or start Ray where there is one"
        )
    places = sum(
        min(int(node.get(name, 0.0) / amount + 1e-9) for name, amount in need.items())
        for node in nodes
    )
    if places >= (config.min_workers or config.num_workers):
        if data_by_ray:
            _check_room_for_data(config, need, nodes)
        return
    field, least = "num_workers", config.num_workers
    if config.HasField("min_workers"):
        field, least = "min_workers", config.min_workers
    has = {name: sum(node.get(name, 0.0) for node in nodes) for name in need}
    # Of GPUs, which nodes have them; of CPUs the sum says enough.
    listed = f": {_each(alive, need)}" if "GPU" in need else ""
    raise ConfigError(
        f"ray_config.{field}: {least} workers with {_format(need)} each do not "
        f"fit; the cluster has {_format(has)} on {len(nodes)} "
        f"node{'s' if len(nodes) > 1 else ''}, room for {places}{listed}"
    )


def _check_room_for_data(
    config: RayConfig,
    need: Mapping[str, float],
    nodes: Sequence[Mapping[str, float]],
) -> None:
    free = sum(node.get("CPU", 0.0) for node in nodes) - config.num_workers * need.get("CPU", 0.0)
    if free < 1:
        raise ConfigError(
            f"ray_config.num_workers: {config.num_workers} workers with {_format(need)} each leave "
            f"{free:g} CPU for ray.data, which needs 1 or more; give fewer workers, or less CPU in "
            "ray_config.resources_per_worker"
        )


def _log_raylet(data: Mapping[str, Any], *_: object, **__: object) -> None:
    """Logs what Ray would print into the output of this process, whatever its settings are."""
    for line in data.get("lines", ()):
        _log.debug("Ray: %s", line)


def _dashboard(url: str | None) -> str | None:
    return f"http://{url}" if url else None


def _each(nodes: Sequence[Mapping[str, Any]], need: Mapping[str, float]) -> str:
    """Returns what each node has of what a worker needs, those with most GPUs first."""
    ordered = sorted(nodes, key=lambda node: -node["Resources"].get("GPU", 0.0))
    listed = [
        f"{node['NodeManagerHostname']} ({node['NodeManagerAddress']}) has "
        + _format({name: node["Resources"].get(name, 0.0) for name in need})
        for node in ordered[:_NAMED]
    ]
    more = len(ordered) - _NAMED
    return ", ".join(listed) + (f", and {more} more nodes no more than that" if more > 0 else "")


def _format(resources: Mapping[str, float]) -> str:
    return ", ".join(f"{amount:g} {name}" for name, amount in resources.items())
