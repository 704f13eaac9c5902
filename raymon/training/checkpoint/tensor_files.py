"""Tensors in files of `torch.distributed.checkpoint`, readable on any number of ranks.

The index of these files is a pickle, which could run any code; here it may only name the few
classes that it consists of. The import takes half a second, so this module is imported where it is
needed.
"""

from __future__ import annotations

import io
import pickle
import tempfile
import warnings
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from os import PathLike
from pathlib import Path
from typing import Any, cast

import torch
import torch.distributed as dist
from torch.distributed.checkpoint.api import CheckpointException
from torch.distributed.checkpoint.filesystem import FileSystem, FileSystemReader, FileSystemWriter
from torch.distributed.checkpoint.metadata import Metadata, TensorStorageMetadata
from torch.distributed.checkpoint.state_dict_loader import load
from torch.distributed.checkpoint.state_dict_saver import save

from raymon.embeddings import TableShards
from raymon.errors import RunError, TrainingError, reason
from raymon.storage import ObjectPath, StoragePath
from raymon.training.checkpoint.manifest import INDEX
from raymon.training.checkpoint.shard_planners import LoadPlanner, SavePlanner, entries

_MODULES = {
    "torch.distributed.checkpoint.metadata": {
        "BytesStorageMetadata",
        "ChunkStorageMetadata",
        "Metadata",
        "MetadataIndex",
        "StorageMeta",
        "TensorProperties",
        "TensorStorageMetadata",
        "_MEM_FORMAT_ENCODING",
    },
    "torch.distributed.checkpoint.filesystem": {"_StorageInfo"},
    "torch.serialization": {"_get_layout"},
    "torch": {"Size"},
    "pathlib": {"PosixPath", "Path", "PurePosixPath"},
    "collections": {"OrderedDict"},
}


def write_tensors(
    path: Path,
    tensors: Mapping[str, torch.Tensor | TableShards],
    group: dist.ProcessGroup | None,
    at_work: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> None:
    """Writes the tensors of this rank; every rank calls it with different tensors.

    Args:
        path: Directory for the files.
        tensors: Tensors on the CPU, whose names no other rank has, and parts of sharded tables,
            whose names all ranks have.
        group: Process group of all ranks; None for one rank.
        at_work: Makes the context in which this rank writes; outside of it, it waits for others.

    Raises:
        TrainingError: A rank could not write its part; then all ranks raise.
    """
    # Copying ahead, where torch sees a GPU, waits for the training stream each megabyte, although
    # there is nothing to copy.
    writer = _Writer(
        at_work, path, single_file_per_rank=True, sync_files=True, per_thread_copy_ahead=0
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="torch.distributed is disabled")
        try:
            save(
                entries(tensors),
                storage_writer=writer,
                planner=SavePlanner(),
                process_group=group,
                no_dist=group is None,
            )
        except CheckpointException as error:
            raise TrainingError(_first_cause(error)) from None


class _Writer(FileSystemWriter):
    """A writer that says when it writes."""

    def __init__(
        self, at_work: Callable[[], AbstractContextManager[None]], path: Path, **settings: Any
    ) -> None:
        super().__init__(path, **settings)
        self._at_work = at_work

    def write_data(self, plan: Any, planner: Any) -> Any:
        with self._at_work():
            return super().write_data(plan, planner)


def tensor_shapes(path: StoragePath) -> dict[str, tuple[torch.Size, torch.dtype]]:
    """Returns the shape and the type of all tensors in a directory, by name.

    Raises:
        RunError: The index is damaged, or not one of raymon.
    """
    known = _Reader(path).read_metadata().state_dict_metadata
    return {
        name: (entry.size, entry.properties.dtype)
        for name, entry in known.items()
        if isinstance(entry, TensorStorageMetadata)
    }


def read_tensors(path: StoragePath, into: Mapping[str, torch.Tensor | TableShards]) -> None:
    """Reads tensors into existing memory, whichever ranks wrote them.

    Args:
        path: Directory with the files.
        into: Tensors of the right shapes by name, on any device, or parts of them.

    Raises:
        RunError: A file is damaged.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="torch.distributed is disabled")
        try:
            wanted = entries(into)
            planner = LoadPlanner(wanted)
            load(wanted, storage_reader=_Reader(path), planner=planner, no_dist=True)
        except CheckpointException as error:
            raise RunError(f"{path}: cannot be read: {_first_cause(error)}") from None


def _first_cause(error: CheckpointException) -> str:
    """Returns what went wrong on the first rank that failed."""
    found: BaseException = next(iter(error.failures.values()))[0]
    cause: BaseException | None = found
    while cause is not None and not isinstance(cause, OSError):
        # On a full disk, torch only reports an unexpected file position.
        cause = cause.__cause__ or cause.__context__
    return reason(cause or found)


class _Reader(FileSystemReader):
    """A reader that runs no code from the files that it reads."""

    def __init__(self, path: StoragePath) -> None:
        super().__init__(path if isinstance(path, Path) else Path(path.name))
        self._directory = path
        if not isinstance(path, Path):
            self.fs = _Fetched(path)

    def read_metadata(self, *_: Any, **__: Any) -> Metadata:
        try:
            metadata = _Unpickler(io.BytesIO((self._directory / INDEX).read_bytes())).load()
        except OSError:
            raise
        except Exception as error:
            raise RunError(f"{self._directory / INDEX}: cannot be read: {error}") from None
        if not isinstance(metadata, Metadata):
            raise RunError(f"{self._directory / INDEX}: is no index of tensors")
        if metadata.storage_meta is not None:
            metadata.storage_meta.load_id = self.load_id
        return metadata


class _Fetched(FileSystem):
    """The files of a directory on object storage, each downloaded while it is read.

    Tensors are read in many small pieces.
    """

    def __init__(self, directory: ObjectPath) -> None:
        self._directory = directory

    @contextmanager
    def create_stream(
        self, path: str | PathLike[str], mode: str
    ) -> Generator[io.IOBase, None, None]:
        with tempfile.TemporaryDirectory(prefix="raymon-") as here:
            file = Path(here, "file")
            (self._directory / Path(path).name).download(file)
            with file.open(mode) as stream:
                yield cast(io.IOBase, stream)


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if module == "pathlib._local":
            # Only Python 3.13 has paths there; the other versions read its checkpoints too.
            module = "pathlib"
        if module == "torch" and isinstance(getattr(torch, name, None), torch.dtype):
            return getattr(torch, name)
        if name in _MODULES.get(module, ()):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} has no place in a checkpoint")
