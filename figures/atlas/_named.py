"""Named figures, from a folder of saved data to a picture and its caption: what `teacher-student figure NAME` does."""

import dataclasses
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import xarray as xr
from matplotlib.figure import Figure

import teacher_student as ts
from teacher_student import internal

from ._cost import cost, cost_text
from ._curriculum import curriculum, curriculum_text
from ._lottery import lottery, lottery_text
from ._recipes import saved, stores
from .finite_size_study import deviation_data, escape_data, finite_size, finite_size_text
from .images_study import images, images_data, images_text, softmax_data
from .optimal_study import optimal, optimal_data, optimal_text
from .tickets_study import tickets, tickets_data, tickets_text
from .width_study import folder_names, width, width_data, width_sgd_data, width_text


@dataclasses.dataclass(frozen=True)
class Drawn(internal.PublicRecord):
    """What a named figure gives.

    figure: the picture. caption: its numbers in words, with the command that makes both. data: data sets by name.
    """

    figure: Figure
    caption: str
    data: Mapping[str, xr.Dataset]


def _lottery(data: Mapping[str, xr.Dataset]) -> tuple[Figure, str]:
    parts = data["theory"], data["simulation"], data["settings"]
    return lottery(*parts), lottery_text(*parts)


def _curriculum(data: Mapping[str, xr.Dataset], **options: Any) -> tuple[Figure, str]:
    (dataset,) = data.values()
    return curriculum(dataset, **options), curriculum_text(dataset, **options)


def _cost(data: Mapping[str, xr.Dataset], **options: Any) -> tuple[Figure, str]:
    return cost(data["xor"], **options), cost_text(data["xor"], **options)


def _tickets(data: Mapping[str, xr.Dataset]) -> tuple[Figure, str]:
    return tickets(data["tickets"]), tickets_text(data["tickets"])


def _optimal(data: Mapping[str, xr.Dataset]) -> tuple[Figure, str]:
    return optimal(data["perceptron"], data["xor"]), optimal_text(data["perceptron"], data["xor"])


def _finite_size(data: Mapping[str, xr.Dataset]) -> tuple[Figure, str]:
    return finite_size(data["deviation"], data["escape"]), finite_size_text(data["deviation"], data["escape"])


def _width(data: Mapping[str, xr.Dataset]) -> tuple[Figure, str]:
    return width(data["width"], data["sgd"]), width_text(data["width"], data["sgd"])


def _images(data: Mapping[str, xr.Dataset]) -> tuple[Figure, str]:
    return images(data["images"], data["softmax"]), images_text(data["images"], data["softmax"])


PARTS = ("perceptron", "xor", "cells")  # of the figure optimal: its data sets, and the folder of what is finished

DRAWERS: dict[str, Callable[..., tuple[Figure, str]]] = {
    "lottery": _lottery,
    "tickets": _tickets,
    "curriculum": _curriculum,
    "cost": _cost,
    "finite-size": _finite_size,
    "optimal": _optimal,
    "width": _width,
    "images": _images,
}


def _in_words(value: Any) -> str:
    """Return an option as the command line takes it, a mixture as easy=0.5,hard=0.5."""
    if isinstance(value, Mapping):
        return ",".join(f"{level}={weight!r}" for level, weight in value.items())
    return str(value)


def _drawn(name: str, data: Mapping[str, xr.Dataset], directory: str | Path, **options: Any) -> tuple[Figure, str]:
    """Draw the figure, or raise InputError for data that are not its own."""
    try:
        return DRAWERS[name](data, **options)
    except (LookupError, ValueError, TypeError, AttributeError) as error:
        if isinstance(error, ts.InputError):
            raise
        # A file of the right name may come from another program, which may lack anything.
        reason = f"{directory} ({type(error).__name__}: {internal.first_line(error)})"
        raise ts.InputError(f"data of the figure {name}", reason, "move them away: they are computed again") from error


def named_figure(
    name: str,
    directory: str | Path,
    *,
    quick: bool = False,
    task: str | None = None,
    workers: int | None = None,
    progress: bool = True,
    say: Callable[[str], object] = print,
    **options: Any,
) -> Drawn:
    """Draw the figure `name` from the data in `directory`; what these lack is computed first, and its cost said.

    Arguments:
      name: "lottery", "tickets", "curriculum", "cost", "finite-size", "optimal", "width" or "images".
      directory: of its data, made if need be.
      quick: whether to draw a coarse version, in at most two minutes. task: of the curriculum, "xor" or "committee".
      workers: local processes (None: one per core; 0: this one). progress: whether to show a bar. say: gets each line.
      options: measure, rate and time of `curriculum`; test, of `curriculum` and `cost`.
    Returns a Drawn: figure, caption and data. Raises InputError, also for a folder that holds something else.
    """
    internal.require_name(name, DRAWERS, "named figure")
    directory = internal.as_path(directory)
    only = None if task is None else [task]
    if name == "tickets":  # trained, pruned and trained again: no grid of problems
        data = {name: saved(directory / "tickets.nc", lambda: tickets_data(quick=quick, say=say), name)}
    elif name == "finite-size":
        parts = {"deviation": deviation_data, "escape": escape_data}
        data = {
            part: saved(directory / f"{part}.nc", partial(make, quick=quick, progress=progress, say=say), name, parts)
            for part, make in parts.items()
        }
    elif name == "optimal":
        options_of_cells: dict[str, Any] = {"quick": quick, "workers": workers, "progress": progress, "say": say}
        data = {
            part: saved(
                directory / f"{part}.nc", partial(optimal_data, directory, part=part, **options_of_cells), name, PARTS
            )
            for part in PARTS[:2]
        }
    elif name == "width":
        sizes: dict[str, Any] = {"quick": quick, "progress": progress, "say": say}
        makers: dict[str, Callable[..., xr.Dataset]] = {
            "width": partial(width_data, workers=workers),
            "sgd": partial(width_sgd_data, workers=workers),
        }
        beside = folder_names(quick=quick)
        data = {
            part: saved(directory / f"{part}.nc", partial(make, directory, **sizes), name, beside)
            for part, make in makers.items()
        }
    elif name == "images":
        of_images: dict[str, Callable[..., xr.Dataset]]
        of_images = {"images": partial(images_data, progress=progress), "softmax": softmax_data}
        beside = ["xor", *of_images]
        data = {
            part: saved(directory / f"{part}.nc", partial(make, directory, quick=quick, say=say), name, beside)
            for part, make in of_images.items()
        }
    else:
        data = stores(name, directory, only=only, quick=quick, workers=workers, progress=progress, say=say)
    figure, text = _drawn(name, data, directory, **options)
    words = [f"teacher-student figure {name}", str(directory), *(["--quick"] if quick else [])]
    words += [f"--task {task}"] if task else []
    words += [f'--{key} "{_in_words(value)}"' for key, value in options.items() if value is not None]
    return Drawn(figure, f"{text}\n\nDrawn, and its data computed where they lack, by:\n  {' '.join(words)}\n", data)
