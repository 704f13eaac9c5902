"""Reads, overrides, checks and saves pipeline configs."""

from raymon.config.names import metric_names
from raymon.config.reading import load, locate
from raymon.config.saving import read_saved, save

__all__ = ["load", "locate", "metric_names", "read_saved", "save"]
