"""A comparison's file: a problem, a start, what to record, how to solve and simulate it, and the level."""

import dataclasses
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np

import ode
import simulations
import teacher_student as ts

BUILT_IN = Path(__file__).parent / "relevant_irrelevant.toml"


@dataclasses.dataclass(frozen=True)
class Start:
    """[start]: random weights (scale, readout, teacher), or overlaps Q, R, T with their readout."""

    scale: float = 0.5
    readout: str | float | list[float] = "ones"
    teacher: str = "random"
    Q: list[list[list[float]]] | None = None
    R: list[list[list[float]]] | None = None
    T: list[list[list[float]]] | None = None


@dataclasses.dataclass(frozen=True)
class Record:
    """[record]: alphas, or `count` of them up to the end, spacing "linear" or "log" (from `first`)."""

    alphas: list[float] | None = None
    count: int = 20
    spacing: str = "linear"
    first: float | None = None


@dataclasses.dataclass(frozen=True)
class Theory:
    """[theory]: averages "auto", "closed form" or "sampled"; points and replicates of the latter; tolerances."""

    averages: str = "auto"
    points: int = 2**12
    replicates: int = 4
    rtol: float | None = None
    atol: float | None = None


@dataclasses.dataclass(frozen=True)
class Simulation:
    """[simulation]: dimension N, the smaller one for the 1/N term (omitted: a divisor of N; 0: none), runs."""

    dim: int = 1000
    smaller_dim: int | None = None
    runs: int = 32
    precision: str = "float32"
    test_samples: int = 256


@dataclasses.dataclass(frozen=True)
class Settings:
    """Everything that a comparison needs."""

    problem: ts.Problem
    start: Start
    record: Record
    theory: Theory
    simulation: Simulation
    level: float
    seed: int

    @property
    def dims(self) -> tuple[int, ...]:
        """Dimensions N to simulate, the larger first."""
        dim, smaller = self.simulation.dim, self.simulation.smaller_dim
        if smaller == 0:
            return (dim,)
        return dim, smaller if smaller is not None else _divisor(dim)

    def key(self, purpose: str) -> jax.Array:
        """The key for "start", "averages", "runs" or "smaller runs"; all follow from the one seed."""
        return jax.random.fold_in(ts.as_key(self.seed), PURPOSES.index(purpose))

    def alphas(self) -> np.ndarray:
        """Recorded times: whole numbers of steps in every simulated dimension, and never past the end."""
        end = float(self.problem.curriculum.end)
        record = self.record
        if record.alphas is not None:
            ts.check_alphas(record.alphas, self.problem)
            wanted = np.asarray(record.alphas)
        elif record.spacing == "linear":
            wanted = np.linspace(0, end, record.count + 1)[1:]
        else:
            wanted = np.geomspace(record.first or end / 1000, end, record.count)
        found = simulations.recordable_alphas(wanted, *self.dims)
        return found[(found > 0) & (found <= end * (1 + 1e-12))] if record.alphas is None else found

    def overlaps(self) -> ts.Overlaps:
        """The start, the same in theory and in every run."""
        start = self.start
        if start.Q is None and start.R is None and start.T is None:
            key = self.key("start")
            return ts.random_overlaps(
                self.problem,
                self.simulation.dim,
                key,
                scale=start.scale,
                readout=start.readout,
                teacher=start.teacher,
            )
        if start.Q is None or start.R is None or start.T is None:
            raise ts.InputError("Q, R and T together in [start]", "only some of them")
        readout = 1.0 if isinstance(start.readout, str) else start.readout
        return ts.Overlaps(start.Q, start.R, start.T, readout)

    def averages(self) -> ode.ClosedForm | ode.Sampled | None:
        """The supplier of averages that [theory] asks for."""
        if self.theory.averages == "closed form":
            return ode.ClosedForm()
        sampled = ode.Sampled(self.theory.points, self.theory.replicates, self.key("averages"))
        needed = self.theory.averages == "sampled" or ode.missing_closed_form(self.problem) is not None
        return sampled if needed else None


