"""A sweep: a problem, axes along which it changes, what to keep of each cell, and by which engines."""

from __future__ import annotations  # types are not looked up, which would load JAX before a file is checked

import dataclasses
import functools
import itertools
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

import teacher_student as ts
from teacher_student import internal

from ..experiment import Experiment, SharedStarts, check_experiment, load_toml, naming_lines, read_file, resolve
from ._axes import Axis, read_axes
from ._dotted import TOP, flat
from ._measures import PER_LEVEL, Layout, Measures, read_measures

ENGINES = {"theory": ("theory",), "simulation": ("simulation",), "both": ("theory", "simulation")}
SHAPING = ("student.width", "task.width", "simulation.runs", "record.")  # keys that change the size of what is kept


@dataclasses.dataclass(frozen=True)
class Sweep(internal.PublicRecord):
    """A grid of problems, and what is to be kept of each; `load_sweep` and `read_sweep` make one.

    tables: those of the problem, as in its file. axes: the dimensions of the grid. measures: what is kept.
    engine: "theory", "simulation" or "both" (then with the agreement of the two in every simulated cell).
    simulate_every: axis name -> n, to simulate only every n-th of its values, from the first.
    tile: cells that are stored together, and solved by one worker in one go.
    """

    tables: Mapping[str, Any]
    axes: tuple[Axis, ...]
    measures: Measures
    engine: str = "theory"
    simulate_every: Mapping[str, int] = dataclasses.field(default_factory=dict)
    tile: int = 64

    @property
    def engines(self) -> tuple[str, ...]:
        """The names of the engines, "theory" and "simulation", in the order of the data set's dimension."""
        return ENGINES[self.engine]

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes, in their order: the shape of the grid of cells."""
        return tuple(len(axis) for axis in self.axes)

    def tables_at(self, index: tuple[int, ...]) -> dict[str, Any]:
        """Return the problem's tables of one cell, as in a file of its own.

        Arguments: index: the cell's position on every axis.
        Raises InputError where an axis' value does not fit the tables.
        """
        # Choices lay whole tables over the problem's: after numbers, they would take these back.
        tables = dict(self.tables)
        for axis, position in sorted(zip(self.axes, index, strict=True), key=lambda pair: not pair[0].choices):
            tables = axis.lay_over(tables, position)
        return tables

    def wanted(self, engine: str) -> np.ndarray:
        """Return the mask over the grid of the cells that one engine computes, by `simulate_every`.

        Arguments: engine: "theory" or "simulation". Returns booleans of `shape`.
        """
        mask = np.ones(self.shape, bool)
        if engine == "simulation":
            for number, axis in enumerate(self.axes):
                every = self.simulate_every.get(axis.name, 1)
                line = np.arange(len(axis)) % every == 0
                mask &= line.reshape([-1 if i == number else 1 for i in range(len(self.axes))])
        return mask

    def identity(self) -> dict[str, Any]:
        """Return all that a store must share with this sweep to be continued by it, by dotted name."""
        choices = {axis.name: dict(zip(axis.labels, axis.choices, strict=True)) for axis in self.axes if axis.choices}
        varied = {key for axis in self.axes for key in axis.keys}  # whatever the problem says of them
        entries: dict[str, Any] = {"axes": [axis.name for axis in self.axes]}
        entries |= {f"axes.{axis.name}": list(axis.keys) or "choices" for axis in self.axes}
        entries |= {f"axes.{key}": value for key, value in flat(choices)}
        entries |= {key: value for key, value in flat(self.tables) if key not in varied}
        return entries | {f"measures.{key}": value for key, value in flat(dataclasses.asdict(self.measures))}


OWN = ("axes", "measures", "sweep")  # tables of a sweep beside those of its problem


@dataclasses.dataclass(frozen=True)
class _SweepTable:
    engine: str = "theory"
    simulate_every: dict[str, int] = dataclasses.field(default_factory=dict)
    tile: int = 64


def read_sweep(tables: Mapping[str, Any]) -> Sweep:
    """Read a sweep from nested tables.

    Arguments: tables: those of a problem's file, and "axes", "measures" and "sweep" (engine, simulate_every, tile).
    Returns a Sweep. Raises InputError for entries that are wrong by themselves; problems are checked when it is run.
    """
    if not isinstance(tables, Mapping):
        raise ts.InputError("the tables of a sweep, name -> table", type(tables).__name__, "load_sweep reads a file")
    problem = {name: table for name, table in tables.items() if name not in OWN}
    for name in problem:
        with internal.about_entry(str(name)):
            internal.require_name(name, (*TOP, *OWN), "table of a sweep")
    axes, measures = read_axes(tables.get("axes")), read_measures(tables.get("measures", {}))
    table = internal.read_table(_SweepTable, tables.get("sweep", {}), "sweep")
    with internal.about_entry("sweep", "engine"):
        internal.require_name(table.engine, ENGINES, "sweep.engine")
    with internal.about_entry("sweep", "tile"):
        internal.as_count(table.tile, "sweep.tile")
    for name, every in table.simulate_every.items():
        with internal.about_entry("sweep", "simulate_every", name):
            internal.require_name(name, [axis.name for axis in axes], "axis in sweep.simulate_every")
            internal.as_count(every, f"sweep.simulate_every.{name}")
    if table.simulate_every and table.engine == "theory":
        raise ts.InputError("sweep.simulate_every only with a simulation", 'engine = "theory"', 'set engine = "both"')
    keys = [key for axis in axes for key in axis.keys]
    if len(set(keys)) < len(keys):
        raise ts.InputError("each dotted name on one axis only", sorted(key for key in keys if keys.count(key) > 1)[0])
    return Sweep(problem, axes, measures, table.engine, table.simulate_every, table.tile)


def load_sweep(path: str | Path, *, seed: int | None = None) -> Sweep:
    """Read a sweep from a TOML file.

    Arguments: path: of the file, whose tables are those of `read_sweep`. seed: in place of the file's.
    Returns a Sweep. Raises InputError for a file that cannot be read, or in which no cell is a problem.
    """
    tables = load_toml(path, "sweep")
    tables = tables if seed is None else {**tables, "seed": seed}
    with naming_lines(path, tables):
        spec = read_sweep(tables)
    if seed is not None and any("seed" in axis.keys for axis in spec.axes):
        raise ts.InputError("no --seed where seed is an axis", seed, "change the axis")
    _require_a_readable_cell(spec, path)
    return spec


def _require_a_readable_cell(sweep: Sweep, path: str | Path) -> None:
    """Raise the first cell's InputError if no cell on the diagonal of the grid can be read; quick, without arrays."""
    first_error: ts.InputError | None = None
    for index in _diagonal(sweep):
        try:
            tables = sweep.tables_at(index)
            with naming_lines(path, tables):
                read_file(tables, simulated="simulation" in sweep.engines)
            return
        except ts.InputError as error:
            first_error = first_error or error
    assert first_error is not None
    raise first_error


