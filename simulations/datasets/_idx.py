"""MNIST and its like from IDX files, as they are distributed: compressed or not."""

import gzip
import math
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from teacher_student import InputError
from teacher_student.internal import as_path, first_line, require_file, require_memory

from ._dataset import Dataset
from ._images import dataset_of_images

GZIP = b"\x1f\x8b"
UNSIGNED_BYTE = 0x08
FLOATS = 12  # bytes of a pixel: as it is read, and as a float32 beside its copy


def load_idx(images: Any, labels: Any, noise: Mapping[str, float] | None = None, *, crop: int = 0) -> Dataset:
    """Return the images and labels of two IDX files, such as MNIST's train-images-idx3-ubyte.gz, pixels in [0, 1].

    Arguments:
      images: path of a file of unsigned bytes (n, rows, columns). labels: of one of unsigned bytes (n,). Both may be
        compressed by gzip, whatever their names.
      noise: {level: variance of fresh pixel noise}, as in `Dataset`. crop: pixels that are cut off at each side.
    Raises InputError, which names the file, for one that is missing, of another kind, truncated or longer than it says.
    """
    pictures, classes = _read(images, 3), _read(labels, 1)
    if len(pictures) != len(classes):
        raise InputError(f"as many labels as images in {as_path(labels)}", f"{len(classes)} of {len(pictures)} images")
    return dataset_of_images(pictures, classes, 255.0, noise, crop)


def _read(given: Any, dimensions: int) -> np.ndarray:
    """Return the unsigned bytes of an IDX file, with so many axes."""
    path = as_path(given)
    required = f"an IDX file of unsigned bytes with {dimensions} axes"
    require_file(path, required)
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == GZIP
            raw.seek(0)
            if packed:
                with gzip.open(raw) as unpacked:
                    return _array(unpacked, path, dimensions, required)  # type: ignore[arg-type]  # reads as a file does
            return _array(raw, path, dimensions, required)
    except FileNotFoundError:
        raise InputError(required, f"{path}: file not found") from None
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(required, f"{path}: {first_line(error)}") from None


def _array(file: IO[bytes], path: Path, dimensions: int, required: str) -> np.ndarray:
    header = file.read(4 + 4 * dimensions)
    if header[:4] != bytes((0, 0, UNSIGNED_BYTE, dimensions)):
        swapped = header[:4] in (bytes((0, 0, UNSIGNED_BYTE, other)) for other in (1, 3))
        remedy = "load_idx(images, labels): images first" if swapped else "take MNIST's own files, as distributed"
        raise InputError(required, f"{path}, which begins with {header[:4].hex(' ') or 'nothing'}", remedy)
    if len(header) < 4 + 4 * dimensions:
        raise InputError(required, f"{path}, which ends in its header")
    shape = struct.unpack(f">{dimensions}I", header[4:])
    size = math.prod(shape)
    if not size:
        raise InputError(required, f"{path}, which has nothing in it: shape {shape}")
    # Before anything of that size is read: a header of 16 bytes may declare exabytes.
    require_memory(FLOATS * size, f"the {shape} numbers that {path} declares", "take another file")
    numbers = file.read(size)
    if len(numbers) < size:
        raise InputError(f"{size} numbers, as its header says, in {path}", f"{len(numbers)}", "get the file again")
    if file.read(1):
        raise InputError(f"{size} numbers, as its header says, in {path}", "more", "get the file again")
    return np.frombuffer(numbers, np.uint8).reshape(shape)
