"""Encoders, which make one vector of the positions of a sequence."""
