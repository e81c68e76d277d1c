"""What `ode.optimize` returns: the best protocol, how it was found, and what is certain of it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from teacher_student import Overlaps, Problem, Trajectory
from teacher_student.internal import PublicRecord, backend, plot

from ._certificate import Certificate
from ._costs import Cost

if TYPE_CHECKING:  # half a second to import: only who draws needs it
    from matplotlib.figure import Figure


@dataclasses.dataclass(frozen=True)
class Search(PublicRecord):
    """One search for a protocol.

    Fields: start: what it started from, such as "easy, hard". cost: where it ended. started_at: the cost of the start.
    evaluations: of the cost with its gradient. status: "converged", "stopped" (no more steps), "diverged" (the start
    itself) or "interrupted". message: SciPy's own words.
    """

    start: str
    cost: float
    started_at: float
    evaluations: int
    status: str
    message: str = ""


@dataclasses.dataclass(frozen=True)
class Named(PublicRecord):
    """A protocol with a name, that the optimum is compared with.

    Fields: cost: its cost, with the problem's own numbers. tuned: its cost with numbers of its own that are optimal for
    it, where the controls have numbers; else None. problem: the problem under it, tuned where it was.
    """

    cost: float
    tuned: float | None
    problem: Problem

    @property
    def best(self) -> float:
        """The cost that an optimum has to beat."""
        return self.cost if self.tuned is None else min(self.cost, self.tuned)


@dataclasses.dataclass(frozen=True)
class Optimum(PublicRecord):
    """The best protocol that was found, with its certificate.

    Fields:
      problem: the problem under it, to be solved, simulated, written and swept as any other.
      given: the problem as it was given. Errors are those on its inputs, whatever variances a protocol trains with.
      start: the overlaps at alpha = 0.
      criterion: the cost.
      cost: its value, by costates.
      solved: its value by `ode.solve`, an integrator of its own, with its sampling error or 0; NaN for costs that are
        no function of the end (Integrated, TimeTo).
      method: how it was found: "direct", "switching times", "direct, then switches", "... and arcs".
      status: "converged", "stopped" or "interrupted".
      variables: the name of each variable -> its value.
      searches: every search, the best first. First-order points are many: the gap between them says how many were met.
      named: named order -> its cost, with the problem's numbers and tuned. Where no order is chosen: the problem "as
        given", and the "best constant" numbers.
      certificate: Pontryagin's conditions.
      seed: of the random starts.
    """

    problem: Problem
    given: Problem
    start: Overlaps
    criterion: Cost
    cost: float
    solved: tuple[float, float]
    method: str
    status: str
    variables: dict[str, float]
    searches: tuple[Search, ...]
    named: dict[str, Named]
    certificate: Certificate
    seed: int

    @property
    def gain(self) -> float:
        """By how much its cost is below that of the best of `named` (tuned, where numbers are controls)."""
        best = min((named.best for named in self.named.values()), default=np.nan)
        return float(best - self.cost)

    def trajectory(self, alphas: Any = None) -> Trajectory:
        """Return the theory of the optimum at `alphas`; None: 201 times up to the end."""
        from .._solve import solve

        end = float(self.problem.curriculum.end)
        return solve(self.problem, self.start, np.linspace(0.0, end, 201) if alphas is None else alphas)

    def describe(self) -> str:
        """Return what was found, beside the named orders and the other searches, and the certificate."""
        lines = [f"{self.criterion.name}: {self.cost:.8g}  ({self.method}; {self.status})"]
        value, error = self.solved
        if np.isfinite(value):
            lines[0] += f"; by ode.solve {value:.8g}" + (f" +- {error:.1g}" if error else "")
        if self.problem.curriculum is not self.given.curriculum:
            lines.append(f"  order              {self.problem.curriculum.in_text()}")
        for name, schedule in self.problem.schedules.items():
            lines.append(f"  {name}  {schedule.in_text()}")
        for name, named in self.named.items():
            tuned = "" if named.tuned is None else f", with its own best numbers {named.tuned:.8g}"
            lines.append(f"  {name:<18} {named.cost:.8g}{tuned}  ({named.best - self.cost:+.2g})")
        ends = sorted({round(search.cost, 8) for search in self.searches if np.isfinite(search.cost)})
        lines.append(f"  {len(self.searches)} searches ended at {', '.join(f'{cost:.8g}' for cost in ends[:6])}")
        return "\n".join([*lines, self.certificate.describe()])

    def __str__(self) -> str:
        return self.describe()

    def _shown(self) -> list[tuple[str, Any]]:
        return [(name, getattr(self, name)) for name in ("cost", "gain", "method", "status", "problem", "certificate")]

    def check(self, dim: int, runs: int, **options: Any) -> Any:
        """Simulate students under the optimum and under the named orders, on the same samples, and compare.

        Arguments: dim: N. runs: of each protocol. options: `key`, `workers`, `progress` and others of
        `simulations.run_many`.
        Returns a `figures.ProtocolCheck`: the measured gain over each named order with its interval beside the
        predicted one, a verdict, and the agreement of the optimum's theory with its simulation.
        """
        return backend("check_protocol")(self, dim, runs, **options)

    def plot(self) -> tuple[Figure, np.ndarray]:
        """Draw the protocol, the switching function, the curves, and the costs of searches and named orders.

        Returns a matplotlib Figure and an array of its Axes.
        """
        return plot(self)
