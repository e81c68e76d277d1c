"""What a comparison needs, from its file: a problem, a start, what to record, how to solve and simulate it."""

from __future__ import annotations  # types are not looked up, which would load JAX before the file is checked

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import ode
import simulations
import teacher_student as ts

from ._settings_file import Record, Simulation, Start, Theory, check_simulation, load_tables, read_file, with_changes

if TYPE_CHECKING:
    import jax

CHEAP_ENTRIES = 60  # of a state: the covariance of more takes minutes


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
        import jax

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


def read_settings(tables: Mapping[str, Any], *, simulated: bool = True, **changes: Any) -> Settings:
    """Settings from nested tables; `changes` (dim, runs, seed; None: as in the tables) come last.

    simulated: whether there is to be a simulation; without one nothing is asked of it.
    Raises InputError for anything that could not be computed, before computing.
    """
    settings = parse_settings(with_changes(tables, **changes), simulated=simulated)
    (check_settings if simulated else check_theory)(settings)
    return settings


def parse_settings(tables: Mapping[str, Any], *, simulated: bool = False) -> Settings:
    """Settings from nested tables, of a valid problem but not yet checked to be solvable. Raises InputError."""
    file = read_file(tables, simulated=simulated)
    return Settings(
        ts.problem_from_tables(tables),
        file.start,
        file.record,
        file.theory,
        file.simulation,
        file.agreement.level,
        file.seed,
        file.agreement.spread,
    )


def load_settings(path: str | Path | None, *, simulated: bool = True, **changes: Any) -> Settings:
    """Settings from a TOML file; None: the built-in problem. Raises InputError."""
    return read_settings(load_tables(path, **changes), simulated=simulated)


def check_theory(settings: Settings) -> None:
    """Raise InputError unless the problem has the averages and the times that are asked for."""
    reason = ode.missing_closed_form(settings.problem)
    if settings.theory.averages == "closed form" and reason:
        raise ts.InputError("a problem with closed-form averages", reason, 'set theory.averages = "sampled"')
    settings.averages()
    _check_times(settings)


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
    check_simulation(simulation, settings.start, settings.spread)
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


def _check_times(settings: Settings) -> None:
    record, end = settings.record, float(settings.problem.curriculum.end)
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
