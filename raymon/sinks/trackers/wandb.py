"""The sink that writes to Weights & Biases."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from raymon.errors import UserError
from raymon.results import CheckpointSaved, RunEnded
from raymon.sinks.trackers.checkpoints import ARTIFACT, NONE, check_log_checkpoints, remembered
from raymon.sinks.trackers.client import Memory, TrackerClient, redacted
from raymon.sinks.trackers.events import AlertLine, Event, Points, TrackedRun
from raymon.sinks.trackers.tracker_sink import TrackerSink
from raymon.storage import fetched, storage_path

MODES = ("online", "offline")

_INIT_S = 20.0
_EXIT = {"done": 0, "stopped": 0, "interrupted": 255}
_FLUSHED = {"x_transaction_log_flush_interval": 1.0}
"""A setting of newer versions: seconds after which rows are in the file of a run."""

_UNSAVED_ROWS = 100
"""Rows that a process may have written, and not kept that it did, before it was killed."""


class WandB(TrackerSink):
    """A sink that writes to a run of Weights & Biases.

    Each row of its history has `global_step` and `attempt`, and `global_step` is the axis of all
    charts. Tags are those of TensorBoard, those of evaluations with `eval_val/` before them. A run
    that goes on has the same id; steps that are made again after a restart are rows with a later
    `attempt`.

    The key comes from the environment, `WANDB_API_KEY`, or from `wandb login`.

    Args:
        project: Name of the project.
        entity: User or team that it belongs to; by default that of the key.
        run_name: Name of the run; by default that of the directory of the run.
        group: Group of the run.
        tags: Tags of the run.
        mode: `online`, or `offline` for files that `wandb sync` uploads later.
        directory: Directory on the machine of the reporter where its files are; by default that of
            the run, if it is on a disk.
        log_checkpoints: `LINK` writes where the newest checkpoint is into the summary, `ARTIFACT`
            uploads each, `NONE` does neither.
    """

    def __init__(
        self,
        *,
        project: str = "raymon",
        entity: str = "",
        run_name: str = "",
        group: str = "",
        tags: Sequence[str] = (),
        mode: str = "online",
        directory: str = "",
        log_checkpoints: str = "LINK",
    ) -> None:
        init = {
            "project": project,
            "entity": entity or None,
            "name": run_name or None,
            "group": group or None,
            "tags": list(tags) or None,
        }
        where = str(Path(directory).absolute()) if directory else ""
        check_log_checkpoints(log_checkpoints)
        if mode not in MODES:
            raise UserError(f'mode is "{mode}"; must be one of {", ".join(MODES)}')
        super().__init__(WandBClient(init, mode, where, log_checkpoints))


class WandBClient(TrackerClient):
    """The calls to wandb; see `WandB` for the arguments."""

    package = "wandb"
    title = "Weights & Biases"
    passed = ("WANDB_",)
    environment: Mapping[str, str] = {
        "DO_NOT_TRACK": "true",
        "WANDB_CONSOLE": "off",
        "WANDB_DISABLE_CODE": "true",
        "WANDB_DISABLE_GIT": "true",
        "WANDB_ERROR_REPORTING": "false",
        "WANDB_SILENT": "true",
    }

    def __init__(
        self, init: Mapping[str, Any], mode: str, directory: str, log_checkpoints: str
    ) -> None:
        super().__init__()
        self._init = init
        self._mode = mode
        self._directory = directory
        self._log_checkpoints = log_checkpoints
        self._memory = Memory()
        self._run: Any = None
        self._exit_code = 0

    @property
    def where(self) -> str:
        """The address of the tracker."""
        if self._mode == "offline":
            return self._directory or "wandb offline"
        return redacted(os.environ.get("WANDB_BASE_URL", "https://api.wandb.ai"))

    def open(self, run: TrackedRun, memory: Memory) -> Memory:
        """Begins a run, or continues the one of `memory`."""
        import wandb

        self._directory = self._directory or self._default_directory(run.directory)
        os.makedirs(self._directory, exist_ok=True)
        settings = wandb.Settings(
            mode=self._mode,
            console="off",
            disable_code=True,
            disable_git=True,
            init_timeout=_INIT_S,
            root_dir=self._directory,
            save_code=False,
            silent=True,
            x_disable_machine_info=True,
            x_disable_meta=True,
            x_disable_stats=True,
            **_FLUSHED if "x_transaction_log_flush_interval" in wandb.Settings.model_fields else {},
        )
        self._memory = memory
        if memory.run_id:
            self._memory.rows += _UNSAVED_ROWS
        else:
            self._memory = Memory(secrets.token_hex(4))
        init = {**self._init, "name": self._init["name"] or run.name}
        config = {**run.hyperparameters, "raymon.directory": run.directory}
        with self._explained():
            self._run = wandb.init(
                **init, id=self._memory.run_id, resume="allow", config=config, settings=settings
            )
            self._run.define_metric("global_step")
            self._run.define_metric("*", step_metric="global_step")
        return self._memory

    def write(self, events: Sequence[Event]) -> Memory:
        """Writes events."""
        with self._explained():
            for event in events:
                if isinstance(event, Points):
                    self._log(event)
                elif isinstance(event, AlertLine):
                    level = "INFO" if event.is_over else "WARN"
                    self._run.alert(event.kind, redacted(event.text), level=level, wait_duration=0)
                elif isinstance(event, CheckpointSaved):
                    self._log_checkpoint(event)
                elif isinstance(event, RunEnded):
                    self._exit_code = _EXIT.get(event.status, 1)
                    self._run.summary["raymon.status"] = event.status
                    if event.error:
                        self._run.summary["raymon.error"] = redacted(event.error)
        return self._memory

    def close(self) -> None:
        """Ends the run, and waits for what is on its way."""
        with self._explained():
            self._run.finish(exit_code=self._exit_code)
        self._run = None

    def abandon(self) -> None:
        """Ends the process's part of a run that was not closed, as one that failed."""
        if self._run is not None:
            self._run.finish(exit_code=1)

    def _log(self, points: Points) -> None:
        # Weights & Biases numbers rows by numbers that only grow, which steps do not.
        self._memory.rows = max(points.step, self._memory.rows + 1)
        row = {"global_step": points.step, "attempt": points.attempt, **points.values}
        self._run.log(row, step=self._memory.rows, commit=True)

    def _log_checkpoint(self, checkpoint: CheckpointSaved) -> None:
        import wandb

        if self._log_checkpoints == NONE or checkpoint.path is None:
            return
        self._memory = remembered(self._memory, checkpoint)
        self._run.summary["checkpoint"] = checkpoint.path
        self._run.summary["checkpoint_step"] = checkpoint.step
        if self._log_checkpoints == ARTIFACT:
            try:
                with fetched(storage_path(checkpoint.path)) as copied:
                    artifact = wandb.Artifact(f"checkpoint-{self._memory.run_id}", type="model")
                    artifact.add_dir(str(copied))
                    self._run.log_artifact(artifact, aliases=[f"step-{checkpoint.step}"])
            except Exception as error:  # an old checkpoint may be deleted, and stores are many
                text = redacted(" ".join(str(error).split()))[:200]
                self.note("artifact", f"checkpoint {checkpoint.step} is not copied: {text}")

    def _default_directory(self, directory: str) -> str:
        if "WANDB_DIR" in os.environ:
            return os.environ["WANDB_DIR"]
        there = storage_path(directory) if directory else None
        if isinstance(there, Path):
            return str(there)
        if self._mode == "offline":
            self.note(
                "directory",
                "the run is not on a disk, so its files are in a temporary directory of the "
                "reporter's machine; give a directory to keep them",
            )
        return tempfile.mkdtemp(prefix="raymon-wandb-")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        import wandb.errors as errors

        try:
            yield
        except (errors.AuthenticationError, errors.UsageError) as error:
            raise PermissionError(
                f"{self.where} refuses the key; set WANDB_API_KEY: {error}"
            ) from None
        except errors.CommError as error:
            raise ConnectionError(f"{self.where} does not answer: {error}") from None
