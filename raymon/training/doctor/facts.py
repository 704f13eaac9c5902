"""What was measured of machines, storage, network and data, for the checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class GpuFacts:
    """A GPU of a machine.

    Attributes:
        name: Name of the model.
        memory_bytes: Its memory.
        used_bytes: Memory that is taken.
        busy: Share of the time in which a kernel ran, from 0 to 1; None if it is not known.
        driver: Version of the driver.
    """

    name: str
    memory_bytes: int
    used_bytes: int
    busy: float | None
    driver: str


@dataclass(frozen=True)
class NodeFacts:
    """A machine, as a process of raymon on it sees it.

    Attributes:
        host: Name of the machine, with what tells it from others of that name.
        versions: Version of each package by name, and of "python"; None if it is not installed.
        cpus: CPUs that the process may use.
        memory_bytes: Memory of the machine, or the limit of the container.
        shared_memory_bytes: Size of /dev/shm; None if there is none.
        shared_memory_free_bytes: Free bytes of it.
        open_files: Most files that a process may have open.
        ephemeral_ports: Number of ports that connections may be given.
        gpus: Its GPUs.
        clock_offset_s: Seconds by which its clock is ahead of that of the asker; None of the asker.
        clock_error_s: Largest error of that.
        why_missing: Why nothing more is known of it; None if it answered.
    """

    host: str
    versions: Mapping[str, str | None] = field(default_factory=dict)
    cpus: int = 1
    memory_bytes: int = 0
    shared_memory_bytes: int | None = None
    shared_memory_free_bytes: int = 0
    open_files: int = 1 << 20
    ephemeral_ports: int = 28_232
    gpus: Sequence[GpuFacts] = ()
    clock_offset_s: float | None = None
    clock_error_s: float = 0.0
    why_missing: str | None = None


@dataclass(frozen=True)
class StorageFacts:
    """The directory of the run, as a machine sees it.

    Attributes:
        host: The machine.
        directory: Directory that was tried.
        is_shared: Whether it has what the driver wrote there.
        free_bytes: Free bytes; None if they are not known, as of object storage.
        write_bytes_per_s: Rate of writing; None if it was not tried.
        read_bytes_per_s: Rate of reading; None if it was not tried.
        small_write_s: Seconds to write a small file and remove it; None if it was not tried.
        error: Why it could not be written or read; None if it could.
    """

    host: str
    directory: str
    is_shared: bool = True
    free_bytes: int | None = None
    write_bytes_per_s: float | None = None
    read_bytes_per_s: float | None = None
    small_write_s: float | None = None
    error: str | None = None


@dataclass(frozen=True)
class LinkFacts:
    """The network from one machine to another.

    Attributes:
        source: Machine that sends.
        target: Machine that receives.
        bytes_per_s: Rate of one connection; None if there is none.
        error: Why they cannot connect; None if they can.
    """

    source: str
    target: str
    bytes_per_s: float | None = None
    error: str | None = None


@dataclass(frozen=True)
class DataFacts:
    """The files of the training data.

    Attributes:
        path: Path, as the config has it.
        row_group_rows: Rows of each row group of all files.
        file_bytes: Bytes of all files.
        streams: Streams that are read in parallel, over all workers.
        rows_per_s: Rows that one thread reads in a second; None if none was read.
        bytes_per_s: Bytes of the files that these rows took, in a second.
    """

    path: str
    row_group_rows: Sequence[int]
    file_bytes: int
    streams: int
    rows_per_s: float | None = None
    bytes_per_s: float | None = None


@dataclass(frozen=True)
class ModelFacts:
    """The sizes of the model.

    Attributes:
        checkpoint_bytes: Bytes of a checkpoint, about.
        dense_bytes: Bytes of the gradients that workers exchange in a step, about.
    """

    checkpoint_bytes: int
    dense_bytes: int


@dataclass(frozen=True)
class Facts:
    """All that is known before a run.

    Attributes:
        nodes: Machines that workers may be on.
        is_cluster: Whether they are those of a Ray cluster; else it is this machine alone.
        workers: Workers of the run; 0 if it is in the process of the driver, None without a config.
        use_gpu: Whether each worker needs a GPU.
        keeps_checkpoints: Checkpoints that are kept.
        reads_by_ray: Whether `ray.data` reads the data.
        is_sharded: Whether TorchRec holds the embedding tables.
        storage: The directory of the run, from each machine; empty without a config.
        links: Network between machines.
        data: Training data; None without a config, or where no files are read.
        model: Sizes of the model; None without a config.
        taken_ports: Ports of this machine that Ray would listen on and that are taken, by use.
        refusals: What refuses the run before it starts, by check: a config, its data, or a cluster
            that is too small.
    """

    nodes: Sequence[NodeFacts]
    is_cluster: bool = False
    workers: int | None = None
    use_gpu: bool = False
    keeps_checkpoints: int = 1
    reads_by_ray: bool = False
    is_sharded: bool = False
    storage: Sequence[StorageFacts] = ()
    links: Sequence[LinkFacts] = ()
    data: DataFacts | None = None
    model: ModelFacts | None = None
    taken_ports: Mapping[str, int] = field(default_factory=dict)
    refusals: Sequence[tuple[str, str]] = ()