PURPOSES = ("start", "averages", "runs", "smaller runs")


def _divisor(dim: int) -> int:
    """The largest divisor of N from N/10 to N/3: both dimensions then share a grid of recorded times."""
    found = [n for n in range(-(-dim // 10), dim // 3 + 1) if dim % n == 0]
    if not found:
        raise ts.InputError(
            "a dimension N with a divisor between N/10 and N/3 (for the 1/N term)",
            dim,
            f"take {-(-dim // 100) * 100}, or set simulation.smaller_dim",
        )
    return found[-1]


@dataclasses.dataclass(frozen=True)
class _File:
    task: dict[str, Any]
    student: dict[str, Any]
    sgd: dict[str, Any]
    curriculum: dict[str, Any]
    start: Start = Start()
    record: Record = Record()
    theory: Theory = Theory()
    simulation: Simulation = Simulation()
    agreement: dict[str, Any] = dataclasses.field(default_factory=dict)
    seed: int = 0


@dataclasses.dataclass(frozen=True)
class _Agreement:
    level: float = 0.01


def read_settings(tables: Mapping[str, Any], **changes: Any) -> Settings:
    """Settings from nested tables; `changes` (dim, runs, seed; None: as in the tables) come last.

    Raises InputError for anything that could not be computed, before computing.
    """
    tables = {name: dict(table) if isinstance(table, Mapping) else table for name, table in tables.items()}
    for name, value in changes.items():
        if value is not None:
            place = tables if name == "seed" else tables.setdefault("simulation", {})
            place[name] = value
            if name == "dim":
                place.pop("smaller_dim", None)
    file = ts.read_table(_File, tables, "file")
    settings = Settings(
        ts.problem_from_tables(tables),
        file.start,
        file.record,
        file.theory,
        file.simulation,
        ts.read_table(_Agreement, file.agreement, "agreement").level,
        file.seed,
    )
    _check(settings)
    return settings


def load_settings(path: str | Path | None, **changes: Any) -> Settings:
    """Settings from a TOML file; None: the built-in problem. Raises InputError."""
    path = BUILT_IN if path is None else Path(path)
    try:
        with path.open("rb") as file:
            tables = tomllib.load(file)
    except OSError as error:
        raise ts.InputError("a readable problem file", f"{path} ({error.strerror})") from error
    except tomllib.TOMLDecodeError as error:
        raise ts.InputError(f"valid TOML in {path}", str(error)) from error
    return read_settings(tables, **changes)


def _check(settings: Settings) -> None:
    record, theory, simulation = settings.record, settings.theory, settings.simulation
    ts.require_name(record.spacing, ("linear", "log"), "record.spacing")
    ts.require_name(theory.averages, ("auto", "closed form", "sampled"), "theory.averages")
    if record.count < 1:
        raise ts.InputError("record.count >= 1", record.count)
    if record.first is not None and not 0 < record.first < float(settings.problem.curriculum.end):
        raise ts.InputError("record.first between 0 and the curriculum's end", record.first)
    if not 0 < settings.level < 1:
        raise ts.InputError("agreement.level between 0 and 1", settings.level)
    if simulation.runs < 3:
        raise ts.InputError("simulation.runs >= 3 (a standard error needs them)", simulation.runs)
    if theory.averages == "closed form":
        ode.require_closed_form(settings.problem)
    settings.averages()
    for dim in settings.dims:
        simulations.check_run(
            settings.problem,
            dim,
            simulation.runs,
            settings.alphas(),
            None,
            simulation.precision,
            simulation.test_samples,
        )
    if len(settings.dims) > 1 and settings.dims[1] >= settings.dims[0]:
        raise ts.InputError("simulation.smaller_dim below simulation.dim", settings.dims[1])
    start = settings.overlaps()
    for dim in settings.dims:
        simulations.check_run(settings.problem, dim, 1, settings.alphas(), start, simulation.precision, 1)
