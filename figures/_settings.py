"""A comparison's file: a problem, a start, what to record, how to solve and simulate it, and the level."""

import dataclasses
import math
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np

import ode
import simulations
import teacher_student as ts

CHEAP_ENTRIES = 60  # of a state: the covariance of more takes minutes
BUILT_IN = Path(__file__).parent / "relevant_irrelevant.toml"


@dataclasses.dataclass(frozen=True)
class Start:
    """[start]: random weights (scale, readout, teacher), or overlaps Q, R, T with their readout.

    scale: standard deviation of the student's weights (0.5). readout: "ones", "signs" or numbers (the task's usual).
    teacher: "random" or "orthonormal" ("random"). Q, R, T: one matrix per block. number: which of the seed's
    independent starts (and simulated runs) to take: an axis over it is an ensemble, the same for every other value.
    """

    scale: float | None = None
    readout: str | float | list[float] | None = None
    teacher: str | None = None
    Q: list[list[list[float]]] | None = None
    R: list[list[list[float]]] | None = None
    T: list[list[list[float]]] | None = None
    number: int | None = None


@dataclasses.dataclass(frozen=True)
class Record:
    """[record]: alphas, or `count` of them (20) up to the end, spacing "linear" or "log" (from `first`)."""

    alphas: list[float] | None = None
    count: int | None = None
    spacing: str = "linear"
    first: float | None = None


@dataclasses.dataclass(frozen=True)
class Theory:
    """[theory]: averages "auto", "closed form" or "sampled"; points and replicates of the latter; tolerances;

    error: standard error to reach with more points than that, up to most_points (in units of the largest
    generalisation error);
    fluctuations: whether to predict spread and 1/N term (omitted: with closed forms and at most 60 entries).
    """

    averages: str = "auto"
    points: int = 2**12
    replicates: int = 4
    error: float | None = None
    most_points: int = 2**17
    rtol: float | None = None
    atol: float | None = None
    fluctuations: bool | None = None


@dataclasses.dataclass(frozen=True)
class Simulation:
    """[simulation]: dimension N, the smaller one for the 1/N term (omitted: a divisor of N; 0: none), runs."""

    dim: int = 1000
    smaller_dim: int | None = None
    runs: int = 32
    precision: str | None = None
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
    spread: str = "measured"

    @property
    def fluctuations(self) -> bool:
        """Whether theory predicts spread and 1/N term: where they are asked for, or cheap."""
        if self.theory.fluctuations is not None or self.spread == "predicted":
            return self.theory.fluctuations is not False
        exact = self.theory.averages != "sampled" and ode.missing_closed_form(self.problem) is None
        return exact and len(ts.entry_names(self.problem)) <= min(CHEAP_ENTRIES, self.simulation.dim)

    @property
    def dims(self) -> tuple[int, ...]:
        """Dimensions N to simulate, the larger first; with predicted spread, which states the 1/N term, only one."""
        dim, smaller = self.simulation.dim, self.simulation.smaller_dim
        if smaller == 0 or self.spread == "predicted":
            return (dim,)
        return dim, smaller if smaller is not None else _divisor(dim)

    def key(self, purpose: str) -> jax.Array:
        """The key for "start", "averages", "runs" or "smaller runs"; all follow from the seed (and start.number)."""
        key = jax.random.fold_in(ts.as_key(self.seed), PURPOSES.index(purpose))
        number = self.start.number
        if number is None or purpose == "averages":  # an ensemble is solved with the same points
            return key
        return jax.random.fold_in(key, number)

    def wanted_alphas(self) -> np.ndarray:
        """The times that [record] asks for."""
        record, end = self.record, float(self.problem.curriculum.end)
        if record.alphas is not None:
            return np.asarray(record.alphas, dtype=float)
        count = 20 if record.count is None else record.count
        if record.spacing == "linear":
            return np.linspace(0, end, count + 1)[1:]
        return np.geomspace(end / 1000 if record.first is None else record.first, end, count)

    def alphas(self) -> np.ndarray:
        """Recorded times: the wanted ones, moved to whole numbers of steps in every simulated dimension."""
        found = simulations.recordable_alphas(self.wanted_alphas(), *self.dims)
        end = float(self.problem.curriculum.end)
        return found[found <= end * (1 + 1e-12)]

    def overlaps(self) -> ts.Overlaps:
        """The start, the same in theory and in every run."""
        start = self.start
        if start.Q is None or start.R is None or start.T is None:
            return ts.random_overlaps(
                self.problem,
                self.simulation.dim,
                self.key("start"),
                scale=0.5 if start.scale is None else start.scale,
                readout=start.readout,
                teacher=start.teacher or "random",
            )
        return ts.Overlaps(start.Q, start.R, start.T, 1.0 if start.readout in (None, "ones") else start.readout)

    def averages(self) -> ode.ClosedForm | ode.Sampled | None:
        """The supplier of averages that [theory] asks for."""
        if self.theory.averages == "closed form":
            return ode.ClosedForm()
        fastest = ode.fastest_averages(self.problem)
        if self.theory.averages != "sampled" and isinstance(fastest, ode.ClosedForm):
            return None
        return ode.Sampled(
            self.theory.points,
            self.theory.replicates,
            self.key("averages"),
            error=self.theory.error,
            most_points=self.theory.most_points,
            products_only=self.theory.averages != "sampled" and ode.missing_closed_form(self.problem) is None,
        )


PURPOSES = ("start", "averages", "runs", "smaller runs")


def _divisor(dim: int) -> int:
    """The largest divisor of N from N/10 to N/3: both dimensions then share a grid of recorded times."""
    if dim < 1:
        raise ts.InputError("simulation.dim >= 1", dim)
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
    spread: str = "measured"


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
    settings = parse_settings(tables)
    check_settings(settings)
    return settings


