"""A trial as an actor of Ray Tune: trains in its process, or by workers that it asks Ray for."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ray.tune import Trainable

from raymon.config import allow_custom_classes
from raymon.errors import TrainingError
from raymon.log import set_up_logging
from raymon.metrics import register_metric
from raymon.run_dir import read_lease
from raymon.storage import storage_path
from raymon.training.checkpoint.manifest import newest_checkpoint
from raymon.tuning.lineage import Origin, read_lineage, take_over, write_lineage
from raymon.tuning.plan import SweepPlan
from raymon.tuning.trial_run import End, Report, TrialRun

STEP, VALUE, STATUS = "global_step", "value", "status"
"""What a result has: the step, the value of the metric, and at the end the status of the run."""

WORST = 1e30
"""Size of the value that Ray Tune gets for one that does not exist, the worst of all."""

_STOP_S = 90.0
"""Seconds that a run has to save and stop."""

_FREE_S = 120.0
"""Seconds that the directory of a trial has to become free."""


@dataclass(frozen=True)
class TrialSettings:
    """What all trials of a sweep have in common.

    Attributes:
        plan: Plan of the sweep.
        metrics: Metrics that the driver registered, by name.
        has_custom_classes: Whether the config may name classes whose code is run.
    """

    plan: SweepPlan
    metrics: Mapping[str, Any]
    has_custom_classes: bool


class TrialActor(Trainable):
    """A trial; a call of `step` returns its next report."""

    def setup(self, config: dict[str, Any], settings: TrialSettings | None = None) -> None:
        """Prepares the process; nothing is trained yet."""
        assert settings is not None
        self._settings, self._values = settings, dict(config["values"])
        self._run: TrialRun | None = None
        self._donor: tuple[str, int] | None = None
        self._last: dict[str, Any] = {}
        # The driver says what there is to say.
        set_up_logging("WARNING")
        if settings.has_custom_classes:
            allow_custom_classes()
        for name, cls in settings.metrics.items():
            register_metric(name, cls)

    def step(self) -> dict[str, Any]:
        """Returns the next report of the run, or with `done` how it ended.

        Raises:
            TrainingError: The run failed.
        """
        run = self._run = self._run or self._begin()
        found = run.next()
        if isinstance(found, End):
            if found.summary is None:
                raise TrainingError(found.error or "the run failed")
            return {**self._last, "done": True, STATUS: found.summary.status}
        self._last = self._result(found)
        return dict(self._last)

    def save_checkpoint(self, checkpoint_dir: str) -> dict[str, Any]:
        """Returns where the checkpoint of the last report is: it is in the directory of the run."""
        return {"trial": self.trial_name, STEP: int(self._last.get(STEP, 0))}

    def load_checkpoint(self, checkpoint: dict[str, Any] | None) -> None:
        """Goes on from a checkpoint of this trial, or of another one."""
        if checkpoint is not None and checkpoint["trial"] != self.trial_name:
            self._donor = (str(checkpoint["trial"]), int(checkpoint[STEP]))

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Becomes another trial, or the same one with other values, in the same process."""
        self.cleanup()
        self._values, self._donor, self._last = dict(new_config["values"]), None, {}
        return True

    def cleanup(self) -> None:
        """Has the run saved and stopped, at the same step on all ranks."""
        run, self._run = self._run, None
        if run is not None and not run.stop(_STOP_S):
            # Whatever hangs there ends with its process; what Ray started for it does too.
            os._exit(1)

    def _begin(self) -> TrialRun:
        plan, name = self._settings.plan, self.trial_name
        directory = plan.trial_dir(name)
        self._wait_until_free()
        if self._donor is not None:
            donor, step = self._donor
            kept = plan.directory / "replaced" / f"{name}-{int(time.time() * 1000)}"
            begin = take_over(plan.trial_dir(donor), step, directory, kept)
        else:
            newest = newest_checkpoint(directory)
            begin = 0 if newest is None else newest.step
        lineage = read_lineage(directory)
        if self._donor is not None or not lineage or lineage[-1].values != self._values:
            write_lineage(directory, [*lineage, Origin(begin, name, self._values)])
        self._donor = None
        run = TrialRun(
            plan.trial_config(name, self._values),
            in_training=plan.in_training,
            at_checkpoints=plan.exploits,
        )
        run.start()
        return run

    def _wait_until_free(self) -> None:
        """Waits until an actor that had this trial before has left its directory."""
        directory = self._settings.plan.trial_dir(self.trial_name)
        deadline = time.monotonic() + _FREE_S
        while time.monotonic() < deadline:
            lease = read_lease(storage_path(directory))
            if lease is None or lease.is_over:
                return
            time.sleep(0.2)

    def _result(self, report: Report) -> dict[str, Any]:
        plan = self._settings.plan
        if plan.metric not in report.values:
            names = ", ".join(report.values) or "none"
            raise TrainingError(f'metric "{plan.metric}" is not reported; there are {names}')
        value = report.values[plan.metric]
        if not math.isfinite(value):
            value = -WORST if plan.larger_is_better else WORST
        return {STEP: report.step, VALUE: value}
