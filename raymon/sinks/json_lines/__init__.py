"""Windows and scores as lines of JSON, on disks and on object storage."""
