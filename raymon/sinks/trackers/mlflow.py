"""The sink that writes to MLflow."""

from __future__ import annotations

import getpass
import math
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from raymon.results import CheckpointSaved, RunEnded
from raymon.sinks.trackers.checkpoints import ARTIFACT, NONE, check_log_checkpoints, remembered
from raymon.sinks.trackers.client import Memory, TrackerClient, redacted
from raymon.sinks.trackers.events import AlertLine, Event, Points, TrackedRun
from raymon.sinks.trackers.mlflow_names import taken_name
from raymon.sinks.trackers.mlflow_registry import register_model
from raymon.sinks.trackers.model_card import ModelCard
from raymon.sinks.trackers.tracker_process import TrackerProcess
from raymon.sinks.trackers.tracker_sink import TrackerSink
from raymon.storage import fetched, storage_path
from raymon.version import __version__

_STATUS = {"done": "FINISHED", "stopped": "FINISHED", "interrupted": "KILLED"}
_MOST_METRICS, _MOST_PARAMS = 1000, 100
_LONGEST_PARAM = 6000
_LONGEST_TAG = 5000


class MLflow(TrackerSink):
    """A sink that writes to a run of MLflow.

    Points have the tags that TensorBoard has, those of evaluations with `eval_val/` before them. A
    character that MLflow does not take in a name is written as its code between colons: `auc@5` is
    `auc:40:5`. A run that goes on is the same run of MLflow; steps that are made again after a
    restart are there twice, the later ones with the later time.

    Credentials come from the environment: `MLFLOW_TRACKING_TOKEN`, or `MLFLOW_TRACKING_USERNAME`
    and `MLFLOW_TRACKING_PASSWORD`.

    Args:
        tracking_uri: Address of a server, a database such as `sqlite:///mlflow.db`, or a directory;
            by default what `MLFLOW_TRACKING_URI` says.
        experiment_name: Name of the experiment, which is made if there is none.
        run_name: Name of the run; by default that of the directory of the run.
        registered_model_name: Name in the model registry that the model of the run gets, once it is
            exported; empty for none.
        tags: Tags of the run.
        log_checkpoints: `LINK` writes where the newest checkpoints are into a tag, `ARTIFACT`
            copies each, `NONE` does neither.
    """

    def __init__(
        self,
        *,
        tracking_uri: str = "",
        experiment_name: str = "raymon",
        run_name: str = "",
        registered_model_name: str = "",
        tags: Mapping[str, str] | None = None,
        log_checkpoints: str = "LINK",
    ) -> None:
        uri = _absolute(tracking_uri)
        check_log_checkpoints(log_checkpoints)
        super().__init__(
            MLflowClient(uri, experiment_name, run_name, dict(tags or {}), log_checkpoints)
        )
        self.registered_model_name = registered_model_name

    def register(self, card: ModelCard, timeout_s: float) -> str:
        """Registers a model that the run has exported.

        Args:
            card: The model.
            timeout_s: Seconds that this may take.

        Returns:
            The version that it got.

        Raises:
            OSError: It is not registered.
        """
        kept = self.kept()
        if not kept.memory.run_id:
            raise OSError("the run did not reach the tracker")
        process = TrackerProcess(self.client, self.environment)
        try:
            version, _ = process.call(
                "register",
                kept.memory.run_id,
                self.registered_model_name,
                card,
                timeout_s=timeout_s,
            )
        finally:
            process.end(1.0)
        return str(version)


