"""The one error that bad input raises, and its wording."""

import difflib
from collections.abc import Iterable
from typing import Any


class InputError(ValueError):
    """Bad input. The message has one line: what was required, what was got, and what to do."""

    def __init__(self, required: str, got: object, remedy: str = ""):
        # An array's repr has a line for each row; an error has one.
        text = " ".join(f"required: {required}; got: {got}".split())
        super().__init__(f"{text}; {remedy}" if remedy else text)

    def __reduce__(self) -> tuple[Any, ...]:
        # By default the class would be called with the one finished text, which it does not take. What waits for a
        # worker's answer, such as `Pool.map`, would then wait for ever.
        return _with_arguments, (type(self), self.args), self.__dict__ or None


def _with_arguments(kind: type[InputError], arguments: tuple[Any, ...]) -> InputError:
    """Return an error of these `args`, such as a pickle or a copy has; its text is not put together again."""
    error = kind.__new__(kind)
    error.args = arguments
    return error


def first_line(error: BaseException) -> str:
    """Return the first line of an error's text, or the kind of the error if it has no text."""
    try:
        text = str(error).strip()
    except Exception:  # a class of the user's own may not even say what it is
        text = ""
    return (text or type(error).__name__).splitlines()[0]


def nearest(name: object, known: Iterable[str]) -> str:
    """Return a remedy for a misspelt name: the nearest known name, or the list of all."""
    names = sorted(str(candidate) for candidate in known)
    close = difflib.get_close_matches(str(name), names, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known: {', '.join(names)}" if names else "none is known here"


def require_name(name: object, known: Iterable[str], kind: str) -> None:
    """Raise InputError unless `name` is one of `known`."""
    known = list(known)
    if name not in known:
        raise InputError(f"a known {kind}", repr(name), nearest(name, known))
