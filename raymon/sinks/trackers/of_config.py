"""The trackers of a config, as sinks."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from typing import Any

from google.protobuf import text_format

from raymon.config import import_class, read_kwargs, reason_with_place, tracker_place
from raymon.errors import ConfigError, RaymonError
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.protos.tracker_pb2 import CustomSink
from raymon.protos.tracker_pb2 import Tracker as Config
from raymon.sinks.curves import loss_names
from raymon.sinks.sink import Sink
from raymon.sinks.tensorboard.hyperparameters import hyperparameters_of
from raymon.sinks.trackers.bound import bound
from raymon.sinks.trackers.events import TrackedRun
from raymon.sinks.trackers.mlflow import MLflow
from raymon.sinks.trackers.trackio import Trackio
from raymon.sinks.trackers.wandb import WandB

_METHODS = ("write", "write_evaluation", "write_alert", "roll_back", "flush", "close")


def trackers_of(config: PipelineConfig) -> list[Sink]:
    """Returns the sinks of the trackers of a run, which know of the run.

    Raises:
        ConfigError: The library of one is not installed, or a custom class cannot be used.
    """
    made = []
    for index, tracker in enumerate(config.monitor_config.trackers):
        kind = str(tracker.WhichOneof("tracker"))
        made.append(_MAKERS[kind](tracker, tracker_place(config.monitor_config, index)))
    if not made:
        return []
    name = os.path.basename(config.model_dir.rstrip("/"))
    run = TrackedRun(
        directory=config.model_dir,
        name=name or "raymon",
        config=text_format.MessageToString(config, as_utf8=True),
        hyperparameters=hyperparameters_of(config),
        losses=loss_names(config),
    )
    return bound(made, run)


def _mlflow(tracker: Config, place: str) -> Sink:
    _check_installed("mlflow", place)
    given = tracker.mlflow
    if not given.tracking_uri and not os.environ.get("MLFLOW_TRACKING_URI"):
        raise ConfigError(
            f'{place}.tracking_uri: is missing; give one, such as "sqlite:///mlflow.db", or set '
            "MLFLOW_TRACKING_URI"
        )
    return MLflow(
        tracking_uri=given.tracking_uri,
        experiment_name=given.experiment_name,
        run_name=given.run_name,
        registered_model_name=given.registered_model_name,
        tags=dict(given.tags),
        log_checkpoints=_checkpoints(given),
    )


def _wandb(tracker: Config, place: str) -> Sink:
    _check_installed("wandb", place)
    given = tracker.wandb
    return WandB(
        project=given.project,
        entity=given.entity,
        run_name=given.run_name,
        group=given.group,
        tags=list(given.tags),
        mode=given.mode,
        directory=given.directory,
        log_checkpoints=_checkpoints(given),
    )


def _trackio(tracker: Config, place: str) -> Sink:
    _check_installed("trackio", place)
    given = tracker.trackio
    return Trackio(
        project=given.project,
        run_name=given.run_name,
        group=given.group,
        directory=given.directory,
        space_id=given.space_id,
        server_url=given.server_url,
        log_checkpoints=_checkpoints(given),
    )


def _custom(tracker: Config, place: str) -> Sink:
    given: CustomSink = tracker.custom
    cls = import_class(given.class_path, f"{place}.class_path")
    missing = [name for name in _METHODS if not callable(getattr(cls, name, None))]
    if missing:
        raise ConfigError(
            f'{place}.class_path: "{given.class_path}" has no {", ".join(missing)}; derive it from '
            "raymon.sinks.Sink, whose methods do nothing"
        )
    kwargs = read_kwargs(given.kwargs, place)
    try:
        sink: Sink = cls(**kwargs)
    except RaymonError:
        raise
    except Exception as error:  # it is the user's class
        raise ConfigError(
            f'{place}.class_path: "{given.class_path}" cannot be made: {reason_with_place(error)}'
        ) from error
    return sink


def _checkpoints(given: Any) -> str:
    return Config.LogCheckpoints.Name(given.log_checkpoints)


def _check_installed(package: str, place: str) -> None:
    if importlib.util.find_spec(package) is None:
        raise ConfigError(f'{place}: needs {package}; pip install "raymon[{package}]"')


_MAKERS: dict[str, Callable[[Config, str], Sink]] = {
    "mlflow": _mlflow,
    "wandb": _wandb,
    "trackio": _trackio,
    "custom": _custom,
}