class MLflowClient(TrackerClient):
    """The calls to MLflow; see `MLflow` for the arguments."""

    package = "mlflow"
    title = "MLflow"
    passed = ("MLFLOW_", "DATABRICKS_")
    environment: Mapping[str, str] = {
        "DO_NOT_TRACK": "true",
        "GIT_PYTHON_REFRESH": "quiet",
        "MLFLOW_ALLOW_FILE_STORE": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
        "MLFLOW_HTTP_REQUEST_TIMEOUT": "8",
    }

    def __init__(
        self,
        tracking_uri: str,
        experiment_name: str,
        run_name: str,
        tags: Mapping[str, str],
        log_checkpoints: str,
    ) -> None:
        super().__init__()
        self._uri = tracking_uri
        self._experiment = experiment_name
        self._run_name = run_name
        self._tags = tags
        self._log_checkpoints = log_checkpoints
        self._memory = Memory()
        self._client: Any = None

    @property
    def where(self) -> str:
        """The address of the tracker."""
        return redacted(self._uri or os.environ.get("MLFLOW_TRACKING_URI", "MLflow"))

    def open(self, run: TrackedRun, memory: Memory) -> Memory:
        """Begins a run, or continues the one of `memory`."""
        import mlflow

        with self._explained():
            self._client = mlflow.MlflowClient(tracking_uri=self._uri or None)
            if memory.run_id and self._continues(memory.run_id):
                self._memory = memory
            else:
                self._memory = Memory(self._begin(run))
            self._log_params(run.hyperparameters)
            if run.config and not memory.run_id:
                self._log_text(run.config, "pipeline.config")
        return self._memory

    def write(self, events: Sequence[Event]) -> Memory:
        """Writes events."""
        from mlflow.entities import Metric

        metrics = []
        with self._explained():
            for event in events:
                if isinstance(event, Points):
                    at = int((event.time or time.time()) * 1000)
                    metrics += [
                        Metric(self._name(tag), _value(value), at, event.step)
                        for tag, value in event.values.items()
                    ]
            for begin in range(0, len(metrics), _MOST_METRICS):
                self._log_metrics(metrics[begin : begin + _MOST_METRICS])
            for event in events:
                if isinstance(event, AlertLine):
                    self._tag(f"alert.{event.kind}", event.text)
                elif isinstance(event, CheckpointSaved):
                    self._log_checkpoint(event)
                elif isinstance(event, RunEnded):
                    self._end(event)
        return self._memory

    def close(self) -> None:
        """Does nothing: all is written."""

    def register(self, run_id: str, name: str, card: ModelCard) -> str:
        """Registers a model; see `register_model`."""
        with self._explained():
            return register_model(self._uri, run_id, name, card)

    def _begin(self, run: TrackedRun) -> str:
        found = self._client.get_experiment_by_name(self._experiment)
        if found is None:
            experiment_id = self._client.create_experiment(
                self._experiment, artifact_location=_beside(self._uri)
            )
        else:
            experiment_id = found.experiment_id
        tags = {
            "mlflow.source.name": "raymon",
            "mlflow.source.type": "JOB",
            "mlflow.user": _user(),
            "raymon.directory": run.directory,
            "raymon.version": __version__,
            **self._tags,
        }
        made = self._client.create_run(
            experiment_id, run_name=self._run_name or run.name, tags=tags
        )
        return str(made.info.run_id)

    def _continues(self, run_id: str) -> bool:
        from mlflow.exceptions import MlflowException

        try:
            self._client.update_run(run_id, status="RUNNING")
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            self.note("gone", f"the run {run_id} is not there any more; a new one goes on")
            return False
        return True

    def _log_params(self, params: Mapping[str, Any]) -> None:
        from mlflow.entities import Param

        known = self._client.get_run(self._memory.run_id).data.params
        texts = {self._name(name): str(value)[:_LONGEST_PARAM] for name, value in params.items()}
        new = [Param(name, text) for name, text in texts.items() if name not in known]
        for begin in range(0, len(new), _MOST_PARAMS):
            part = new[begin : begin + _MOST_PARAMS]
            self._client.log_batch(self._memory.run_id, params=part)
        for name, text in texts.items():
            # MLflow keeps a parameter for ever, and a run may go on with another one.
            if known.get(name, text) != text:
                self._tag(f"resumed.{name}", text)

    def _log_metrics(self, metrics: Sequence[Any]) -> None:
        from mlflow.exceptions import MlflowException

        try:
            self._client.log_batch(self._memory.run_id, metrics=metrics)
        except MlflowException as error:
            if error.error_code != "INVALID_PARAMETER_VALUE" or len(metrics) == 1:
                raise
            for metric in metrics:
                try:
                    self._client.log_batch(self._memory.run_id, metrics=[metric])
                except MlflowException as refused:
                    if refused.error_code != "INVALID_PARAMETER_VALUE":
                        raise
                    self.note(metric.key, f"it does not take {metric.key}: {_short(refused)}")

    def _log_checkpoint(self, checkpoint: CheckpointSaved) -> None:
        if self._log_checkpoints == NONE or checkpoint.path is None:
            return
        self._memory = remembered(self._memory, checkpoint)
        lines = [f"{step}: {path}" for step, path in self._memory.checkpoints.items()]
        self._tag("raymon.checkpoints", "\n".join(lines))
        if self._log_checkpoints == ARTIFACT:
            try:
                with fetched(storage_path(checkpoint.path)) as copied:
                    place = f"checkpoints/{Path(checkpoint.path).name}"
                    self._client.log_artifacts(self._memory.run_id, str(copied), place)
            except Exception as error:  # an old checkpoint may be deleted, and stores are many
                self.note(
                    "artifact", f"checkpoint {checkpoint.step} is not copied: {_short(error)}"
                )

    def _log_text(self, text: str, name: str) -> None:
        try:
            self._client.log_text(self._memory.run_id, text, name)
        except Exception as error:  # the store of artifacts may be for others alone
            self.note("artifact", f"{name} is not copied: {_short(error)}")

    def _end(self, ended: RunEnded) -> None:
        if ended.error:
            self._tag("raymon.error", ended.error)
        self._tag("raymon.status", ended.status)
        self._client.set_terminated(self._memory.run_id, _STATUS.get(ended.status, "FAILED"))

    def _tag(self, name: str, text: str) -> None:
        self._client.set_tag(self._memory.run_id, self._name(name), redacted(text)[:_LONGEST_TAG])

    def _name(self, tag: str) -> str:
        name = taken_name(tag)
        if name != tag:
            self.note("name", f'names that it does not take are changed: "{tag}" is "{name}"')
        return name

    @contextmanager
    def _explained(self) -> Any:
        from mlflow.exceptions import MlflowException

        try:
            yield
        except MlflowException as error:
            text = str(error)
            if "failed with exception" in text:
                if "timed out" in text.lower():
                    raise TimeoutError(f"{self.where} does not answer") from None
                raise ConnectionError(f"{self.where} cannot be reached") from None
            for code in ("401", "403"):
                if f"error code {code}" in text or error.get_http_status_code() == int(code):
                    raise PermissionError(
                        f"{self.where} refuses the user ({code}); set MLFLOW_TRACKING_TOKEN"
                    ) from None
            raise OSError(_short(error)) from None


def _value(value: float) -> float:
    # MLflow would show the largest float in place of infinity.
    return float(value) if math.isfinite(value) else math.nan


def _beside(uri: str) -> str | None:
    """Returns where artifacts are: MLflow would have them where a process happens to work."""
    database = uri.removeprefix("sqlite:///")
    if database == uri:
        return None
    return (Path(database.partition("?")[0]).parent / "mlartifacts").as_uri()


def _short(error: BaseException) -> str:
    return redacted(" ".join(str(error).split()))[:200] or type(error).__name__


def _user() -> str:
    with suppress(OSError, KeyError):
        return getpass.getuser()
    return "unknown"


def _absolute(uri: str) -> str:
    """Returns an address whose path does not depend on the directory of a process."""
    for scheme in ("sqlite:///", "file:"):
        path = uri.removeprefix(scheme)
        if path != uri:
            beside = path and not path.startswith("/") and path != ":memory:"
            return f"{scheme}{Path(path).absolute()}" if beside else uri
    return str(Path(uri).absolute()) if uri and "://" not in uri and ":" not in uri else uri
