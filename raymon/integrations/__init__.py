"""Callbacks with which `raymon.Monitor` watches the loops of other libraries.

Each is imported by its module alone, `raymon.integrations.lightning` and so on, and nothing else
needs the library that it is for.
"""
