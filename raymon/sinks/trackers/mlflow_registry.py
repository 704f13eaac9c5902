"""The registration of an exported model in MLflow."""

from __future__ import annotations

import re
from typing import Any

from raymon.sinks.trackers.model_card import ModelCard
from raymon.version import __version__

_LOADER = "raymon.serving.mlflow_model"
_NAME = "model"

_TYPES = (
    (re.compile(r"u?int(8|16)|int32"), "integer"),
    (re.compile(r"uint32|u?int64"), "long"),
    (re.compile(r"halffloat|float"), "float"),
    (re.compile(r"double"), "double"),
    (re.compile(r"bool"), "boolean"),
    (re.compile(r"(large_)?string|dictionary<values=(large_)?string.*"), "string"),
)


def register_model(uri: str, run_id: str, name: str, card: ModelCard) -> str:
    """Logs a model to a run, and registers it.

    It is a `pyfunc` whose loader is raymon's, so that `mlflow.pyfunc.load_model` gives what
    `raymon predict` gives, where raymon is installed.

    Args:
        uri: Address of the tracker; empty for that of the environment.
        run_id: Id of the run in the tracker.
        name: Name in the registry.
        card: The model.

    Returns:
        The version that it got.
    """
    import mlflow

    if uri:
        mlflow.set_tracking_uri(uri)
    status = mlflow.MlflowClient().get_run(run_id).info.status
    with mlflow.start_run(run_id=run_id):
        logged = mlflow.pyfunc.log_model(
            name=_NAME,
            loader_module=_LOADER,
            data_path=card.directory,
            signature=signature_of(card),
            registered_model_name=name,
            await_registration_for=0,
            # Given, so that MLflow neither guesses nor asks an index of packages.
            pip_requirements=[f"raymon=={__version__}", "pandas"],
            step=card.step,
        )
    # The end of the context has called it finished, as it may not be.
    mlflow.MlflowClient().update_run(run_id, status=status)
    return str(logged.registered_model_version)


def signature_of(card: ModelCard) -> Any:
    """Returns the signature of a model, as MLflow's `ModelSignature`."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema
    from mlflow.types.schema import AnyType, Array, DataType

    inputs = [
        # A missing value is one too.
        ColSpec(_type(kind) or AnyType(), name, required=False)
        for name, kind in card.inputs.items()
    ]
    outputs = [
        ColSpec(_type(kind) or "double" if width == 1 else Array(DataType[_type(kind)]), name)
        for name, (kind, width) in card.outputs.items()
    ]
    return ModelSignature(Schema(inputs) if inputs else None, Schema(outputs))


def _type(arrow: str) -> str | None:
    return next((name for pattern, name in _TYPES if pattern.fullmatch(arrow)), None)
