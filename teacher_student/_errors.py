"""The one error that bad input raises, and its wording."""

import difflib
from collections.abc import Iterable

LONGEST = 2000  # characters of each part of an error: a file may hold a name of millions


class InputError(ValueError):
    """Bad input. The message has one line: what was required, what was got, and what to do."""

    def __init__(self, required: str, got: object, remedy: str = ""):
        text = f"required: {one_line(required)}; got: {one_line(str(got))}"
        super().__init__(f"{text}; {one_line(remedy)}" if remedy else text)


def one_line(text: str) -> str:
    """Return a text as one line that a terminal shows as it is written.

    An array's repr has a line for each row, and a name of a file may have anything: line breaks and spaces become one
    space, other control characters are spelt out, and the middle of what is very long is left out.
    """
    text = shown(" ".join(text.split()))
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]} ... {text[-LONGEST // 2 :]}"


def shown(text: str) -> str:
    """Return a text with its control characters spelt out, such as "\\x1b", and nothing else changed.

    A terminal obeys them: they could move the cursor, hide a text or turn its direction.
    """
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def first_line(error: BaseException) -> str:
    """Return the first line of an error's text, or the kind of the error if it has no text."""
    return shown((str(error).strip() or type(error).__name__).splitlines()[0])


def nearest(name: object, known: Iterable[str]) -> str:
    """Return a remedy for a misspelt name: the nearest known name, or the list of all."""
    names = sorted(str(candidate) for candidate in known)
    close = difflib.get_close_matches(str(name)[:200], names, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known: {', '.join(names)}" if names else "none is known here"


def require_name(name: object, known: Iterable[str], kind: str) -> None:
    """Raise InputError unless `name` is one of `known`."""
    known = list(known)
    if name not in known:
        raise InputError(f"a known {kind}", repr(name), nearest(name, known))
