"""Paths as users give them: what they mean, and which of them are refused before anything is made."""

import os
import re
import stat
from pathlib import Path

from ._errors import InputError

# A Path has made one slash of two. A letter alone would be a drive of Windows.
ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]+:/")
DEEPEST = 250  # folders inside each other: Python makes each by a call inside the last, and has 1000 of these
KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def as_path(given: object) -> Path:
    """Return the path that `given` means, with `~` and `~user` expanded as a shell does.

    Nothing need be there. Raises InputError for what can be no path: an empty name, an address such as s3://bucket, a
    name that is too long, or one that leads through a folder that may not be read.
    """
    path = _expanded(_as_text(given))
    if len(path.parts) > DEEPEST:
        raise InputError(f"a path of at most {DEEPEST} folders", f"{path}, of {len(path.parts)}", "choose another")
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        pass  # who reads or writes it says what is wrong with that
    except OSError as error:
        raise InputError("a path that can be used", f"{path} ({error.strerror})", "choose another") from error
    return path


def is_there(given: object) -> bool:
    """Return whether something is at a path. Raises InputError where that may not be looked at, as `as_path` does."""
    return as_path(given).exists()


def target(path: Path) -> Path:
    """Return where `path` leads, through every link, so that what is written leaves the links as they are."""
    return Path(os.path.realpath(path))


def other_kind(path: Path) -> str | None:
    """Return what is at `path`, such as "a pipe" or "a device"; None for a file, and where nothing is.

    Links are followed. Reading anything but a file may wait for ever or never end, and a file that is written in its
    place would take it from the system.
    """
    try:
        mode = path.stat().st_mode
    except OSError:
        return None
    if stat.S_ISREG(mode):
        return None
    return next((words for is_one, words in KINDS if is_one(mode)), "no file")


def require_file(path: Path, required: str, remedy: str = "choose another") -> None:
    """Raise InputError if something else than a file is at `path`, before it is read.

    Whether anything is there, who reads it says.
    """
    kind = other_kind(path)
    if kind is not None:
        raise InputError(required, f"{path}, which is {kind}", remedy)


def _as_text(given: object) -> str:
    if not isinstance(given, (str, os.PathLike)):
        raise InputError("a path", type(given).__name__, "give a text or a pathlib.Path")
    text = os.fspath(given)
    if not isinstance(text, str):
        raise InputError("a path as text", repr(text), "decode it with os.fsdecode")
    if not text.strip():
        raise InputError("the name of a file or folder", repr(text))
    if "\0" in text or _is_undecodable(text):
        raise InputError("a path of characters in UTF-8, without NUL", ascii(text), "choose another")
    if ADDRESS.match(text):
        raise InputError("a path on this machine", f"the address {text}", "copy it here, and give its path")
    return text


def _is_undecodable(text: str) -> bool:
    """Say whether a name has bytes that are no UTF-8, which NetCDF and a terminal cannot take."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _expanded(text: str) -> Path:
    expanded = os.path.expanduser(text)
    if expanded.startswith("~"):  # else a folder of that name would be made here
        user = Path(text).parts[0]
        raise InputError(f"a user whose home is known in place of {user}", text, "write the whole path")
    return Path(expanded)
