"""From arrays of pixels to a data set: what all loaders do."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from teacher_student import InputError
from teacher_student.internal import as_count

from ._dataset import Dataset


def dataset_of_images(
    images: Any, labels: Any, largest: float, noise: Mapping[str, float] | None, crop: int
) -> Dataset:
    """Return images (n, rows, columns) with `crop` pixels cut off at each side, divided by the largest possible one."""
    cut = as_count(crop, "number of pixels to cut off", least=0)
    sides = images.shape[1:]
    if 2 * cut >= min(sides):
        raise InputError(f"a crop that leaves pixels of {sides[0]} x {sides[1]}", cut)
    kept = images[:, cut : sides[0] - cut, cut : sides[1] - cut]
    pixels = kept.reshape(len(kept), -1).astype(np.float32) / np.float32(largest)
    return Dataset(pixels, np.asarray(labels, np.int64), noise)
