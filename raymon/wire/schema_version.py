"""The version of the messages; a reporter refuses a report of another version."""

SCHEMA_VERSION = 3
