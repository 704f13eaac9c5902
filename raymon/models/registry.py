"""Builds the model that the model_config of a pipeline describes."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence

from raymon.config import (
    import_class,
    model_labels,
    read_kwargs,
    reason_with_place,
    trained_weights,
)
from raymon.data import Feature
from raymon.errors import ConfigError, RaymonError
from raymon.models.match.dat import DAT
from raymon.models.match.dssm import DSSM
from raymon.models.match.dssm_v2 import DSSMV2
from raymon.models.match.mind import MIND
from raymon.models.model import Model
from raymon.models.multi_task.dbmtl import DBMTL
from raymon.models.multi_task.mmoe import MMoE
from raymon.models.multi_task.pepnet import PEPNet
from raymon.models.multi_task.ple import PLE
from raymon.models.multi_task.simple_multi_task import SimpleMultiTask
from raymon.models.rank.dcn_v1 import DCNV1
from raymon.models.rank.dcn_v2 import DCNV2
from raymon.models.rank.deepfm import DeepFM
from raymon.models.rank.dlrm import DLRM
from raymon.models.rank.mask_net import MaskNet
from raymon.models.rank.multi_tower import MultiTower
from raymon.models.rank.multi_tower_din import MultiTowerDIN
from raymon.models.rank.rocket_launching import RocketLaunching
from raymon.models.rank.wide_and_deep import WideAndDeep
from raymon.models.rank.wukong import WuKong
from raymon.models.rank.xdeepfm import XDeepFM
from raymon.protos.pipeline_pb2 import PipelineConfig

MODELS: Mapping[str, type[Model]] = {
    "dlrm": DLRM,
    "deepfm": DeepFM,
    "wide_and_deep": WideAndDeep,
    "dcn_v1": DCNV1,
    "dcn_v2": DCNV2,
    "xdeepfm": XDeepFM,
    "mask_net": MaskNet,
    "multi_tower": MultiTower,
    "multi_tower_din": MultiTowerDIN,
    "wukong": WuKong,
    "rocket_launching": RocketLaunching,
    "dssm": DSSM,
    "dssm_v2": DSSMV2,
    "dat": DAT,
    "mind": MIND,
    "simple_multi_task": SimpleMultiTask,
    "mmoe": MMoE,
    "ple": PLE,
    "dbmtl": DBMTL,
    "pepnet": PEPNet,
}
"""The models that ship with raymon, by their field of model_config."""

_CUSTOM = "model_config.custom"


def build_model(config: PipelineConfig, features: Sequence[Feature]) -> Model:
    """Returns the model of a pipeline, with initial weights from torch's default generator.

    Raises:
        ConfigError: Features do not fit the model, or a custom class cannot be used or made. The
            message begins with the path of the field, as in `model_config.custom.class_path: ...`.
    """
    model_config = config.model_config
    arguments = (model_config, features, model_labels(config), trained_weights(config))
    kind = model_config.WhichOneof("model")
    if kind is None:
        raise ConfigError(f"model_config: has no model; give one of {', '.join(MODELS)}, custom")
    if kind != "custom":
        return MODELS[kind](*arguments)
    cls = _custom_class(model_config.custom.class_path)
    kwargs = read_kwargs(model_config.custom.kwargs, _CUSTOM)
    try:
        inspect.signature(cls).bind(*arguments, **kwargs)
    except TypeError as error:
        raise ConfigError(
            f"{_CUSTOM}.kwargs: {cls.__name__} cannot be made of the arguments of "
            f"raymon.models.Model and these: {error}"
        ) from None
    try:
        return cls(*arguments, **kwargs)
    except RaymonError:
        raise
    except Exception as error:  # it is the user's class
        place = f'{_CUSTOM}.class_path: "{model_config.custom.class_path}"'
        raise ConfigError(f"{place} cannot be made: {reason_with_place(error)}") from error


def _custom_class(class_path: str) -> type[Model]:
    cls = import_class(class_path, f"{_CUSTOM}.class_path")
    place = f'{_CUSTOM}.class_path: "{class_path}"'
    if not issubclass(cls, Model):
        raise ConfigError(f"{place} is not a subclass of raymon.models.Model")
    if inspect.isabstract(cls):
        missing = ", ".join(sorted(cls.__abstractmethods__))
        raise ConfigError(f"{place} does not define {missing}")
    return cls
