"""TensorBoard events, on disk and on object storage."""
