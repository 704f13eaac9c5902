"""Publishes the numbers of the reporter: to sinks, and to readers that poll it."""
