"""TensorBoard events, on disks and on object storage."""
