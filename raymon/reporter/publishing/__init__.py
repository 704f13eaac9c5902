"""The way of the numbers out of the reporter: to sinks, and to those that poll it."""
