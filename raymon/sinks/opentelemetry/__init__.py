"""Sends the numbers and a trace of a run by OTLP, to an OpenTelemetry collector."""