def parse_settings(tables: Mapping[str, Any]) -> Settings:
    """Settings from nested tables, of a valid problem but not yet checked to be solvable. Raises InputError."""
    file = ts.read_table(_File, tables, "")
    judged = ts.read_table(_Agreement, file.agreement, "agreement")
    return Settings(
        ts.problem_from_tables(tables),
        file.start,
        file.record,
        file.theory,
        file.simulation,
        judged.level,
        file.seed,
        judged.spread,
    )


def load_settings(path: str | Path | None, **changes: Any) -> Settings:
    """Settings from a TOML file; None: the built-in problem. Raises InputError."""
    return read_settings(load_toml(BUILT_IN if path is None else path, "problem"), **changes)


def load_toml(path: str | Path, what: str) -> dict[str, Any]:
    """Tables of a TOML file. Raises InputError."""
    try:
        with Path(path).open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise ts.InputError(f"a readable {what} file", f"{path} ({error.strerror})") from error
    except tomllib.TOMLDecodeError as error:
        raise ts.InputError(f"valid TOML in {path}", str(error)) from error


def check_theory(settings: Settings) -> None:
    """Raise InputError unless [theory], [record], [start] and [agreement] can be used."""
    theory = settings.theory
    ts.require_name(theory.averages, ("auto", "closed form", "sampled"), "theory.averages")
    if not 0 < settings.level < 1:
        raise ts.InputError("agreement.level between 0 and 1", settings.level)
    if settings.simulation.dim < 1:
        raise ts.InputError("simulation.dim >= 1", settings.simulation.dim)
    reason = ode.missing_closed_form(settings.problem)
    if theory.averages == "closed form" and reason:
        raise ts.InputError("a problem with closed-form averages", reason, 'set theory.averages = "sampled"')
    _check_spread(settings)
    settings.averages()
    _check_record(settings)
    _check_start(settings.start)


def check_settings(settings: Settings) -> None:
    """Raise InputError unless theory and simulation could start."""
    simulation = settings.simulation
    check_theory(settings)
    if settings.fluctuations:
        entries = len(ts.entry_names(settings.problem))
        if simulation.dim < entries:
            raise ts.InputError(
                f"simulation.dim >= {entries}, the number of overlaps (fluctuations are an expansion in 1/N)",
                simulation.dim,
                "raise it, or leave the fluctuations out",
            )
    if simulation.runs < 3 and settings.start.number is None:
        raise ts.InputError("simulation.runs >= 3 (a standard error needs them)", simulation.runs)
    if len(settings.dims) > 1 and not 0 < settings.dims[1] < settings.dims[0]:
        raise ts.InputError("simulation.smaller_dim below simulation.dim (0: none)", settings.dims[1])
    _check_recordable(settings)
    alphas, start = settings.alphas(), settings.overlaps()
    for dim in settings.dims:
        simulations.check_run(
            settings.problem,
            dim,
            simulation.runs,
            alphas,
            start,
            simulation.precision or simulations.usual_precision(settings.problem, dim),
            simulation.test_samples,
        )


def _check_spread(settings: Settings) -> None:
    ts.require_name(settings.spread, ("measured", "predicted"), "agreement.spread")
    if settings.spread == "measured":
        return
    if settings.theory.fluctuations is False:
        raise ts.InputError(
            'theory.fluctuations for agreement.spread = "predicted"', "false", "leave it out, or measure the spread"
        )
    if settings.simulation.smaller_dim:
        raise ts.InputError(
            'no simulation.smaller_dim with agreement.spread = "predicted" (it states the 1/N term)',
            settings.simulation.smaller_dim,
            "leave it out",
        )


def _check_record(settings: Settings) -> None:
    record, end = settings.record, float(settings.problem.curriculum.end)
    ts.require_name(record.spacing, ("linear", "log"), "record.spacing")
    if record.alphas is not None and (record.count is not None or record.first is not None):
        raise ts.InputError("either record.alphas or record.count (and first)", "both", "leave one out")
    if record.count is not None and record.count < 1:
        raise ts.InputError("record.count >= 1", record.count)
    if record.first is not None and record.spacing == "linear":
        raise ts.InputError('record.first only with spacing = "log"', 'spacing "linear"', "leave it out")
    if record.first is not None and not 0 < record.first < end:
        raise ts.InputError(f"record.first between 0 and the curriculum's end, {end:g}", record.first)
    ts.check_alphas(settings.wanted_alphas(), settings.problem)


def _check_recordable(settings: Settings) -> None:
    record, wanted = settings.record, settings.wanted_alphas()
    kept = simulations.recordable_alphas(wanted, *settings.dims)
    if record.alphas is not None and (kept.size < wanted.size or np.any((kept == 0) & (wanted > 0))):
        grid = math.gcd(*settings.dims)
        raise ts.InputError(
            f"alphas at least 1/{grid} apart (whole numbers of steps at N = {settings.dims})",
            wanted.tolist(),
            "raise the dimension, or record fewer",
        )


def _check_start(start: Start) -> None:
    if start.number is not None and start.number < 0:
        raise ts.InputError("start.number >= 0", start.number)
    given = [name for name in ("Q", "R", "T") if getattr(start, name) is not None]
    if not given:
        return
    if len(given) < 3:
        raise ts.InputError("Q, R and T together in [start]", f"only {', '.join(given)}")
    useless = [name for name in ("scale", "teacher", "number") if getattr(start, name) is not None]
    if useless:
        raise ts.InputError(
            "no scale, teacher or number beside Q, R and T in [start]", ", ".join(useless), "leave it out"
        )
    if isinstance(start.readout, str) and start.readout != "ones":
        raise ts.InputError('readout as numbers or "ones" beside Q, R and T in [start]', repr(start.readout))
