"""What is raised after Ctrl-C where something can be said of what is finished."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C; the message says what was finished, and where on disk it is (where nothing is written, it is lost)."""
