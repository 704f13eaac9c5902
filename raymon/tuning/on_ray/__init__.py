"""The trials of a sweep on a cluster, by Ray Tune."""
