"""CIFAR-10 from its files: batches of Python pickles or of bytes. A pickle is read without running what it names."""

import io
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from teacher_student import InputError
from teacher_student.internal import as_path, first_line, require_file, require_memory

from ._dataset import Dataset

PIXELS = 3 * 32 * 32
RECORD = 1 + PIXELS  # bytes of an image of a binary batch: its class, and red, green and blue
CLASSES = 10
FLOATS = 12  # bytes of a pixel: as it is read, and as a float32 beside its copy


def load_cifar10(*paths: Any, noise: Mapping[str, float] | None = None, gray: bool = False) -> Dataset:
    """Return the images of batches of CIFAR-10, with pixels between 0 and 1; clusters are the classes "0" to "9".

    Arguments:
      paths: batch files, data_batch_1 of the Python version or data_batch_1.bin of the binary one.
      noise: {level: variance of fresh pixel noise}, as in `Dataset`.
      gray: whether the three colours of a pixel are averaged: N = 1024 instead of 3072.

    The Python version consists of pickles. Nothing but arrays of bytes, numbers and texts is made of them, and what
    else they name is refused before it is imported.
    Raises InputError, which names the file, for one that is missing, truncated or of another kind.
    """
    if not paths:
        raise InputError("at least one batch file of CIFAR-10", "none")
    batches = [_batch(as_path(path)) for path in paths]
    pixels = np.concatenate([images for images, _ in batches]).astype(np.float32) / np.float32(255)
    if gray:
        pixels = pixels.reshape(len(pixels), 3, -1).mean(axis=1)
    return Dataset(pixels, np.concatenate([classes for _, classes in batches]), noise)


def _batch(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return images (n, 3072) in bytes and classes (n,) of one file."""
    required = "a batch of CIFAR-10"
    require_file(path, required)
    try:
        require_memory(FLOATS * path.stat().st_size, f"the images of {path}", "take fewer or smaller files")
        content = path.read_bytes()
    except FileNotFoundError:
        raise InputError(required, f"{path}: file not found") from None
    except OSError as error:
        raise InputError(required, f"{path}: {first_line(error)}") from None
    # A pickle of protocol 2 or later begins with 0x80, which is no class.
    if content[:1] == b"\x80":
        return _from_pickle(content, path)
    if not content or len(content) % RECORD:
        got = f"{path}, whose {len(content)} bytes are neither a pickle nor records of {RECORD}"
        raise InputError(required, got, "get the file again")
    records = np.frombuffer(content, np.uint8).reshape(-1, RECORD)
    if records[:, 0].max() >= CLASSES:
        raise InputError(f"classes 0 to {CLASSES - 1} in {path}", "others", "get the file again")
    return records[:, 1:], records[:, 0].astype(np.int64)


def _from_pickle(content: bytes, path: Path) -> tuple[np.ndarray, np.ndarray]:
    required = "a pickled batch of CIFAR-10"
    try:
        batch = _Reader(io.BytesIO(content), encoding="latin1").load()
    except Exception as error:  # a pickle may fail in any way
        raise InputError(required, f"{path}: {first_line(error)}") from None
    entries = {_text(name): entry for name, entry in batch.items()} if isinstance(batch, dict) else {}
    images, labels = entries.get("data"), entries.get("labels")
    if not isinstance(images, _StoredArray) or not isinstance(labels, list):
        raise InputError(f"{required}, {{data, labels}}", f"{path}, which has {sorted(map(str, entries))}")
    if not all(type(label) is int and 0 <= label < CLASSES for label in labels):
        raise InputError(f"classes 0 to {CLASSES - 1} in {path}", "others", "get the file again")
    pixels, classes = images.array(), np.array(labels, np.int64)
    if pixels is None or pixels.shape != (len(classes), PIXELS) or not len(classes):
        shape = None if pixels is None else pixels.shape
        raise InputError(f"{required} with bytes (n, {PIXELS}) and n labels", f"{path}: {shape} and {len(labels)}")
    return pixels, classes


def _text(name: Any) -> str:
    return name.decode("latin1") if isinstance(name, bytes) else str(name)


class _StoredArray:
    """What a pickle says of an array. NumPy's own would believe any shape and dtype, objects included."""

    state: tuple[Any, ...] = ()

    def __init__(self, *_: Any):
        pass

    def __setstate__(self, state: Any) -> None:
        self.state = state if isinstance(state, tuple) else ()

    def array(self) -> np.ndarray | None:
        """Return an array of unsigned bytes in C order, or None where it is something else."""
        if len(self.state) != 5:
            return None
        _, shape, kind, fortran, numbers = self.state
        # Python 2 wrote bytes as text, which was decoded as latin1.
        numbers = numbers.encode("latin1") if isinstance(numbers, str) else numbers
        plain = isinstance(kind, _StoredKind) and kind.name == "u1" and not fortran and isinstance(numbers, bytes)
        if not plain or not isinstance(shape, tuple) or not all(type(n) is int and n >= 0 for n in shape):
            return None
        if len(shape) != 2 or shape[0] * shape[1] != len(numbers):
            return None
        return np.frombuffer(numbers, np.uint8).reshape(shape)


def _from_buffer(numbers: Any, kind: Any, shape: Any, order: Any) -> _StoredArray:
    """Return an array as pickles of protocol 5 have it."""
    array = _StoredArray()
    array.__setstate__((1, shape, kind, order != "C", bytes(numbers) if isinstance(numbers, bytearray) else numbers))
    return array


class _StoredKind:
    """What a pickle says of a dtype."""

    def __init__(self, name: Any = "", *_: Any):
        self.name = name

    def __setstate__(self, state: Any) -> None:
        pass


def _encode(text: Any, encoding: Any = "latin1") -> bytes:
    """Return bytes that Python 3 wrote as text into a pickle of protocol 2."""
    if not isinstance(text, str) or encoding != "latin1":
        raise pickle.UnpicklingError("bytes that are no latin1")
    return text.encode("latin1")


# All that a batch needs, with what stands in its place: none of it can do anything.
ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): _StoredArray,
    ("numpy._core.multiarray", "_reconstruct"): _StoredArray,
    ("numpy.core.numeric", "_frombuffer"): _from_buffer,
    ("numpy._core.numeric", "_frombuffer"): _from_buffer,
    ("numpy", "ndarray"): _StoredArray,
    ("numpy", "dtype"): _StoredKind,
    ("_codecs", "encode"): _encode,
}


class _Reader(pickle._Unpickler):
    """Reads a pickle of arrays, texts and numbers.

    It is the one written in Python: that in C sets aside memory for as many objects as four bytes of a file claim.
    """

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which is not run")
        return ALLOWED[module, name]
