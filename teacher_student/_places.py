"""Paths as users give them: what they mean, and which of them are refused before anything is made."""

import os
import re
from pathlib import Path

from ._errors import InputError

# A Path has made one slash of two. A letter alone would be a drive of Windows.
ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]+:/")


def as_path(given: object) -> Path:
    """Return the path that `given` means, with `~` and `~user` expanded as a shell does.

    Nothing need be there. Raises InputError for what can be no path: an empty name, an address such as s3://bucket, a
    name that is too long, or one that leads through a folder that may not be read.
    """
    path = _expanded(_as_text(given))
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        pass  # who reads or writes it says what is wrong with that
    except OSError as error:
        raise InputError("a path that can be used", f"{path} ({error.strerror})", "choose another") from error
    return path


def target(path: Path) -> Path:
    """Return where `path` leads, through every link, so that what is written leaves the links as they are."""
    return Path(os.path.realpath(path))


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
