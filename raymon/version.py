"""The version of raymon that is installed."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("raymon")
except PackageNotFoundError:  # a checkout that is used as it is
    __version__ = "0+unknown"
