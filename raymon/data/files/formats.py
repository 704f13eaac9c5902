"""The formats of data files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

import pyarrow as pa

from raymon.data.files.csv_file import CsvFile, CsvFormat
from raymon.data.files.data_file import DataFile
from raymon.data.files.found_file import FoundFile, find_files
from raymon.data.files.ipc_file import IpcFile
from raymon.data.files.parquet import ParquetFile
from raymon.errors import DataError, first_line
from raymon.protos.data_pb2 import DataConfig, DatasetType, FieldType


class FileKind(StrEnum):
    """The kind of files that data is in."""

    PARQUET = "a Parquet file"
    CSV = "a CSV file"
    IPC = "an Arrow IPC file"


_ENDINGS = {
    FileKind.PARQUET: (".parquet", ".parq", ".pq", ".parquet.gzip"),
    FileKind.CSV: tuple(
        plain + packed for plain in (".csv", ".tsv") for packed in ("", ".gz", ".bz2", ".zst")
    ),
    FileKind.IPC: (".arrow", ".feather", ".ipc"),
}


_TYPES = {
    FieldType.INT32: pa.int32(),
    FieldType.INT64: pa.int64(),
    FieldType.STRING: pa.string(),
    FieldType.FLOAT: pa.float32(),
    FieldType.DOUBLE: pa.float64(),
}
_MAGIC = {FileKind.PARQUET: b"PAR1", FileKind.IPC: b"ARROW1"}
_DATASETS = {
    FileKind.PARQUET: "ParquetDataset",
    FileKind.CSV: "CsvDataset",
    FileKind.IPC: "ArrowIpcDataset",
}


@dataclass(frozen=True)
class FileFormat:
    """The format of data files.

    Attributes:
        kind: Kind of the files.
        csv: Format of the lines of CSV files.
    """

    kind: FileKind = FileKind.PARQUET
    csv: CsvFormat = field(default_factory=CsvFormat)

    @property
    def limitation(self) -> str:
        """What the format cannot tell, in words; "" if nothing is missing."""
        if self.kind is FileKind.CSV:
            return (
                "CSV tells neither how many rows there are nor where one begins: every worker "
                "reads all files once to find out, and compressed ones again up to its place"
            )
        if self.kind is FileKind.IPC:
            return (
                "Arrow IPC does not tell how many rows there are: every worker looks at all "
                "record batches once to find out"
            )
        return ""


def format_of(data: DataConfig) -> FileFormat:
    """Returns the format of the files that a config reads."""
    if data.dataset_type == DatasetType.ArrowIpcDataset:
        return FileFormat(FileKind.IPC)
    if data.dataset_type in (DatasetType.ParquetDataset, DatasetType.RayDataset):
        return FileFormat(FileKind.PARQUET)
    types = {
        column.input_name: _TYPES[column.input_type] if column.HasField("input_type") else None
        for column in data.input_fields
    }
    return FileFormat(FileKind.CSV, CsvFormat(data.delimiter, data.with_header, types))


def kinds_by_ending(name: str) -> list[FileKind]:
    """Returns the kind of a file by the ending of its name, in either case: one or none."""
    return [kind for kind, own in _ENDINGS.items() if name.lower().endswith(own)]


def format_by_ending(path: str, usual: FileFormat) -> FileFormat:
    """Returns the format of the files that a path means, by their endings.

    Args:
        path: Path, as `open_files` takes it.
        usual: Format that is returned if there are files of it, or none of any known ending. CSV,
            if it is not the usual format, has a header.

    Raises:
        DataError: The path cannot be listed, or means files of several formats but the usual one.
    """
    names = [file.path.lower() for file in input_files(path, usual.kind)]
    kinds = {kind for name in names for kind in kinds_by_ending(name)}
    if usual.kind in kinds or not kinds:
        return usual
    if len(kinds) > 1:
        raise DataError(f"{path}: means {' and '.join(sorted(kinds))}; give files of one format")
    tabs = all(".tsv" in name for name in names)
    return FileFormat(kinds.pop(), CsvFormat("\t" if tabs else ",", with_header=True))


def input_files(path: str, kind: FileKind = FileKind.PARQUET) -> list[FoundFile]:
    """Returns the files that a path means, of any format.

    Args:
        path: Path, as `open_files` takes it.
        kind: Kind of files that a message asks for.

    Raises:
        DataError: There is no such file.
    """
    endings = [ending for of_kind in _ENDINGS.values() for ending in of_kind]
    return find_files(path, endings, kind)


def parquet_paths(path: str) -> list[str]:
    """Returns the paths of the Parquet files that a path means, as `find_files` finds them.

    Raises:
        DataError: There is no such file.
    """
    file_format = FileFormat(FileKind.PARQUET)
    return [file.path for file in open_files(path, file_format)]


def open_files(
    path: str, file_format: FileFormat | None = None, skipped: list[str] | None = None
) -> list[DataFile]:
    """Opens all files that a path means, as `find_files` finds them.

    Args:
        path: A file, a directory, or a glob; several are separated by commas. A file that two of
            them mean is read twice.
        file_format: Format of the files; None for Parquet.
        skipped: Receives a message for each file that is of another format; None if that is an
            error.

    Raises:
        DataError: There is no file, or one that is not of the format.
    """
    file_format = file_format or FileFormat()
    kind, files = file_format.kind, []
    for found in find_files(path, _ENDINGS[kind], kind):
        try:
            _check_kind(found, kind)
            files.append(_opener(file_format)(found))
        except DataError as error:
            message = str(error)
        except (FileNotFoundError, PermissionError, UnicodeError) as error:
            message = f"{found.path}: cannot be opened: {first_line(error)}"
        except (pa.ArrowException, OSError, EOFError) as error:
            message = f"{found.path}: is not {kind}: {first_line(error)}"
        else:
            continue
        if skipped is None:
            raise DataError(message)
        skipped.append(message)
    return files or _no_file(path)


def _check_kind(found: FoundFile, kind: FileKind) -> None:
    with found.open() as source:
        begin = bytes(source.read(8))
    for other, magic in _MAGIC.items():
        if other is not kind and begin.startswith(magic):
            raise DataError(f"{found.path}: is not {kind}: it is {other}; {_remedy(other)}")
    looks = kinds_by_ending(found.path)
    if begin and FileKind.CSV in looks and kind in _MAGIC and not begin.startswith(_MAGIC[kind]):
        raise DataError(f"{found.path}: is not {kind}; {_remedy(FileKind.CSV)}")


def _remedy(kind: FileKind) -> str:
    return f"set data_config.dataset_type: {_DATASETS[kind]}"


def _opener(file_format: FileFormat) -> Callable[[FoundFile], DataFile]:
    if file_format.kind is FileKind.CSV:
        return lambda found: CsvFile(found, file_format.csv)
    return IpcFile if file_format.kind is FileKind.IPC else ParquetFile


def _no_file(path: str) -> list[DataFile]:
    raise DataError(f"{path}: no file of it can be read")
