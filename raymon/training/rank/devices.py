"""The devices of the workers: which they are, whether torch can use them, and who shares one."""

from __future__ import annotations

import platform
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass

import pyarrow as pa
import torch

from raymon.errors import ConfigError, RunError, first_line, reason
from raymon.runs import DEVICES_FILE
from raymon.storage import StoragePath, to_json, write_whole

_HOSTS = 8
"""Hosts that the log names, and nodes that an error names."""


@dataclass(frozen=True)
class Device:
    """The device of a worker.

    Attributes:
        rank: Rank of the worker.
        host: Name of its machine.
        device: Name of the device in the process of the worker, "cuda:0" or "cpu".
        name: Name of the GPU; None of a CPU.
        memory_bytes: Memory of the GPU; None of a CPU.
        uuid: What tells it from all other GPUs, whatever processes call it; None of a CPU.
    """

    rank: int
    host: str
    device: str
    name: str | None = None
    memory_bytes: int | None = None
    uuid: str | None = None

    @classmethod
    def of(cls, device: torch.device, rank: int) -> Device:
        """Returns the device of a worker in this process."""
        if device.type != "cuda":
            return cls(rank, platform.node(), device.type)
        index = torch.cuda.current_device() if device.index is None else device.index
        card = torch.cuda.get_device_properties(index)
        uuid = getattr(card, "uuid", None)
        return cls(
            rank,
            platform.node(),
            f"cuda:{index}",
            card.name,
            card.total_memory,
            None if uuid is None else str(uuid),
        )

    @property
    def card(self) -> tuple[str, str] | None:
        """What two workers have in common only if they share a GPU; None of a CPU."""
        return None if self.name is None else (self.host, self.uuid or self.device)


def check_distinct(devices: Iterable[Device]) -> None:
    """Checks that no two workers have the same GPU, which NCCL would refuse at its first call.

    Raises:
        ConfigError: Two do.
    """
    taken: dict[tuple[str, str], Device] = {}
    for device in devices:
        if device.card is None:
            continue
        other = taken.setdefault(device.card, device)
        if other is not device:
            raise ConfigError(
                f"ray_config.use_gpu: ranks {other.rank} and {device.rank} are on one GPU, "
                f"{device.name} ({device.device}) of {device.host}; a worker needs one of its own: "
                "give ray_config.resources_per_worker no less than 1 GPU, and processes no common "
                "CUDA_VISIBLE_DEVICES"
            )


def device_lines(devices: Sequence[Device]) -> list[str]:
    """Returns a line for each host with GPUs, of the first few hosts."""
    hosts: dict[str, list[Device]] = {}
    for device in devices:
        if device.name is not None:
            hosts.setdefault(device.host, []).append(device)
    lines = []
    for host, here in list(hosts.items())[:_HOSTS]:
        ranks = ", ".join(str(device.rank) for device in here)
        cards = dict.fromkeys(f"{d.name} with {(d.memory_bytes or 0) / 1e9:.1f} GB" for d in here)
        what = "Rank" if len(here) == 1 else "Ranks"
        lines.append(f"{what} {ranks} on {host}: {', '.join(cards)}")
    if len(hosts) > _HOSTS:
        lines.append(f"{len(hosts) - _HOSTS} more hosts with GPUs are in {DEVICES_FILE}")
    return lines


def write_devices(model_dir: StoragePath, devices: Sequence[Device]) -> str | None:
    """Writes the devices of an attempt into the directory of its run, atomically.

    Returns:
        Why they are not written; None if they are.
    """
    content = {"devices": [asdict(device) for device in devices]}
    try:
        write_whole(model_dir / DEVICES_FILE, (to_json(content, indent=2) + "\n").encode())
    except (OSError, pa.ArrowException, RunError) as error:
        return f"{DEVICES_FILE} is not written: {reason(error)}"
    return None


