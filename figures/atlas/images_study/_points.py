"""Finished points of the study: each is a file of its own, which says of which plan it is."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import xarray as xr

import teacher_student as ts

from .._recipes import saved


def point(
    folder: Path, name: str, settings: dict[str, Any], compute: Callable[[], xr.Dataset], names: list[str]
) -> xr.Dataset:
    """Load a point; where there is none, compute and write it. Raises InputError for one of other settings.

    Arguments: folder: of the points of a part. name: of the file. settings: all that the numbers depend on. names: of
      all points in the folder.
    """
    path = folder / f"{name}.nc"
    words = json.dumps(settings, sort_keys=True)
    found = saved(path, partial(_with_settings, compute, words), "images", names)
    if found.attrs.get("settings") != words:
        remedy = "move it away: it is computed again"
        raise ts.InputError("a point of this study", f"{path}, which is of other sizes or of another study", remedy)
    return found


def _with_settings(compute: Callable[[], xr.Dataset], words: str) -> xr.Dataset:
    return compute().assign_attrs(settings=words)
