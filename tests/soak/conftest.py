"""What takes long: by `make soak`.

It needs this machine, the extra `soak`, and Debian's package `prometheus`
(`apt-get install --no-install-recommends prometheus`). A test fails where what it needs is missing.
"""

from tests.integration.conftest import ray_address

__all__ = ["ray_address"]
