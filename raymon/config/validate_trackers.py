"""Checks of the trackers that the numbers of a run go to."""

from __future__ import annotations

import re

from raymon.config.rules import Rules
from raymon.protos.monitor_pb2 import MonitorConfig
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.protos.tracker_pb2 import Tracker

MODES = ("online", "offline")

_SECRET = re.compile(r"token|passw|secret|api_?key|credential", re.IGNORECASE)
_IN_QUERY = re.compile(r"(token|key|password|secret)=", re.IGNORECASE)
_VARIABLES = {
    "mlflow": "MLFLOW_TRACKING_TOKEN",
    "wandb": "WANDB_API_KEY",
    "trackio": "HF_TOKEN or TRACKIO_WRITE_TOKEN",
    "custom": "a variable that its class reads",
}


def validate_trackers(config: PipelineConfig, rules: Rules) -> None:
    """Checks the trackers, apart from whether their libraries are installed.

    Raises:
        ConfigError: Something is wrong.
    """
    for index, tracker in enumerate(config.monitor_config.trackers):
        kind = tracker.WhichOneof("tracker")
        item = rules.inner_item("trackers", index)
        item.require(kind is not None, "", "names none; give one of mlflow, wandb, trackio, custom")
        own = item.inner(str(kind))
        _validate_names(own, {"mlflow": "tags", "custom": "kwargs"}.get(str(kind)), str(kind))
        if kind == "mlflow":
            _validate_address(own, "tracking_uri", _VARIABLES["mlflow"], of_databases=True)
            own.warn(
                own.has("registered_model_name") and not config.export_config.export_at_end,
                "registered_model_name",
                "export_config.export_at_end is false, so there is no model to register",
            )
        elif kind == "wandb":
            own.one_of("mode", MODES)
        elif kind == "trackio":
            _validate_address(own, "server_url", "TRACKIO_WRITE_TOKEN", of_databases=False)
            both = bool(own.value("server_url")) and bool(own.value("space_id"))
            own.require(not both, "server_url", "is given beside space_id; give one of them")
            own.require(
                own.value("log_checkpoints") != Tracker.ARTIFACT,
                "log_checkpoints",
                "is ARTIFACT; Trackio gets LINK or NONE",
            )


def tracker_place(config: MonitorConfig, index: int) -> str:
    """Returns the path of a tracker in a config, for messages."""
    return f"monitor_config.trackers[{index}].{config.trackers[index].WhichOneof('tracker')}"


def _validate_names(rules: Rules, given: str | None, kind: str) -> None:
    for name in () if given is None else rules.value(given):
        rules.require(
            not _SECRET.search(name),
            f"{given}.{name}",
            "would be a secret in pipeline.config; give it in the environment, as "
            f"{_VARIABLES[kind]}",
        )


def _validate_address(rules: Rules, name: str, variable: str, *, of_databases: bool) -> None:
    address = rules.value(name)
    _, _, rest = address.partition("://")
    has_secret = "@" in rest.split("/")[0] or bool(_IN_QUERY.search(rest.partition("?")[2]))
    rules.require(
        not has_secret,
        name,
        f"has credentials, which would be in pipeline.config; set {variable}"
        + (", or MLFLOW_TRACKING_URI to all of it" if of_databases else ""),
    )
    is_known = not address or address.startswith(("http://", "https://")) or of_databases
    rules.require(is_known, name, "is no address of http or https; give http://host:7860")
