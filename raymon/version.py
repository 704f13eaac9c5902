"""The version of raymon that is installed."""

from importlib.metadata import version

__version__ = version("raymon")
