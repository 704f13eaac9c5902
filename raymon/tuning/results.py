"""What came of a sweep, as `sweep.json` has it: read from the directories of its trials."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from raymon.errors import RaymonError, RunError
from raymon.runs import KILLED, RUNNING, STARTING, Run
from raymon.storage import StoragePath, read_file, to_json, write_whole
from raymon.tuning.lineage import Origin, read_lineage
from raymon.tuning.parameters import Value
from raymon.tuning.plan import SweepPlan
from raymon.version import __version__

SWEEP_FILE = "sweep.json"

WAITING, PRUNED = "waiting", "pruned"
"""Statuses of a trial beside those of a run: not begun yet, and ended early by the scheduler."""

FINISHED = frozenset({"done", "diverged", PRUNED})
"""Statuses of trials that a resumed sweep does not run again."""


@dataclass(frozen=True)
class Curve:
    """The metric of a trial by step: steps `[N]`, ascending, and values `[N]`, none NaN."""

    steps: NDArray[np.float64]
    values: NDArray[np.float64]


@dataclass(frozen=True)
class TrialResult:
    """A trial of a sweep.

    Attributes:
        trial: Its name.
        directory: Directory of its run.
        values: Its values by the paths of fields; with population based training the last ones.
        status: `waiting`, `running`, `done`, `pruned`, `stopped`, `diverged`, `failed`,
            `interrupted` or `killed`.
        steps: Steps that its run made; 0 if it has not begun.
        best_value: Best value of the metric; None if there is none.
        best_step: Step of that value.
        last_value: Newest value of the metric.
        last_step: Step of that value.
        error: Why it failed, in one line.
        lineage: What its model was trained with, oldest part first.
        curve: Its metric by step; not in `sweep.json`, as the directory of the run has it.
    """

    trial: str
    directory: str
    values: Mapping[str, Value]
    status: str = WAITING
    steps: int = 0
    best_value: float | None = None
    best_step: int | None = None
    last_value: float | None = None
    last_step: int | None = None
    error: str | None = None
    lineage: Sequence[Origin] = ()
    curve: Curve | None = field(default=None, compare=False, repr=False)

    def to_json(self) -> dict[str, Any]:
        """Returns the trial as `sweep.json` has it."""
        plain = asdict(replace(self, curve=None))
        del plain["curve"]
        return plain


@dataclass(frozen=True)
class SweepResult:
    """A sweep, going on or over.

    Attributes:
        status: `running`, `done`, `interrupted` or `failed`: no trial came to an end.
        directory: Its directory.
        metric: Metric by which trials are compared.
        in_training: Whether it is one of the training, and not of evaluations.
        larger_is_better: Whether larger values of it are better.
        trials: Its trials by name, the best first once they are `ranked`.
        start: Seconds since 1970, UTC, at its first start.
        end: The same of its end; None while it goes on.
        total_steps: Steps of a trial that is not ended early; None if not known.
        space: The space as text, which a resumed sweep has to have too.
    """

    status: str
    directory: str
    metric: str
    in_training: bool
    larger_is_better: bool
    trials: Sequence[TrialResult]
    start: float
    end: float | None = None
    total_steps: int | None = None
    space: str = ""

    @property
    def best(self) -> TrialResult | None:
        """The trial with the best value of the metric; None if none has a value."""
        ranked = self.ranked()
        return ranked[0] if ranked and ranked[0].best_value is not None else None

    def ranked(self) -> list[TrialResult]:
        """Returns the trials, the best first, those without a value last."""
        sign = -1.0 if self.larger_is_better else 1.0

        def key(trial: TrialResult) -> tuple[float, str]:
            value = trial.best_value
            return (math.inf if value is None else sign * value, trial.trial)

        return sorted(self.trials, key=key)

    def to_json(self) -> dict[str, Any]:
        """Returns the content of `sweep.json`."""
        best = self.best
        return {
            "version": __version__,
            "status": self.status,
            "directory": self.directory,
            "metric": self.metric,
            "metric_source": "TRAINING" if self.in_training else "EVALUATION",
            "larger_is_better": self.larger_is_better,
            "total_steps": self.total_steps,
            "start": self.start,
            "end": self.end,
            "updated": time.time(),
            "best": None if best is None else best.trial,
            "trials": [trial.to_json() for trial in self.trials],
            "space": self.space,
        }

    def write(self) -> None:
        """Writes `sweep.json`, whole or not at all.

        Raises:
            OSError: It is not written.
        """
        from raymon.storage import storage_path

        path = storage_path(self.directory) / SWEEP_FILE
        write_whole(path, f"{to_json(self.to_json(), indent=2)}\n".encode())


def read_sweep(directory: StoragePath) -> dict[str, Any] | None:
    """Returns the content of `sweep.json`; None if there is none.

    Raises:
        RunError: It cannot be read.
    """
    path = directory / SWEEP_FILE
    try:
        known = json.loads(read_file(path))
        assert isinstance(known["trials"], list)
        return dict(known)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, pa.ArrowException, ValueError, KeyError, TypeError, AssertionError):
        raise RunError(f"{path}: cannot be read; it is not what a sweep has written") from None


def trial_result(
    plan: SweepPlan,
    name: str,
    values: Mapping[str, Value],
    status: str | None = None,
    error: str | None = None,
) -> TrialResult:
    """Returns what came of a trial, by the files of its run.

    Args:
        plan: Plan of the sweep.
        name: Name of the trial.
        values: Its values, if its directory does not say.
        status: Its status, if the sweep knows better than the run: that it was pruned, or failed.
        error: Why it failed.
    """
    directory = plan.trial_dir(name)
    lineage = read_lineage(directory)
    result = TrialResult(
        name,
        str(directory),
        lineage[-1].values if lineage else values,
        status or WAITING,
        error=error,
        lineage=lineage,
    )
    try:
        run = Run(directory)
    except RunError:
        return result
    summary = run.summary
    curve = curve_of(plan, run)
    result = replace(
        result,
        status=status or _status(run),
        steps=int(summary.get("steps") or 0),
        error=error or summary.get("error"),
        curve=curve,
    )
    if not len(curve.values):
        return result
    best = int(curve.values.argmax() if plan.larger_is_better else curve.values.argmin())
    return replace(
        result,
        best_value=float(curve.values[best]),
        best_step=int(curve.steps[best]),
        last_value=float(curve.values[-1]),
        last_step=int(curve.steps[-1]),
    )


def curve_of(plan: SweepPlan, run: Run) -> Curve:
    """Returns the metric of a run by step, without steps at which it has no value."""
    if plan.in_training:
        columns, kinds = run.series, ["metrics", "losses"]
    else:
        columns, kinds = run.evaluation_series, ["metrics"]
    found = np.full(len(columns), np.nan)
    for kind in kinds:
        with suppress(RaymonError):
            column = columns.column(f"{kind}.{plan.metric}")
            found = np.where(np.isnan(found), column, found)
    known = np.isfinite(found)
    return Curve(columns.step[known], found[known])


def _status(run: Run) -> str:
    status = run.status
    return status if status not in (RUNNING, STARTING, KILLED) else KILLED
