"""A Slurm of two nodes on this machine, with daemons of its own that end with the block.

It needs Debian's packages `slurm-wlm` and `munge`, and root.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness.free_port import free_port

NODES = ("one", "two")

_CONF = """
ClusterName=soak
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={directory}/munge.socket,cred_expire=5
SlurmctldPort={port}
StateSaveLocation={directory}/state
SlurmdSpoolDir={directory}/spool-%n
SlurmctldPidFile={directory}/slurmctld.pid
SlurmdPidFile={directory}/slurmd-%n.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=10
SchedulerParameters=batch_sched_delay=1,sched_interval=1
JobRequeue=1
{nodes}
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


@dataclass(frozen=True)
class Slurm:
    """A running Slurm.

    Attributes:
        environment: Environment of commands of Slurm.
        directory: Directory of its state and of the home of its jobs.
    """

    environment: dict[str, str]
    directory: Path

    def call(self, *words: object) -> str:
        """Runs a command of Slurm; returns what it prints."""
        return subprocess.run(
            [*map(str, words)], env=self.environment, cwd=self.directory, text=True, check=True,
            capture_output=True, timeout=60,
        ).stdout  # fmt: skip

    def submit(self, script: Path, *words: object, **environment: object) -> int:
        """Hands a batch script in; returns the number of the job."""
        added = ",".join(["ALL", *(f"{name}={value}" for name, value in environment.items())])
        options = ["--parsable", f"--export={added}", "--nodes=2", "--cpus-per-task=2"]
        return int(self.call("sbatch", *options, script, *words))

    def job(self, number: int) -> dict[str, str]:
        """What Slurm says of a job."""
        words = self.call("scontrol", "--oneliner", "show", "job", number).split()
        return dict(word.split("=", 1) for word in words if "=" in word)

    def ended(self, number: int) -> bool:
        """Whether a job has ended for good."""
        return self.job(number)["JobState"] in ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT")


@contextmanager
def started_slurm(directory: Path) -> Iterator[Slurm]:
    """Starts munged, slurmctld and a slurmd for each node.

    Args:
        directory: Directory of all that they write; short, since sockets are in it.
    """
    key = directory / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o600)
    names = [
        f"NodeName={name} NodeHostname={socket.gethostname()} NodeAddr=127.0.0.1 "
        f"Port={free_port()} CPUs=4 State=UNKNOWN"
        for name in NODES
    ]
    conf = directory / "slurm.conf"
    conf.write_text(
        _CONF.format(
            host=socket.gethostname(),
            directory=directory,
            port=free_port(),
            nodes="\n".join(names),
        )
    )
    (directory / "state").mkdir()
    environment = {**os.environ, "SLURM_CONF": str(conf), "HOME": str(directory)}
    munge = {
        name: directory / f"munge.{name}"
        for name in ("socket", "pid-file", "log-file", "seed-file")
    }
    options = [f"--{name}={path}" for name, path in {**munge, "key-file": key}.items()]
    started: list[subprocess.Popen[bytes]] = []

    def start(*words: str) -> None:
        with (directory / f"{Path(words[0]).name}-{len(started)}.log").open("wb") as log:
            started.append(subprocess.Popen(words, env=environment, stdout=log, stderr=log))

    try:
        start("munged", "--foreground", "--force", *options)
        _wait_for(lambda: munge["socket"].exists(), "munged")
        start("slurmctld", "-D")
        for name in NODES:
            (directory / f"spool-{name}").mkdir()
            start("slurmd", "-D", "-N", name)
        slurm = Slurm(environment, directory)
        _wait_for(lambda: _idle(slurm) == len(NODES), "slurmd")
        yield slurm
        for line in slurm.call("squeue", "--noheader", "--format=%i").split():
            slurm.call("scancel", line)
        _wait_for(lambda: not slurm.call("squeue", "--noheader"), "the end of all jobs")
    finally:
        for process in reversed(started):
            process.terminate()
        for process in started:
            process.wait(30)
        shutil.rmtree(directory / "state", ignore_errors=True)


def _idle(slurm: Slurm) -> int:
    try:
        return slurm.call("sinfo", "--noheader", "--Node", "--format=%T").split().count("idle")
    except subprocess.CalledProcessError:
        return 0


def _wait_for(condition: object, what: str, seconds: float = 60) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.2)
