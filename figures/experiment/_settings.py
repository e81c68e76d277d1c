"""Earlier names of an experiment, for programs that use them."""

from __future__ import annotations  # types are not looked up, which would load JAX before a file is checked

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ._experiment import Experiment
from ._experiment_file import load_experiment, read_experiment

Settings = Experiment  # says so in its docstring


def load_settings(path: str | Path | None, *, simulated: bool = True, **changes: Any) -> Experiment:
    """Read the experiment of a TOML file: `load_experiment` under its earlier name.

    Arguments: path, simulated and changes are those of `load_experiment`, and so are the errors.
    """
    return load_experiment(path, simulated=simulated, **changes)


def read_settings(tables: Mapping[str, Any], *, simulated: bool = True, **changes: Any) -> Experiment:
    """Read an experiment from tables: `read_experiment` under its earlier name.

    Arguments: tables, simulated and changes are those of `read_experiment`, and so are the errors.
    """
    return read_experiment(tables, simulated=simulated, **changes)
