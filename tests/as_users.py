"""Programs as users run them: in a process of their own, without the checks of tests, which add calls between calls."""

import subprocess
import sys
import textwrap
from pathlib import Path

PROGRAM = """
import warnings
import ode
import simulations
import teacher_student as ts
from tests import build
with warnings.catch_warnings(record=True) as warned:
    warnings.simplefilter("always")
{code}
print(*(each.filename for each in warned if each.category is UserWarning))
"""
HERE = "<string>"  # what Python calls the file of a program that stands on the command line

HANGS = 3600  # seconds after which a process hangs, on the most loaded machine


def files_warned_of(code: str) -> list[str]:
    """Return the file that each UserWarning of a program says it comes from: `HERE` for a line of `code` itself."""
    command = [sys.executable, "-c", PROGRAM.format(code=textwrap.indent(textwrap.dedent(code), "    "))]
    root = Path(__file__).parent.parent
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, timeout=HANGS)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()
