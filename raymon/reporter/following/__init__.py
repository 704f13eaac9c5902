"""The side of the driver: follows what the reporter publishes."""
