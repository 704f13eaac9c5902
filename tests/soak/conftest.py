"""What takes long: by `make soak`. It needs nothing but this machine, and a quarter of an hour."""

from tests.integration.conftest import ray_address

__all__ = ["ray_address"]
