"""The driver's side: follows what the reporter publishes."""
