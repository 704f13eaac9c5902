"""Reads, overrides, checks and saves pipeline configs."""

from raymon.config.load import load, locate
from raymon.config.names import metric_names
from raymon.config.save import read_saved, save

__all__ = ["load", "locate", "metric_names", "read_saved", "save"]