def why_no_gpu() -> str | None:
    """Returns why torch can use no GPU in this process; None if it can use its first one."""
    version = torch.__version__
    if torch.version.cuda is None and torch.version.hip is None:
        return f"torch {version} is built without CUDA; install a build with it"
    try:
        torch.cuda.init()
        count = torch.cuda.device_count()
    except Exception as error:  # of the driver, with its reason
        return f"torch {version} finds no GPU: {first_line(error)}"
    if not count:
        return f"torch {version} finds no GPU"
    return why_not_built_for(
        torch.cuda.get_device_name(), torch.cuda.get_device_capability(), torch.cuda.get_arch_list()
    )


def why_not_built_for(
    name: str, capability: tuple[int, int], architectures: Sequence[str]
) -> str | None:
    """Returns why a build of torch has no kernels for a GPU; None if it has.

    A binary for capability x.y runs on x.z with z >= y; what is compiled as it is loaded, from
    PTX, on all later ones (CUDA C++ Programming Guide, "Application Compatibility").

    Args:
        name: Name of the GPU.
        capability: Its compute capability.
        architectures: What the build is for, as `torch.cuda.get_arch_list` names it, such as
            "sm_90" and "compute_120"; those of AMD are not looked at.
    """
    built = [_architecture(each) for each in architectures]
    known = [each for each in built if each is not None]
    if not known:
        return None
    major, minor = capability
    for kind, of_major, of_minor, suffix in known:
        if suffix == "a":  # for that one alone
            fits = (of_major, of_minor) == capability
        elif kind == "compute":
            fits = (of_major, of_minor) <= capability
        else:
            fits = of_major == major and of_minor <= minor
        if fits:
            return None
    newest = max((of_major, of_minor) for _, of_major, of_minor, _ in known)
    age = "old" if newest < capability else "new"
    return (
        f"torch {torch.__version__} (CUDA {torch.version.cuda}) is too {age} for {name}: it has no "
        f"kernels for compute capability {major}.{minor}, only for {' '.join(architectures)}; "
        "install a build that has"
    )


def _architecture(text: str) -> tuple[str, int, int, str] | None:
    """Returns kind, major, minor and suffix of an architecture such as "sm_90a"."""
    found = re.fullmatch(r"(sm|compute)_(\d+)(\d)([af]?)", text)
    return found and (found[1], int(found[2]), int(found[3]), found[4])


@dataclass(frozen=True)
class Found:
    """What a worker finds of its GPU, before it joins the others.

    Attributes:
        device: The device; None if torch cannot use it.
        host: Name of the machine.
        why: Why torch cannot use it; None if it can.
    """

    device: Device | None
    host: str
    why: str | None


def find_gpu(device: Callable[[], torch.device], rank: int) -> Found:
    """Returns what this process finds of its GPU; raises nothing.

    Args:
        device: Function that returns the device, or raises.
        rank: Rank of the worker.
    """
    host = platform.node()
    try:
        why = why_no_gpu()
        return Found(None if why else Device.of(device(), rank), host, why)
    except Exception as error:
        return Found(None, host, reason(error))


def check_found(found: Sequence[Found]) -> None:
    """Checks that every worker has a GPU that torch can use, and that no two have the same.

    Raises:
        ConfigError: A worker has none.
    """
    problems: dict[str, list[str]] = {}
    for each in found:
        if each.why is not None and each.host not in problems.setdefault(each.why, []):
            problems[each.why].append(each.host)
    if problems:
        listed = [f"{_hosts(hosts)}: {why}" for why, hosts in problems.items()]
        raise ConfigError(
            f"ray_config.use_gpu: {'; '.join(listed)}; or leave ray_config.use_gpu out"
        )
    check_distinct(each.device for each in found if each.device is not None)


def _hosts(hosts: Sequence[str]) -> str:
    more = f" and {len(hosts) - _HOSTS} more" if len(hosts) > _HOSTS else ""
    return ", ".join(hosts[:_HOSTS]) + more
