"""How long until the first step: raymon beside a minimal `TorchTrainer`.

Two workers each, in turns, on one local cluster that is already running; a first round warms up and
does not count. Measured are the seconds from the call of `raymon.train`, or of the constructor and
`fit` of the trainer, until the later worker begins with its first step, and until the call returns
after 5 steps and one checkpoint. Then the same for programs that connect to the cluster, `raymon
train` and a script, from the start of the process.

raymon reads a config, checks it and its data, and starts its reporter. The trainer has a model of
the same layers, one batch in memory, and Ray's default settings.

All run in an environment that has what `pip install raymon` installs, and no more. The calls are
measured again in the environment of the benchmarks: there torchmetrics finds scipy and matplotlib,
and imports them, which takes 0.9 s of CPU time in the reporter and in each worker.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks.contenders.starts import CALL, MINIMAL, PROGRAM, RAYMON, Times, starts
from benchmarks.harness import Case, Ratio, Result, Target
from benchmarks.harness.as_installed import environment_of

ROUNDS = 4
LATER_S = 1.0
"""Most seconds by which raymon may begin later."""

FIRST, END = "to the first step", "to the end"
BESIDE = "from the call, scipy and matplotlib are there"

Key = tuple[str, str, str]
"""Kind of start, end of the measured seconds, and contender."""

Cases = Mapping[Key, Case]


def run(rounds: int, quick: bool) -> Result:
    """Runs all contenders in turns, in one environment and then in the other."""
    warm_up = 0 if quick else 1
    with tempfile.TemporaryDirectory() as temporary:
        python = environment_of("raymon", Path(temporary) / "environment")
        found = starts(python, warm_up + rounds, [CALL] if quick else [CALL, PROGRAM])
    if not quick:
        beside = starts(Path(sys.executable), warm_up + rounds, [CALL])
        found |= {(BESIDE, name): times for (_, name), times in beside.items()}
    cases = dict(_cases({key: times[warm_up:] for key, times in found.items()}))
    return Result("start_up", list(cases.values()), list(_ratios(cases)), [_later(cases)])


def _cases(found: Mapping[tuple[str, str], list[Times]]) -> Iterator[tuple[Key, Case]]:
    for kind in dict.fromkeys(kind for kind, _ in found):
        for i, end in enumerate((FIRST, END)):
            for name in (RAYMON, MINIMAL):
                seconds = [times[i] for times in found[kind, name]]
                yield (kind, end, name), Case(name, "s", seconds, f"{kind} {end}")


def _ratios(cases: Cases) -> Iterator[Ratio]:
    for kind, end in dict.fromkeys(key[:2] for key in cases):
        ours, peer = cases[kind, end, RAYMON], cases[kind, end, MINIMAL]
        yield Ratio.share(f"seconds {kind} {end}", ours, peer, at_least=False)


def _later(cases: Cases) -> Target:
    later = cases[CALL, FIRST, RAYMON].median - cases[CALL, FIRST, MINIMAL].median
    name = "seconds by which the first step of raymon is later"
    return Target(name, later, LATER_S, later <= LATER_S)
