"""The interface of a model, and the models that ship with raymon."""

from raymon.embeddings import EmbeddingCollection
from raymon.models.contract import check_losses, error_of, without_gradient
from raymon.models.layers.feature_group import FeatureGroup
from raymon.models.layers.head import Head
from raymon.models.layers.mlp import MLP
from raymon.models.layers.variational_dropout import feature_importance
from raymon.models.losses import label_classes, label_kinds, session_keys, task_kinds
from raymon.models.match.dat import DAT
from raymon.models.match.dssm import DSSM
from raymon.models.match.dssm_v2 import DSSMV2
from raymon.models.match.match_model import MatchModel
from raymon.models.match.mind import MIND
from raymon.models.match.served_tower import ServedTower
from raymon.models.match.tower import Tower
from raymon.models.model import Model
from raymon.models.multi_task.dbmtl import DBMTL
from raymon.models.multi_task.mmoe import MMoE
from raymon.models.multi_task.multi_task_model import MultiTaskModel
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
from raymon.models.ranking import RankingModel, grouping_keys
from raymon.models.registry import build_model

__all__ = [
    "DAT",
    "DBMTL",
    "DCNV1",
    "DCNV2",
    "DLRM",
    "DSSM",
    "DSSMV2",
    "MIND",
    "MLP",
    "PLE",
    "DeepFM",
    "EmbeddingCollection",
    "FeatureGroup",
    "Head",
    "MMoE",
    "MaskNet",
    "MatchModel",
    "Model",
    "MultiTaskModel",
    "MultiTower",
    "MultiTowerDIN",
    "PEPNet",
    "RankingModel",
    "RocketLaunching",
    "ServedTower",
    "SimpleMultiTask",
    "Tower",
    "WideAndDeep",
    "WuKong",
    "XDeepFM",
    "build_model",
    "check_losses",
    "error_of",
    "feature_importance",
    "grouping_keys",
    "label_classes",
    "label_kinds",
    "session_keys",
    "task_kinds",
    "without_gradient",
]
