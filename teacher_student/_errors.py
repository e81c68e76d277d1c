"""The one error that bad input raises, and its wording."""

import contextlib
import difflib
from collections.abc import Iterable, Iterator
from typing import Any

LONGEST = 200  # characters of a value that was got: a list of a user's may have millions
LONGEST_TEXT = 500  # of what was got in words: the path of a file, of some two hundred, and what is wrong with it
LONGEST_ELSE = 1000  # of the rest, which names what is known, and paths


class InputError(ValueError):
    """Bad input. The message has one line: what was required, what was got, and what to do."""

    _entry: tuple[str, ...] = ()  # of nested tables, such as ("sgd", "learning_rate"), which is wrong; () if not known

    def __init__(self, required: str, got: object, remedy: str = ""):
        longest = LONGEST_TEXT if isinstance(got, str) else LONGEST
        text = f"required: {one_line(required)}; got: {one_line(_text(got), longest)}"
        super().__init__(f"{text}; {one_line(remedy)}" if remedy else text)

    def __reduce__(self) -> tuple[Any, ...]:
        # By default the class would be called with the one finished text, which it does not take. What waits for a
        # worker's answer, such as `Pool.map`, would then wait for ever.
        return _with_arguments, (type(self), self.args), self.__dict__ or None


@contextlib.contextmanager
def about_entry(*names: str) -> Iterator[None]:
    """Say of InputErrors raised inside that the entry `names` of nested tables is wrong, or one below it.

    Contexts inside each other add up: an inner one knows the key, and an outer one the table.
    """
    try:
        yield
    except InputError as error:
        if error._entry[: len(names)] != names:
            error._entry = (*names, *error._entry)
        raise


def _with_arguments(kind: type[InputError], arguments: tuple[Any, ...]) -> InputError:
    """Return an error of these `args`, such as a pickle or a copy has; its text is not put together again."""
    error = kind.__new__(kind)
    error.args = arguments
    return error


def _text(got: object) -> str:
    """Return `got` as text, or its type where it has none: an integer of 5000 digits, or a user's own object."""
    try:
        return str(got)
    except Exception:
        return f"{type(got).__name__} that cannot be printed"


def one_line(text: str, longest: int = LONGEST_ELSE) -> str:
    """Return a text as one line that a terminal shows as it is written.

    An array's repr has a line for each row, and a name of a file may have anything: line breaks and spaces become one
    space, other control characters are spelt out, and the middle of what is very long is left out: the reason of a
    failure stands at its end.
    """
    if len(text) > 100 * longest:  # words of hundreds of megabytes need not be split
        text = f"{text[: 2 * longest]} {text[-2 * longest :]}"
    line = shown(" ".join(text.split()))
    return line if len(line) <= longest else f"{line[: longest * 2 // 3]} ... {line[-longest // 4 :]}"


def shown(text: str) -> str:
    """Return a text with its control characters spelt out, such as "\\x1b", and nothing else changed.

    A terminal obeys them: they could move the cursor, hide a text or turn its direction.
    """
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def first_line(error: BaseException) -> str:
    """Return the first line of an error's text, or the kind of the error if it has no text."""
    try:
        text = str(error).strip()
    except Exception:  # a class of the user's own may not even say what it is
        text = ""
    return shown((text or type(error).__name__).splitlines()[0])


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
