"""The sweeps behind a named figure: which files, how long they take, and their stores, computed where they lack."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

import teacher_student as ts
from teacher_student import internal

from ..experiment import load_toml
from ..sweeps import FINISHED, CellStatus, Sweep, merged, normal_form, open_sweep, read_sweep, run_sweep

RECIPES = Path(__file__).parents[1] / "recipes"


@dataclasses.dataclass(frozen=True)
class Recipe:
    """One sweep of a figure: its name and file, and the minutes it takes on two cores."""

    name: str
    sweep: Sweep
    minutes: float


def recipes(figure: str, *, quick: bool = False) -> list[Recipe]:
    """Read the sweeps of a figure, from its folder of sweep files.

    Arguments: figure: its name. quick: whether to make the changes of its figure.toml, for a coarse version.
    Returns a list of `name`, `sweep` and `minutes` (on two cores) of each.
    """
    notes = load_toml(RECIPES / figure / "figure.toml", "figure")
    result = []
    for name, note in notes.items():
        tables = load_toml(RECIPES / figure / f"{name}.toml", "sweep")
        tables = _changed(tables, note["quick"]) if quick else tables
        result.append(Recipe(name, read_sweep(tables), note["quick_minutes" if quick else "minutes"]))
    return result


def _changed(tables: Mapping[str, Any], quick: Mapping[str, Any]) -> dict[str, Any]:
    """Return `tables` with whole axes replaced, and everything else merged."""
    axes = {**tables["axes"], **quick.get("axes", {})}
    return merged(tables, {name: table for name, table in quick.items() if name != "axes"}) | {"axes": axes}


def stores(
    figure: str,
    directory: str | Path,
    *,
    only: Sequence[str] | None = None,
    quick: bool = False,
    workers: int | None = None,
    progress: bool = True,
    say: Callable[[str], object] = print,
) -> dict[str, xr.Dataset]:
    """Load the data sets of a figure's sweeps from `directory`; what they lack is computed first, and its cost said.

    A packed data set NAME.nc, or a store NAME.zarr that is complete, is read as it is, whatever made it.

    Arguments: figure: its name. directory: made if need be. only: names of its sweeps; None: all. quick, workers,
      progress, say: as in `named_figure`.
    Returns data sets by name. Raises InputError, also for a folder that holds something else.
    """
    directory = internal.as_path(directory)
    wanted = [recipe for recipe in recipes(figure, quick=quick) if only is None or recipe.name in only]
    _check_folder(directory, [recipe.name for recipe in recipes(figure)], figure)
    packed = {recipe.name for recipe in wanted if internal.is_there(directory / f"{recipe.name}.nc")}
    lacking = [
        recipe for recipe in wanted if recipe.name not in packed and not _complete(directory / f"{recipe.name}.zarr")
    ]
    if lacking:
        minutes = sum(recipe.minutes for recipe in lacking)
        names = ", ".join(recipe.name for recipe in lacking)
        say(f"figure {figure}: computing {names}, about {minutes:.2g} min on two cores (Ctrl-C: goes on from there)")
        _make(directory)
    for recipe in lacking:
        summary = run_sweep(
            recipe.sweep, directory / f"{recipe.name}.zarr", workers=workers, progress=progress, say=lambda line: None
        )
        say(f"{recipe.name}: {summary}")
    return {
        recipe.name: internal.load_dataset(directory / f"{recipe.name}.nc")
        if recipe.name in packed
        else open_sweep(directory / f"{recipe.name}.zarr").load()
        for recipe in wanted
    }


def saved(path: Path, compute: Callable[[], xr.Dataset], figure: str, beside: Iterable[str] = ()) -> xr.Dataset:
    """Load the data set at `path`; where there is none, the one that `compute` returns, which is written there whole.

    Arguments: figure: whose data they are. beside: names of the other data sets, and folders, that the folder may hold.
    """
    if not internal.is_there(path):
        _check_folder(path.parent, [path.stem, *beside], figure)
        _make(path.parent)
        pack({path.stem: compute()}, path.parent)
    return internal.load_dataset(path)


def pack(data: Mapping[str, xr.Dataset], directory: str | Path) -> list[Path]:
    """Write each data set to NAME.nc in `directory`, as one compressed file, unless it is there.

    Arguments: data: data sets by name. directory: made if need be.
    Returns the paths of the new files. Raises InputError where they cannot be written.
    """
    paths = []
    for name, dataset in data.items():
        path = internal.as_path(directory) / f"{name}.nc"
        if not internal.is_there(path):
            encoding = {
                str(variable): {"zlib": True} for variable in dataset.data_vars if dataset[variable].dtype.kind in "fi"
            }
            # Texts that were read from a file remember its longest one, and longer ones would be cut to it.
            plain = dataset.drop_encoding().assign(
                {variable: dataset[variable].astype(object) for variable in dataset if variable == "message"}
            )
            _make(path.parent)
            internal.save_dataset(plain, path, encoding=encoding)
            paths.append(path)
    return paths


def _check_folder(directory: Path, names: Sequence[str], figure: str) -> None:
    """Raise InputError for a folder that holds something else: a mistyped one must not start hours of work."""
    try:
        existing = {path.name for path in directory.iterdir()} if directory.is_dir() else set()
    except OSError as error:
        reason = f"{directory} ({error.strerror})"
        raise ts.InputError("a folder for the figure's data that can be read", reason, "choose another") from error
    if existing and not existing & {f"{name}{end}" for name in names for end in ("", ".nc", ".zarr")}:
        raise ts.InputError(
            f"data of the figure {figure}, or an empty or new folder", f"{directory}: {sorted(existing)[:3]}"
        )


def _complete(path: Path) -> bool:
    if not internal.is_there(path):
        return False
    return bool(np.all(normal_form(open_sweep(path))["status"].isin([*FINISHED, CellStatus.NOT_ASKED])))


def _make(directory: Path) -> None:
    try:
        internal.target(directory).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ts.InputError("a writable directory for the figure's data", f"{directory} ({error.strerror})") from error
