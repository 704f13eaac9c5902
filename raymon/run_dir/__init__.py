"""The directory of a run: whether it can be written, and which run writes to it."""

from raymon.run_dir.failure_file import failure_path, naming, write_failure
from raymon.run_dir.lease import LOCK, Lease, read_lease
from raymon.run_dir.lock import RunLock
from raymon.run_dir.model_dir import check_writable
from raymon.run_dir.sign_of_life import SignOfLife

__all__ = [
    "LOCK",
    "Lease",
    "RunLock",
    "SignOfLife",
    "check_writable",
    "failure_path",
    "naming",
    "read_lease",
    "write_failure",
]
