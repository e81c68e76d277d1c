"""Which files of a store's folder a sweep has written: nothing else in it is ever removed."""

import contextlib
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import teacher_student as ts
from teacher_student import internal

from ._checked_store import DIGESTS, ROOT, has_checksum

CHUNK = re.compile(r"c(\.\d+)+")  # of cells
PARTIAL = re.compile(r".*\.[0-9a-f]{32}\.partial")  # a chunk that Zarr is writing
IN_AN_ARRAY = re.compile(r"zarr\.json|c(\.\d+)*|c/\d+")  # every file of an array, from its folder on


def remove_partial(path: Path, arrays: Iterable[str]) -> None:
    """Remove what a killed process was writing into the store at `path`; only the folders of `arrays` are looked at.

    A user may keep something else below the store, such as another store that is being written.
    """
    internal.sweep_up(path)
    for name in arrays:
        for partial in _files(path / name):
            if PARTIAL.fullmatch(partial.name):
                partial.unlink(missing_ok=True)


def require_no_others(path: Path, arrays: Iterable[str]) -> None:
    """Raise InputError if the folder of a store has a file that is not the store's: it is about to be replaced."""
    arrays = set(arrays)
    for file in path.rglob("*"):
        if file.is_dir() and not file.is_symlink():
            continue
        first, *rest = file.relative_to(path).parts
        ours = (first, *rest) == (ROOT,) or (first in arrays and IN_AN_ARRAY.fullmatch("/".join(rest)))
        if not ours:
            remedy = "move it elsewhere: the store is written anew, since it grows"
            raise ts.InputError("a store without other files in its folder", str(file), remedy)


def remove_remains(path: Path, arrays: Iterable[str], attributes: Mapping[str, Any]) -> None:
    """Remove what is left in the folder of a store that was deleted while this process wrote it.

    A file goes only if its bytes say that it was the store's: a chunk that ends with its own checksum, and what has the
    digest that the store's `attributes` state. Folders go once they are empty.
    """
    digests = json.loads(attributes.get(DIGESTS, "{}"))
    for name in arrays:
        for file in _files(path / name):
            whole = bool(CHUNK.fullmatch(file.name)) and has_checksum(file.read_bytes())
            if whole or PARTIAL.fullmatch(file.name):
                file.unlink(missing_ok=True)
    for name, digest in digests.items():
        file = path / name
        if name != ROOT and file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() == digest:
            file.unlink(missing_ok=True)
    folders = {folder for name in digests for folder in Path(name).parents} | {Path(name) for name in arrays}
    for folder in sorted(folders | {Path()}, key=lambda folder: len(folder.parts), reverse=True):
        with contextlib.suppress(OSError):  # of one that is not empty, or that has gone
            (path / folder).rmdir()


def _files(folder: Path) -> Iterator[Path]:
    """Give the files right in `folder`; neither links are followed nor folders looked into."""
    if folder.is_dir() and not folder.is_symlink():
        yield from [file for file in folder.iterdir() if file.is_file() and not file.is_symlink()]
