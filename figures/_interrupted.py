"""What is raised after Ctrl-C where something can be said of what is finished."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C; what was finished is on disk, and the message says what that is."""
