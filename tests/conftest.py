"""A small click log, and a config that trains on it."""

from __future__ import annotations

import gc
import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.spent import Spent
from tests.two_processes import INTEGRATION, ByFile, give_way, needs_cluster

# Most tests of classes of one's own are not about who may use them.
os.environ["RAYMON_ALLOW_CUSTOM_CLASSES"] = "1"

# A shell has what runs in its background ignore SIGINT, and nohup SIGHUP; processes that
# tests start would inherit both.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

# No test fails because a machine is slow, and `make test` says of the same code the same thing each
# time; `make soak` looks longer, and elsewhere each time.
settings.register_profile("default", deadline=None, derandomize=True)
settings.register_profile("soak", deadline=None, max_examples=3000)
settings.load_profile("default")

# What tests and their imports make stays or is freed at once; looking for the rest took a fourth of
# the time of the tests of metrics.
gc.set_threshold(50_000, 20, 100)

CONFIG = """
train_input_path: "{data}/train"
eval_input_path: "{data}/eval"
model_dir: "{model_dir}"
train_config {{
  sparse_optimizer {{ adam_optimizer {{ lr: 0.005 }} constant_learning_rate {{}} }}
  dense_optimizer {{ adam_optimizer {{ lr: 0.002 }} constant_learning_rate {{}} }}
  num_epochs: 2
  save_checkpoints_steps: 20
  log_step_count_steps: 10
}}
export_config {{ exporter_type: "best" best_exporter_metric: "auc" export_at_end: false }}
data_config {{
  batch_size: 256 label_fields: "click" shuffle: true num_workers: 1 fg_mode: FG_DAG
}}
feature_configs {{ id_feature {{
  feature_name: "user" expression: "user:user_id" embedding_dim: 8 hash_bucket_size: 1000
}} }}
feature_configs {{ id_feature {{
  feature_name: "item" expression: "item:item_id" embedding_dim: 8 num_buckets: 1000
}} }}
feature_configs {{ id_feature {{
  feature_name: "interests" expression: "user:user_interests" embedding_dim: 8
  hash_bucket_size: 100 separator: "|"
}} }}
feature_configs {{ raw_feature {{ feature_name: "price" expression: "item:price" }} }}
model_config {{
  feature_groups {{
    group_name: "wide" group_type: WIDE feature_names: ["user", "item", "interests"]
  }}
  feature_groups {{
    group_name: "fm" group_type: DEEP feature_names: ["user", "item", "interests"]
  }}
  feature_groups {{
    group_name: "deep" group_type: DEEP feature_names: ["user", "item", "interests", "price"]
  }}
  deepfm {{ deep {{ hidden_units: [16, 8] }} }}
  losses {{ binary_cross_entropy {{}} }}
  metrics {{ auc {{}} }}
  metrics {{ grouped_auc {{ grouping_key: "user_id" }} }}
  metrics {{ normalized_entropy {{}} }}
  train_metrics {{ auc {{}} decay_step: 10 }}
  train_metrics {{ normalized_entropy {{}} decay_step: 20 }}
}}
ray_config {{ num_workers: 2 }}
"""


def pytest_configure(config: pytest.Config) -> None:
    """Has the longest tests told."""
    config.pluginmanager.register(Spent(), "spent")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    """Assigns tests to processes, in their order."""
    config.option.loadscopereorder = False
    return ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Moves the tests that take longest to the front."""
    items.sort(key=lambda item: (not needs_cluster(item.nodeid), INTEGRATION not in item.nodeid))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Gives the tests on the cluster precedence over the others."""
    if not needs_cluster(item.nodeid):
        give_way()


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """Restores the logger of raymon after a test."""
    logger = logging.getLogger("raymon")
    level, handlers, propagate = logger.level, [*logger.handlers], logger.propagate
    yield
    logger.setLevel(level)
    logger.handlers[:], logger.propagate = handlers, propagate


@pytest.fixture(scope="session")
def click_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small generated click log."""
    from raymon.data.synthetic import generate

    directory = tmp_path_factory.mktemp("click_log")
    generate(directory, users=300, items=100, train_rows=10_000, eval_rows=4_000, seed=1)
    return directory


@pytest.fixture
def config_file(tmp_path: Path, click_log: Path) -> Path:
    """A config that trains a DeepFM on the click log, on 2 workers, in 40 steps."""
    path = tmp_path / "click.config"
    path.write_text(CONFIG.format(data=click_log, model_dir=tmp_path / "run"))
    return path
