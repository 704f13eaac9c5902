"""Moves batches to a device, ahead of the steps that use them."""
