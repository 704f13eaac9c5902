"""A module that needs Ray."""

import ray

print(ray.__version__)
