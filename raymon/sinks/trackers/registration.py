"""Registers an exported model with the trackers of a run."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from raymon.sinks.sink import Sink
from raymon.sinks.trackers.mlflow import MLflow
from raymon.sinks.trackers.model_card import ModelCard

_log = logging.getLogger("raymon")

REGISTER_S = 120.0
"""Seconds for the import of a library, and for the upload of a model."""


def register_with(sinks: Sequence[Sink], card: ModelCard) -> None:
    """Registers a model with each tracker that has a name for it; what fails is logged.

    Args:
        sinks: Sinks that know of the run, as `trackers_of` makes them.
        card: The model.
    """
    for sink in sinks:
        if isinstance(sink, MLflow) and sink.registered_model_name:
            try:
                version = sink.register(card, REGISTER_S)
                _log.info(
                    "Registered in %s: %s, version %s",
                    sink.client.title,
                    sink.registered_model_name,
                    version,
                )
            except Exception as error:  # the model is exported all the same
                _log.warning(
                    "Not registered in %s: %s: %s", sink.client.title, type(error).__name__, error
                )
