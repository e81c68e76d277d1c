"""The error that the command line says in one line."""


class UsageError(Exception):
    """What was asked for cannot be done."""
