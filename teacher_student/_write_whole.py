"""Files that appear whole or not at all."""

import contextlib
import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ._errors import InputError
from ._places import as_path, require_file, target

UNFINISHED = re.compile(r"\.teacher-student-[0-9a-f]{32}\.unfinished")  # a folder of one file that is being written
LOCK = ".teacher-student.lock"


def write_whole(path: str | Path, write: Callable[[Path], Any], *, force: bool = False) -> Path:
    """Call `write` on a temporary path, then rename: the file appears whole or not at all.

    A link stays, and what it leads to is written. What killed processes left unfinished beside it is removed.

    Raises InputError for a path that is there, unless `force`, for a folder, a device and the like, and where there is
    no room.
    """
    path = as_path(path)
    require_free(path, force=force)
    final = target(path)
    sweep_up(final.parent)
    with _temporary_beside(final) as temporary:
        try:
            write(temporary)
            os.replace(temporary, final)
        except OSError as error:
            reason = f"{path} ({error.strerror or error})"
            raise InputError("room for the file", reason, "make room, or choose another path") from error
    return path


def require_free(path: Path, *, force: bool) -> None:
    """Raise InputError if `path` is there and not to be written over, or is no file: a folder, a device or a pipe."""
    require_file(path, "the path of a file")
    if path.exists() and not force:
        raise InputError("a path that does not exist yet", str(path), "choose another, or force (--force)")


@contextlib.contextmanager
def _temporary_beside(final: Path) -> Iterator[Path]:
    """Give a path with the name of `final` in a folder of its own beside it, since a rename needs the same disk.

    A lock says that its writer lives: the system frees it when the process dies.
    """
    with contextlib.ExitStack() as stack:
        try:
            folder = _locked_folder(final.parent, stack)
        except OSError as error:
            raise InputError("a writable output directory", f"{final.parent} ({error.strerror})") from error
        yield folder / final.name


def _locked_folder(parent: Path, stack: contextlib.ExitStack) -> Path:
    while True:
        folder = parent / f".teacher-student-{uuid.uuid4().hex}.unfinished"
        folder.mkdir()
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        # Without the lock, which some file systems do not have, nobody else can take it to remove the folder either.
        if _lock(folder, stack) is not False:
            return folder


def _lock(folder: Path, stack: contextlib.ExitStack) -> bool | None:
    """Hold the folder's lock. Return False if another process has it, or the folder; None if there are no locks."""
    import filelock  # only who writes needs it

    try:
        stack.enter_context(filelock.FileLock(folder / LOCK).acquire(timeout=0))
    except (filelock.Timeout, FileNotFoundError):
        return False
    except (OSError, NotImplementedError):
        return None
    return folder.is_dir()


def sweep_up(parent: Path) -> None:
    """Remove what killed processes left: folders with our token in their names, whose locks are free."""
    with contextlib.suppress(OSError):
        for left in [entry for entry in os.scandir(parent) if UNFINISHED.fullmatch(entry.name)]:
            with contextlib.ExitStack() as stack:
                if left.is_dir(follow_symlinks=False) and _lock(Path(left.path), stack):
                    shutil.rmtree(left.path, ignore_errors=True)
