"""Pictures as files."""

from __future__ import annotations  # types are not looked up, which would load matplotlib: half a second

from pathlib import Path
from typing import TYPE_CHECKING

from teacher_student import internal

from ._ctrl_c import stop_if_asked

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 200
KINDS = ("png", "pdf")  # of a comparison's and a solution's picture


def write_picture(figure: Figure, path: Path, *, force: bool) -> None:
    """Write `figure` to `path`, whole or not at all; its ending says the format. Raises InputError."""
    internal.write_whole(path, lambda part: figure.savefig(part, dpi=DPI), force=force)


def write_pictures(figure: Figure, paths: dict[str, Path]) -> None:
    """Write `figure` as each of `KINDS` that `paths` has, over what is there; Ctrl-C is heeded between them."""
    for kind in KINDS:
        if kind in paths:
            write_picture(figure, paths[kind], force=True)
            stop_if_asked()
