"""What is measured and shown: snapshots, evaluations, notices, health, and the names of counts."""
