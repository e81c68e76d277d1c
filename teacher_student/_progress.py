"""Where a progress bar can be read."""

import sys


def is_shown(progress: bool) -> bool:
    """Return whether to show a progress bar that is asked for: in a terminal or a notebook, and not in a file or a log.

    There a bar would be a line for every step, or one endless line.
    """
    stream = sys.stderr
    if not progress or stream is None:
        return False
    # The kernel of a notebook shows what is written, though its stream is no terminal.
    return stream.isatty() or type(stream).__module__.startswith("ipykernel")
