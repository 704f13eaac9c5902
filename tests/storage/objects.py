"""Object storage in this process: keys with bytes, which cannot grow. It can be made to fail."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from typing import Any

import pyarrow as pa
from pyarrow import fs

from raymon.storage import ObjectPath


class Objects(fs.FileSystemHandler):
    """Storage as S3 looks through pyarrow: a directory exists with an object in it.

    Attributes:
        objects: Bytes by key.
        puts: Number of puts, including those that failed.
        fails: Function called before each request with its kind ("put", "get", "list", "delete");
            it may raise.
        arrives: Whether a put that fails has happened all the same.
    """

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.puts = 0
        self.fails: Callable[[str], None] = lambda kind: None
        self.arrives: Callable[[], bool] = lambda: False

    def path(self, name: str = "run") -> ObjectPath:
        """A path on this storage."""
        return ObjectPath(fs.PyFileSystem(self), f"bucket/{name}", f"mem://bucket/{name}")

    def put(self, key: str, data: bytes) -> None:
        self.puts += 1
        try:
            self.fails("put")
        except OSError:
            if self.arrives():
                self.objects[key] = data
            raise
        self.objects[key] = data

    def get_type_name(self) -> str:
        return "mem"

    def normalize_path(self, path: str) -> str:
        return path

    def get_file_info(self, paths: list[str]) -> list[fs.FileInfo]:
        self.fails("list")
        return [self._info(path) for path in paths]

    def get_file_info_selector(self, selector: fs.FileSelector) -> list[fs.FileInfo]:
        self.fails("list")
        under = f"{selector.base_dir}/"
        rest = [key.removeprefix(under) for key in self.objects if key.startswith(under)]
        names = rest if selector.recursive else sorted({r.partition("/")[0] for r in rest})
        return [self._info(under + name) for name in names]

    def delete_file(self, path: str) -> None:
        self.fails("delete")
        if path not in self.objects:
            raise FileNotFoundError(path)
        del self.objects[path]

    def delete_dir(self, path: str) -> None:
        self.fails("delete")
        keys = [key for key in self.objects if key.startswith(f"{path}/")]
        if not keys:
            raise FileNotFoundError(path)
        for key in keys:
            del self.objects[key]

    def open_input_file(self, path: str) -> Any:
        self.fails("get")
        if path not in self.objects:
            raise FileNotFoundError(path)
        return pa.PythonFile(io.BytesIO(self.objects[path]), mode="r")

    open_input_stream = open_input_file

    def open_output_stream(self, path: str, metadata: Any) -> Any:
        return pa.PythonFile(_Upload(self, path), mode="w")

    def _info(self, path: str) -> fs.FileInfo:
        if path in self.objects:
            return fs.FileInfo(path, fs.FileType.File, size=len(self.objects[path]))
        is_there = any(key.startswith(f"{path}/") for key in self.objects)
        return fs.FileInfo(path, fs.FileType.Directory if is_there else fs.FileType.NotFound)

    def _not_for_objects(self, *_: Any) -> Any:
        raise NotImplementedError

    create_dir = delete_dir_contents = delete_root_dir_contents = move = _not_for_objects
    copy_file = open_append_stream = _not_for_objects


class _Upload(io.RawIOBase):
    """An upload whose object exists once it is closed."""

    def __init__(self, objects: Objects, key: str) -> None:
        self._objects, self._key, self._data = objects, key, bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._data += data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._objects.put(self._key, bytes(self._data))


def now_and_then(rng: random.Random, share: float = 0.3) -> Callable[[str], None]:
    """Returns a function that raises for a share of all requests."""

    def fail(kind: str) -> None:
        if rng.random() < share:
            raise OSError(f"503 SlowDown: {kind}")

    return fail
