"""Files, whole or not at all."""

import json
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ._errors import UsageError
from ._records import Curve, Row, to_tables


def make_folder(out: Path) -> None:
    """The folder to write to. Raises UsageError where there can be none."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise UsageError(f"{out} cannot be written to ({error.strerror}): choose another with --out") from error


def write(
    out: Path, rows: Sequence[Row], curves: Sequence[Curve], machine: Mapping[str, str], quick: bool
) -> list[Path]:
    """benchmarks.json, and scaling.png and scaling.pdf where growth was measured."""
    content = {"machine": dict(machine), "quick": quick, **to_tables([*rows, *curves])}
    written = [whole(out / "benchmarks.json", lambda path: path.write_text(json.dumps(content, indent=1) + "\n"))]
    if curves:
        from ._picture import scaling  # loads Matplotlib

        figure = scaling(curves)
        for kind in ("png", "pdf"):
            written.append(whole(out / f"scaling.{kind}", partial(figure.savefig, dpi=200, format=kind)))
    return written


def whole(path: Path, fill: Callable[[Path], Any]) -> Path:
    """Fill a file beside `path`, then rename it."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix)
    os.close(handle)
    try:
        fill(Path(name))
        os.chmod(name, 0o644)
        os.replace(name, path)
    finally:
        Path(name).unlink(missing_ok=True)
    return path
