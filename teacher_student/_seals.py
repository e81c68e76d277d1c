"""Seals: a file's digest at its end, by which a damaged file is known before anything reads it.

HDF5, and so NetCDF, knows where its own data end and reads nothing after it. So one digest covers every byte of the
file: numbers, attributes, names of dimensions and the structure that finds them, which could otherwise end the process
that reads it. A program that changes the file drops the seal, and a file without one is read as it is.
"""

import hashlib
import re
from pathlib import Path

from ._errors import InputError

MARK = "\nteacher-student sha256 "
SEAL = re.compile(re.escape(MARK.encode()) + rb"(.{64})\n\Z", re.DOTALL)
LENGTH = len(MARK) + 64 + 1
PIECE = 2**20  # bytes read at once
JSON_SEAL = re.compile(r',\n "sha256": "([^"]*)"\n\}\n\Z')  # in a file of JSON the digest is its last entry


def seal(path: Path) -> None:
    """Write the digest of the file at its end."""
    digest = _digest(path, path.stat().st_size)
    with path.open("ab") as file:
        file.write(f"{MARK}{digest}\n".encode())


def check_seal(path: Path) -> None:
    """Raise InputError if the file has a seal that is not its own. Raises OSError where it cannot be read."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - LENGTH))
        end = file.read()
    found = SEAL.search(end)
    cut = not found and MARK.encode() in end
    if cut or (found and found[1] != _digest(path, size - LENGTH).encode()):
        raise damaged(path)


def sealed_json(text: str) -> str:
    """Return the text of a JSON table with its digest as the last entry, `sha256`."""
    head = text.rstrip().removesuffix("}").rstrip()
    return f'{head},\n "sha256": "{_of(head)}"\n}}\n'


def check_sealed_json(path: Path, text: str) -> None:
    """Raise InputError if the text of `path` has a digest that is not its own."""
    found = JSON_SEAL.search(text)
    if found and found[1] != _of(text[: found.start()]):
        raise damaged(path)


def damaged(path: Path, remedy: str = "copy it again, or make it again") -> InputError:
    """Return the error of a file whose bytes are not those that were written."""
    return InputError(
        "a file as it was written",
        f"{path}, which is damaged, or changed by another program (its checksum differs)",
        remedy,
    )


def _of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _digest(path: Path, size: int) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(min(PIECE, size)):
            digest.update(piece)
            size -= len(piece)
    return digest.hexdigest()
