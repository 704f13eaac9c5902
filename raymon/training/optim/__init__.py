"""Optimizers, schedules, gradients, precision, averages, early stopping."""
