"""The problem that the page was opened with: the command sets it, and every tab of the browser reads it."""

from __future__ import annotations  # types are not looked up, which would load JAX before a file is checked

import copy
import dataclasses
from collections.abc import Mapping
from typing import Any

from ..experiment import load_tables


@dataclasses.dataclass(frozen=True)
class Opened:
    """A problem file that was read. tables: what it says. source: its name, "" for the built-in problem."""

    tables: dict[str, Any]
    source: str


_opened: list[Opened] = []


def open_problem(tables: Mapping[str, Any], source: str) -> None:
    """Set what every page of this process starts with."""
    _opened[:] = [Opened(copy.deepcopy(dict(tables)), source)]


def opened() -> Opened:
    """Return what the page starts with: the built-in problem, where the command has set no other."""
    return _opened[0] if _opened else Opened(load_tables(None), "")
