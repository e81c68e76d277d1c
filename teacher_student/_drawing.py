"""The one place from which results reach what draws them, and what simulates them."""

import importlib
from typing import TYPE_CHECKING, Any

from ._errors import InputError, first_line

if TYPE_CHECKING:  # half a second to import: only who draws needs it
    import numpy as np
    from matplotlib.figure import Figure

# The package whose `plot` draws. It stands above the packages whose results have a method `plot`, so that they may not
# import it: it is named here and loaded when something is drawn, as pandas does with its plotting backends.
BACKEND = "figures"


def plot(thing: Any, **options: Any) -> "tuple[Figure, np.ndarray]":
    """Return the figure and the axes that the package BACKEND draws of `thing`.

    Raises InputError where the package, or matplotlib below it, is not there.
    """
    drawn: tuple[Figure, np.ndarray] = backend("plot")(thing, **options)
    return drawn


def backend(name: str) -> Any:
    """Return what the package BACKEND has under a name. Raises InputError where it is not there."""
    try:
        return getattr(importlib.import_module(BACKEND), name)
    except ImportError as error:
        required = f"the package {BACKEND!r} with matplotlib, which draws"
        raise InputError(required, first_line(error), "install teacher-student as a whole") from error
