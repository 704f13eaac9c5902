"""Writes a first pipeline config from a sample of the data."""

from raymon.init.draft import Draft, draft_config
from raymon.init.eval_path import find_evaluation

__all__ = ["Draft", "draft_config", "find_evaluation"]
