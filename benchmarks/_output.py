"""Files, whole or not at all."""

import json
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ._errors import UsageError
from ._records import Curve, Row, from_tables, to_tables


def make_folder(out: Path) -> None:
    """The folder to write to. Raises UsageError where there can be none."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise UsageError(f"{out} cannot be written to ({error.strerror}): choose another with --out") from error


def write(out: Path, found: Sequence[Row | Curve], machine: Mapping[str, str]) -> list[Path]:
    """benchmarks.json, and scaling.png and scaling.pdf where growth was measured."""
    content = json.dumps({"machine": dict(machine), **to_tables(found)}, indent=1) + "\n"
    written = [whole(out / "benchmarks.json", lambda path: path.write_text(content))]
    curves = [each for each in found if isinstance(each, Curve)]
    if curves:
        from ._picture import scaling  # loads Matplotlib

        figure = scaling(curves)
        for kind in ("png", "pdf"):
            written.append(whole(out / f"scaling.{kind}", partial(figure.savefig, dpi=200, format=kind)))
    return written


def read(path: Path) -> tuple[list[Row | Curve], dict[str, str]]:
    """What a benchmarks.json holds: records and machine. Raises UsageError."""
    try:
        tables = json.loads(path.read_text())
        return from_tables(tables), tables["machine"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} is not a benchmarks.json of this version ({error})") from error


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
