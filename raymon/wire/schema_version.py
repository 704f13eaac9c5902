"""The version of the messages; a reporter refuses reports of other versions."""

SCHEMA_VERSION = 3
