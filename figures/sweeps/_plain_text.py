"""Names as they stand in pictures: matplotlib would take a "$" in them for the start of mathematics."""

import re

from teacher_student import internal

LONGEST = 80  # characters of a name in a picture: a longer one would push the curves out of it
LONGEST_LABEL = 400


def plain(name: object) -> str:
    """Return a name so that matplotlib draws its own characters: no mathematics, one line, not too long.

    Names are escaped where they enter a label, which may have mathematics of its own beside them.
    """
    text = internal.one_line(str(name))
    text = text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
    # A backslash of the name before ours would not be one before "$": a space keeps them apart.
    text = re.sub(r"\\(?=\$)|\\$", r"\\ ", text).replace("$", r"\$")
    return f" {text}" if text.startswith("_") else text  # matplotlib leaves curves of names with "_" out of a legend


def drawable(label: object) -> str:
    """Return a label that matplotlib can draw: as it is if its mathematics can be read, else with none in it.

    Arguments: label: with mathematics between "$", such as the `long_name` of a data set, which anybody may have
    written.
    """
    lines = str(label)[:LONGEST_LABEL].splitlines() or [""]
    return "\n".join(_drawable_line(internal.one_line(line)) for line in lines[:3])


def _drawable_line(line: str) -> str:
    from matplotlib.mathtext import MathTextParser

    try:
        MathTextParser("path").parse(line)
    except Exception:  # of pyparsing, or of a formula nested too deeply
        return plain(line)
    return line
