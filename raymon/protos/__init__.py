"""Generated from protos/raymon by `make protos`."""
