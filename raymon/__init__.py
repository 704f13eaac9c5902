"""Trains PyTorch models on Ray and shows the true numbers of the whole cluster meanwhile."""

from importlib.metadata import version

__version__ = version("raymon")