def _diagonal(sweep: Sweep) -> Iterator[tuple[int, ...]]:
    """Give the first cell, the second along every axis, and so on, each axis staying at its end."""
    for step in range(max(sweep.shape)):
        yield tuple(min(step, length - 1) for length in sweep.shape)


def experiment_at(sweep: Sweep, index: tuple[int, ...], starts: SharedStarts, *, simulated: bool = False) -> Experiment:
    """Return the experiment of one cell, checked as far as is cheap. Raises InputError.

    Arguments: starts: shared by the cells that are asked for. simulated: whether it is to be simulated too.
    """
    tables = sweep.tables_at(index)
    file = read_file(tables, simulated=simulated)
    if file.agreement.spread == "predicted" or file.theory.fluctuations:
        raise ts.InputError(
            "no theory.fluctuations or predicted spread in a sweep, whose cells measure theirs",
            'fluctuations = true or spread = "predicted"',
            "leave it out",
        )
    if file.agreement.detect is not None:
        raise ts.InputError("no agreement.detect in a sweep, whose cells measure their spread", "one", "leave it out")
    # A cell's theory predicts no fluctuations: thousands of cells would each take seconds for them.
    file = dataclasses.replace(file, agreement=dataclasses.replace(file.agreement, spread="measured"))
    experiment = resolve(file, ts.problem_from_tables(tables), simulated=simulated, starts=starts)
    if "means_right" in sweep.measures.keep:
        internal.require_clusters(experiment.problem)
    for name, time_to in sweep.measures.time_to.items():
        for level in time_to.tested_on:
            known = experiment.problem.inputs.level_names
            internal.require_name(level, known, f"level in [measures.time_to.{name}]")
    return experiment


