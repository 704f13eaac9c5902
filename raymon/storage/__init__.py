"""The storage of runs: paths of this machine, and URIs of object storage."""

from raymon.storage.atomic_write import drafted, write_whole
from raymon.storage.file_entry import FileEntry, first_difference
from raymon.storage.object_log import ObjectLog, read_part_name
from raymon.storage.object_path import ObjectPath
from raymon.storage.paths import StoragePath, absolute, storage_path
from raymon.storage.regular_file import open_file, read_file
from raymon.storage.trees import copy_tree, fetched, file_sizes, move_tree, remove_tree, upload
from raymon.storage.uri import check_no_credentials, open_uri, split_query, with_few_tries
from raymon.strict_json import numbers_of, to_json

__all__ = [
    "FileEntry",
    "ObjectLog",
    "ObjectPath",
    "StoragePath",
    "absolute",
    "check_no_credentials",
    "copy_tree",
    "drafted",
    "fetched",
    "file_sizes",
    "first_difference",
    "move_tree",
    "numbers_of",
    "open_file",
    "open_uri",
    "read_file",
    "read_part_name",
    "remove_tree",
    "split_query",
    "storage_path",
    "to_json",
    "upload",
    "with_few_tries",
    "write_whole",
]
