"""The folder in which compiled programs are kept: where it is, and whether it can be used."""

import os
import warnings
from pathlib import Path

from ._places import as_path

OFF = "off"
VARIABLE = "TEACHER_STUDENT_CACHE"


def users_own() -> bool:
    """Return whether the user has told JAX, and not us, where to keep programs. That cache is left as it is."""
    return "JAX_COMPILATION_CACHE_DIR" in os.environ and not os.environ.get(VARIABLE)


def usual_folder() -> Path | None:
    """Return the folder that TEACHER_STUDENT_CACHE names, or the user's cache folder.

    None means that keeping programs is switched off.
    """
    folder = os.environ.get(VARIABLE, "")
    if folder.lower() == OFF:
        return None
    if folder:
        return as_path(folder)
    import platformdirs

    return Path(platformdirs.user_cache_dir("teacher-student", appauthor=False)) / "programs"


def open_folder(folder: Path) -> bool:
    """Make the folder and put it in order. Return whether programs can be kept in it.

    If not, there is a warning.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _drop_unfinished(folder)
    except OSError as error:
        reason = error.strerror or error
        warnings.warn(f"compiled programs are not kept: {folder} ({reason})", stacklevel=4)
        return False
    return True


def _drop_unfinished(folder: Path) -> None:
    """Remove programs whose writing was cut short. JAX stamps each with its last use after it has written it.

    JAX would read such a file, and complain, at every start, and could not make room where a stamp lacks.
    """
    import filelock

    lock = filelock.FileLock(folder / ".lockfile")  # JAX's own, so that nobody is writing
    try:
        with lock.acquire(timeout=1):
            for program in folder.glob("*-cache"):
                if not program.with_name(f"{program.name.removesuffix('-cache')}-atime").exists():
                    program.unlink(missing_ok=True)
    except filelock.Timeout:  # somebody is; they are dropped at another start
        return