def check_sweep(sweep: Sweep) -> tuple[Layout, list[str]]:
    """Return the layout of the data set, and a line for every axis value that gives no valid problem.

    One cell is checked whole, every other value of every axis on its own beside it; a value that cannot be used makes
    its cells fail, and no others. Raises InputError if no cell along some axis is valid.
    """
    starts = SharedStarts()
    reference = _valid_cell(sweep, starts)
    warnings = []
    for number, axis in enumerate(sweep.axes):
        failures = []
        for position in range(len(axis)):
            index = tuple(position if i == number else kept_position for i, kept_position in enumerate(reference))
            try:
                experiment_at(sweep, index, starts)
            except ts.InputError as error:
                failures.append((axis.labels[position], error))
        if failures:
            label, reason = failures[0]
            count = f"{len(failures)} of {len(axis)} values of {axis.name}"
            warnings.append(f"{count} give no valid problem and will fail, such as {label!r}: {reason}")
    return _layout(sweep, reference, starts), warnings


def _valid_cell(sweep: Sweep, starts: SharedStarts) -> tuple[int, ...]:
    """Return the first valid cell on the diagonal of the grid. Raises the first cell's InputError if there is none."""
    first_error: ts.InputError | None = None
    for index in _diagonal(sweep):
        try:
            simulated = "simulation" in sweep.engines
            experiment = experiment_at(sweep, index, starts, simulated=simulated)
            if simulated:
                check_experiment(experiment)
            return index
        except ts.InputError as error:
            first_error = first_error or error
    assert first_error is not None
    raise first_error


def _layout(sweep: Sweep, reference: tuple[int, ...], starts: SharedStarts) -> Layout:
    layouts = []
    for index in _shapes(sweep, reference):
        try:
            experiment = experiment_at(sweep, index, starts)
        except ts.InputError:
            continue
        layouts.append(_layout_of(experiment, sweep))
    return functools.reduce(Layout.union, layouts)


def _layout_of(experiment: Experiment, sweep: Sweep) -> Layout:
    measures, inputs = sweep.measures, experiment.problem.inputs
    _, K, M = experiment.problem.shape
    blocks, K, M = (inputs.block_names, K, M) if "overlaps" in measures.keep else ((), 0, 0)
    with_runs = "simulation" in sweep.engines and bool({*PER_LEVEL} & {*measures.keep} or measures.time_to)
    return Layout(
        inputs.level_names,
        blocks,
        K,
        M,
        experiment.runs if with_runs else 0,
        experiment.wanted_alphas.size + 1 if measures.trajectories else 0,
    )


def _shapes(sweep: Sweep, reference: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Give one cell for every combination of values that may change the size of what is kept."""
    lines = [
        range(len(axis)) if axis.choices or any(key.startswith(SHAPING) for key in axis.keys) else (position,)
        for axis, position in zip(sweep.axes, reference, strict=True)
    ]
    yield from itertools.product(*lines)


def tiles(sweep: Sweep) -> tuple[int, ...]:
    """Return the cells per axis that are stored together: the last axes first, at most `sweep.tile` in all."""
    sizes, room = [], sweep.tile
    for length in reversed(sweep.shape):
        sizes.append(max(1, min(length, room)))
        room //= sizes[-1]
    return tuple(reversed(sizes))


def tile_slices(sweep: Sweep) -> Iterator[tuple[slice, ...]]:
    """Give the tiles of the grid, in order."""
    lines = [
        [slice(i, min(i + size, n)) for i in range(0, n, size)]
        for n, size in zip(sweep.shape, tiles(sweep), strict=True)
    ]
    yield from itertools.product(*lines)


def cells(sweep: Sweep) -> int:
    """Return the number of grid points."""
    return math.prod(sweep.shape)
