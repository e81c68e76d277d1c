"""What a command says while it works."""

import argparse
import sys
from collections.abc import Callable
from functools import partial


def progress_and_say(options: argparse.Namespace) -> tuple[bool, Callable[[str], None]]:
    """Return whether to show a progress bar, and what gets each line of text."""
    # Each line at once, also into a file: who looks into a log wants to know how far it is.
    return not options.quiet and sys.stderr.isatty(), (lambda line: None) if options.quiet else partial(
        print, flush=True
    )
