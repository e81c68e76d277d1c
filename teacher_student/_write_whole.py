"""Files that appear whole or not at all."""

import contextlib
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ._errors import InputError


def write_whole(path: str | Path, write: Callable[[Path], Any], *, force: bool = False) -> Path:
    """Call `write` on a temporary path beside `path`, then rename: the file appears whole or not at all."""
    path = Path(path)
    if path.exists() and not force:
        raise InputError("a path that does not exist yet", str(path), "choose another, or force (--force)")
    with _temporary_beside(path) as temporary:
        write(temporary)
        os.replace(temporary, path)
    return path


@contextlib.contextmanager
def _temporary_beside(path: Path) -> Iterator[Path]:
    temporary = path.with_name(f".{path.stem}-{uuid.uuid4().hex[:8]}{path.suffix}")
    try:
        temporary.touch(exist_ok=False)
    except OSError as error:
        raise InputError("a writable output directory", f"{path.parent} ({error.strerror})") from error
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)
