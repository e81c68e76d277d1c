"""Pictures as files, and what is said where there can be none."""

from __future__ import annotations  # types are not looked up, which would load matplotlib: half a second

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import teacher_student as ts
from teacher_student import internal

from ._ctrl_c import stop_if_asked

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 200
DRAWN_BY = b"atplotlib"  # in each picture's metadata
EDGE = 8192  # bytes at each end of a file in which that is looked for
KINDS = ("png", "pdf")  # of a comparison's and a solution's picture


class PictureError(RuntimeError):
    """A picture that cannot be drawn or written, such as for a user's matplotlibrc that asks for LaTeX without one."""


def require_matplotlib() -> None:
    """Raise PictureError unless matplotlib loads, which a setting of the user's own may prevent."""
    try:
        import matplotlib.figure  # noqa: F401
    except Exception as error:
        raise PictureError(f"a picture cannot be drawn: matplotlib does not load ({_reason(error)})") from error


def require_picture(path: Path, *, force: bool) -> None:
    """Raise InputError for a folder, and, unless `force`, for a file that matplotlib has not drawn.

    A picture is drawn again from its data at any time, so that one may be written over. A user's own PDF may not.
    """
    if path.is_file() and not force and DRAWN_BY not in _edges(path):
        remedy = "choose another, or force (--force)"
        raise ts.InputError("a new path, or that of a picture drawn by matplotlib", str(path), remedy)
    internal.require_free(path, force=True)


def _edges(path: Path) -> bytes:
    """Return the first and last bytes of a file, where PNG, SVG and PDF name the program that wrote them."""
    with path.open("rb") as file:
        first = file.read(EDGE)
        file.seek(max(file.tell(), path.stat().st_size - EDGE))
        return first + file.read()


def write_picture(figure: Figure, path: Path, *, force: bool) -> None:
    """Write `figure` to `path`, whole or not at all; its ending says the format. Raises InputError and PictureError."""
    try:
        # The format is that of the name which was given: where it is a link, the file has a name of its own.
        kind = path.suffix.removeprefix(".") or None
        internal.write_whole(path, lambda part: figure.savefig(part, dpi=DPI, format=kind), force=force)
    except ts.InputError:
        raise
    except Exception as error:  # matplotlib lays out, and asks LaTeX, only now
        raise PictureError(f"the picture {path} could not be drawn ({_reason(error)})") from error


def write_pictures(draw: Callable[[], Figure], paths: dict[str, Path]) -> None:
    """Draw, and write the figure as each of `KINDS` that `paths` has, over what is there.

    A picture that fails is a warning, since the numbers it would show are there. None of an earlier run then stays
    beside them. Ctrl-C is heeded between the pictures.
    """
    missing = [paths[kind] for kind in KINDS if kind in paths]
    try:
        figure = draw()
        while missing:
            write_picture(figure, missing[0], force=True)
            missing.pop(0)
            stop_if_asked()
    except Exception as error:
        for path in missing:
            path.unlink(missing_ok=True)
        names = ", ".join(path.name for path in missing)
        text = internal.first_line(error) if isinstance(error, PictureError) else _reason(error)
        warnings.warn(f"no {names}: {text}; all else is written", stacklevel=2)


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {internal.first_line(error)}"
