"""What both solvers return: observables at recorded alphas, how they were got and how it ended."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Float, Int

from .._drawing import plot
from .._errors import InputError, nearest
from .._numbers import as_numbers
from .._public_module import PublicModule
from .._trust import Trust
from ..problem import Problem, describe_ties, rounding_of, unopened_parts
from ..state import Overlaps, Weights
from ._breakdown import Breakdown, breakdown
from ._budget import Budget, budget
from ._ending import ending, remedy_of
from ._fluctuations import Fluctuations
from ._observables import Observables
from ._source import Source
from ._status import Status

if TYPE_CHECKING:  # half a second each to import: only files, labelled data sets and pictures need them
    import pandas as pd
    import xarray as xr
    from matplotlib.figure import Figure

ELSEWHERE = {  # what one may ask a trajectory for -> where it is
    **{name: f"overlaps.{name}" for name in ("Q", "R", "T", "readout")},
    **{"alpha": "alphas", "errors": "error", "accuracies": "accuracy"},
}
USUAL_DIM = 1000  # of the runs that are spoken of where nothing else is said, as in `plot`
TEACHERS = 32  # whose ties are looked at: printing a trajectory must not take seconds


def _nearest(ordered: Float[np.ndarray, "A"], wanted: Float[np.ndarray, "n"]) -> Int[np.ndarray, "n"]:
    """Return the indices of the entries that are nearest to the `wanted` ones."""
    right = np.minimum(np.searchsorted(ordered, wanted), ordered.size - 1)
    left = np.maximum(right - 1, 0)
    return np.where(np.abs(wanted - ordered[left]) <= np.abs(ordered[right] - wanted), left, right)


class ByLevel(dict[str, Any]):
    """Values per level. Asking for a level that is not there raises an error of one line that says what to do."""

    def __init__(self, quantity: str, values: dict[str, Any]):
        super().__init__(values)
        self.quantity = quantity

    def __missing__(self, level: object) -> Any:
        if not self:
            remedy = "with_accuracy=True computes it" if self.quantity == "accuracy" else ""
            raise InputError(f"a trajectory with the {self.quantity}", "one without", remedy)
        raise InputError(f"a level of the task for the {self.quantity}", repr(level), nearest(level, self))


class Trajectory(PublicModule):
    """Observables of one problem at recorded alphas, from theory (axes (A,)) or from simulated runs (axes (runs, A)).

    Fields:
      problem: what was solved.
      start: the overlaps at alpha = 0, or one state per run (leading axis).
      alphas: times, samples / N.
      observables: overlaps, error and accuracy, each with leading axes (A,) or (runs, A): Q is (A, B, K, K) or
        (runs, A, B, K, K), and error[level] is (A,) or (runs, A). They are NaN after a stop. Runs measure error and
        accuracy on `source.test_samples` fresh inputs, which adds to their spread.
      status: Status codes. `describe()` says them in words.
      reached: where it stopped. That is the last alpha, or, if it diverged, the integrator's time
        (theory) or the last good recorded alpha (runs).
      stats: the step counts of the integrator or of the simulation.
      sampling_error: the standard error of `observables` from sampled averages. None means that all are exact.
      source: engine, method, precision, dimension and seed.
      integrator_error: the error of `observables` from the integration. `ode.fluctuations` and `ode.solve(...,
        with_error=True)` compute it, else it is None.
      fluctuations: of runs at finite N. `ode.fluctuations` computes them, else they are None.
      kept_weights: of runs at the last alpha, where `simulations.run(..., keep="weights")` kept them, else None. They
        are not written to files. `weights` says so where there are none.
      scatter: of theory with sampled averages, by how much each scrambling's observables differ from their mean, with
        leading axes (S, A). It is what `sampling_error` was computed from, and says which errors go together. None
        means that all are exact.
    """

    problem: Problem
    start: Overlaps
    alphas: Float[Any, "A"]
    observables: Observables
    status: Int[Any, "*runs"]
    reached: Float[Any, "*runs"]
    stats: dict[str, Any]
    sampling_error: Observables | None
    source: Source = eqx.field(static=True)
    integrator_error: Observables | None = None
    fluctuations: Fluctuations | None = None
    kept_weights: Weights | None = None
    scatter: Observables | None = None

    @property
    def overlaps(self) -> Overlaps:
        """The overlaps at the recorded alphas, as an Overlaps with leading axes (A,) or (runs, A)."""
        return self.observables.overlaps

    @property
    def error(self) -> dict[str, Any]:
        """The generalisation error E (yhat - y)^2 / 2 by level, (A,) or (runs, A), in the order of the task's levels.

        Runs measure it on `source.test_samples` fresh inputs, which adds a standard deviation of its own.
        `Fluctuations.spread(dim)` is without it; `ode.observe(problem, runs.overlaps)` gives the runs' exact errors.

        Asking for a level that is not there raises InputError.
        """
        return self._by_level("error", self.observables.error)

    @property
    def accuracy(self) -> dict[str, Any]:
        """The share of right signs by level, (A,) or (runs, A), in the order of the task's levels.

        It is empty where it was not computed; asking for a level then raises InputError, which says how to have it.
        """
        return self._by_level("accuracy", self.observables.accuracy)

    def _by_level(self, quantity: str, values: dict[str, Any]) -> dict[str, Any]:
        """Return the values in the task's order. JAX's trees sort their keys, "10" before "2"."""
        levels = self.problem.inputs.level_names
        return ByLevel(quantity, {level: values[level] for level in levels if level in values})

    @property
    def weights(self) -> Weights:
        """Weights at the last alpha, with a leading axis of runs: as they are, also those of a diverged run.

        Raises InputError where none were kept, as in theory and in a trajectory that was read from a file.
        """
        if self.kept_weights is None:
            remedy = 'simulations.run(..., keep="weights") keeps them'
            raise InputError("a trajectory with weights", "one without", remedy)
        return self.kept_weights

    @property
    def runs(self) -> int | None:
        """The number of runs, or None for a theory trajectory."""
        return int(np.shape(self.status)[0]) if self.source.engine == "sgd" else None

    @property
    def tie_probability(self) -> dict[str, float]:
        """Probability per level that the noiseless label is 0. No output is right there: accuracy is at most the rest.

        It is not 0 for teachers such as an even number of sign units with sign labels. Where every run has a teacher of
        its own, it is the mean over the first TEACHERS of them, which differ by 1/sqrt(N) only. It is NaN where a
        result names a unit or a task that was not imported.
        """
        if unopened_parts(self.problem):
            return dict.fromkeys(self.problem.inputs.level_names, float("nan"))
        T = np.asarray(self.start.T)
        teachers = T.reshape(-1, *T.shape[-3:])
        teachers = teachers[:1] if np.all(teachers == teachers[0]) else teachers[:TEACHERS]
        ties = [self.problem.task.tie_probability(teacher) for teacher in teachers]
        return {level: float(np.mean([tie[level] for tie in ties])) for level in self.problem.inputs.level_names}

    def at(self, alphas: Any, remedy: str = "solve or run it with these alphas") -> "Trajectory":
        """Return the trajectory at some of its recorded alphas, with all that it states of errors there.

        Weights stay only where the last alpha does, at which they were kept.

        Arguments: alphas: (n,) recorded times, samples / N. remedy: what an error's last words are.
        Raises InputError if one of them was not recorded (to 1e-9, and to what its type rounds).
        """
        recorded, wanted = np.asarray(self.alphas), as_numbers(alphas, "alphas")
        if np.ndim(wanted) != 1 or not np.size(wanted) or not np.all(np.diff(wanted) > 0) or not np.all(wanted >= 0):
            raise InputError("increasing alphas, a row of numbers", np.asarray(wanted).tolist())
        # The same time, computed in two ways, may differ by rounding, also to the type of what is given.
        close = 1e-9 + rounding_of(alphas) * np.abs(wanted)
        index = _nearest(recorded, np.asarray(wanted))
        missing = np.abs(recorded[index] - wanted) > close
        if np.any(missing):
            raise InputError("alphas that were recorded", wanted[missing][:3].tolist(), remedy)
        axis = 0 if self.runs is None else 1
        along = ("observables", "sampling_error", "integrator_error")
        chosen = {name: jax.tree.map(lambda x: np.take(x, index, axis), getattr(self, name)) for name in along}
        chosen["scatter"] = jax.tree.map(lambda x: np.take(x, index, 1), self.scatter)
        fluctuations = None if self.fluctuations is None else self.fluctuations.at(index)
        weights = self.kept_weights if recorded.size - 1 in index else None
        return dataclasses.replace(
            self, alphas=recorded[index], fluctuations=fluctuations, kept_weights=weights, **chosen
        )

    def breakdown(self, dim: int) -> Breakdown | None:
        r"""Return where the expansion in 1/N of a theory with fluctuations ends at N = `dim`, or None where it holds.

        A run is ODE + N^(-1/2) xi + m1 / N with Var(xi) = Sigma, in growing powers of N^(-1/2). The expansion can hold
        as long as each of its terms is smaller than the one before, for every overlap x at every recorded alpha:

          N^(-1/2) sqrt(Sigma_xx) <= b_x,    |m1_x| / N <= b_x,    |m1_x| / N <= N^(-1/2) sqrt(Sigma_xx)

        b is the largest overlap that the ODE's norms allow (Cauchy & Schwarz): sqrt(Q_kk Q_ll) for Q_kl, which keeps
        Q_kk + m1 / N >= 0, and sqrt(Q_kk T_mm) for R_km. A readout has no such bound. Where an overlap does not
        fluctuate, the last line is not asked of it. Errors of the integration and of sampled averages are allowed for.

        That it holds is necessary, not sufficient: it is the leading order. From the first alpha that fails on, the
        expansion is taken to have ended. `agreement` gives no verdict there, `budget` and `plot` leave it out, and
        `describe` says so.

        Arguments: dim: the dimension N of the runs.
        Returns a Breakdown, or None where the expansion holds at all recorded alphas, or was not computed.
        Raises InputError for N below the number of overlaps.
        """
        return breakdown(self, dim)

    def budget(self, dim: int | None = None) -> Budget:
        """Return the error budget of a theory: what contributes how much to the error of each quantity.

        The parts are integration, averages and finite N = `dim`. Each entry is the largest over the recorded alphas.
        Parts that were not computed are named, with what computes them: `ode.fluctuations`, and
        `ode.solve(..., with_error=True)`, state the integrator's error. With `ode.fluctuations` and `dim` there are the
        1/N term of the mean and the spread of one run. Alphas at which the expansion in 1/N
        does not hold (`breakdown`) are left out of these two, which is said.

        Arguments: dim: the dimension N. None leaves finite N out.

        Raises InputError for runs, for N below the number of overlaps, and for a theory that stopped at once.
        """
        return budget(self, dim)

    def describe(self, dim: int | None = None) -> str:
        """Say in one line what was solved or simulated, how it ended, and the last error of each level.

        Where it stopped early, the line says why and when, and where steps ran out, what to do.
        The error of an error (+-) is the standard error of runs, or that of sampled averages.
        Of a theory with fluctuations it also says from which alpha on the expansion in 1/N does not hold (`breakdown`).

        Arguments: dim: the dimension N of the expansion. None: 1000, or the number of overlaps where that is larger.
        """
        text = f"{self._subject()} {self._predicate()}. Last error: {self._last_errors()}."
        end = self._end_of_expansion(dim)
        return text + ("" if end is None else f" No prediction of finite N {end.since}.")

    def _end_of_expansion(self, dim: int | None = None) -> Breakdown | None:
        if self.fluctuations is None:
            return None
        return self.breakdown(max(USUAL_DIM, self.fluctuations.smallest_dim) if dim is None else dim)

    def _subject(self) -> str:
        _, K, M = self.problem.shape
        if self.runs is None:
            return f"The theory of K={K}, M={M} ({self.source.method})"
        return f"The simulation of K={K}, M={M} at N={self.source.dim} ({self.runs} run{'s' if self.runs != 1 else ''})"

    def _predicate(self) -> str:
        """Say whether the last alpha was reached, and what stopped it before."""
        alphas = np.asarray(self.alphas)
        last = f"alpha {alphas.flat[-1]:g}" if alphas.size else "no alpha"
        last += f", the last of {alphas.size}" if alphas.size > 1 else ""
        if np.all(np.asarray(self.status) == Status.OK):
            return f"reached {last}"
        remedy = remedy_of(self)
        return f"stopped before {last}: {ending(self)}" + (f"; {remedy}" if remedy else "")

    def _when(self) -> str:
        alphas = np.asarray(self.alphas)
        count = f"{alphas.size} alpha{'s' if alphas.size > 1 else ''}"
        return f"{count} up to {alphas.flat[-1]:g}" if alphas.size else "no alphas"

    def _last_errors(self) -> str:
        return ", ".join(self._last_error(level) for level in self.error)

    def _words(self) -> str:
        _, K, M = self.problem.shape
        how = "" if self.sampling_error is None else f", {self.source.method}"
        ties = describe_ties(self.tie_probability)
        text = f"{self.source.engine}, K={K}, M={M}, {self._when()}, {ending(self)}{how}"
        ties = f"; ties: {ties}" if ties else ""
        end = self._end_of_expansion()
        broken = "" if end is None else f"; no prediction of finite N {end.since}"
        return f"Trajectory({text}; last error: {self._last_errors()}{ties}{broken})"

    def _last_error(self, level: str) -> str:
        """Say the last error of a level in words, with the standard error of runs, or of sampled averages.

        After a stop it is the last error before the stop.
        """
        errors, alphas = np.asarray(self.error[level]), np.ravel(self.alphas)
        if not errors.size:
            return f"{level} none"
        known = np.isfinite(errors)
        recorded = np.flatnonzero(known.reshape(-1, alphas.size).any(axis=0))
        if not recorded.size:
            return f"{level} none"
        last = recorded[-1]
        values = errors[..., last][known[..., last]]
        text = f"{level} {np.mean(values):.5g}"
        stated = self._standard_error(level, last, values)
        text += f" +- {stated:.1g}" if stated > 0 else ""
        return text if last == alphas.size - 1 else f"{text} at alpha {alphas[last]:g}"

    def _standard_error(self, level: str, at: int, values: Float[np.ndarray, "finite"]) -> float:
        """Return the standard error of the mean of runs' `values`, or of sampled averages; 0 where none is known."""
        if self.runs is not None:
            return float(np.std(values, ddof=1) / np.sqrt(values.size)) if values.size > 1 else 0.0
        if self.sampling_error is None:
            return 0.0
        stated = np.asarray(self.sampling_error.error[level])[..., at]
        stated = stated[np.isfinite(stated)]  # not known from a single scrambling
        return float(np.mean(stated)) if stated.size else 0.0

    def plot(
        self,
        ax: Any = None,
        level: Any = None,
        quantities: Any = None,
        *,
        dim: int | None = None,
        label: str | None = None,
    ) -> "tuple[Figure, np.ndarray]":
        """Draw the quantities against alpha: theory as lines with their bands, runs as points with standard errors.

        There is one panel for each kind of quantity: error, accuracy, Q and R of each block, and a readout that is
        trained. The bands are the standard error of sampled averages, or, of a theory of `ode.fluctuations`, one
        standard deviation of a run at N = `dim`. Straight lines join the recorded alphas, so a smooth curve takes many
        of them. Phases of the curriculum are shaded and named, unless the axes have curves of another curriculum. A
        dotted line says where a solve or the first of the runs stopped. More than eight curves of a panel have a colour
        for each unit, or a bar of colours.

        Example:
          >>> import ode
          >>> import teacher_student as ts
          >>> task = ts.Committee(ts.Inputs({"all": 1.0}), width=2)
          >>> problem = ts.Problem(task, ts.Student(2), ts.SGD(0.5), ts.Curriculum.single("all", 4.0))
          >>> theory = ode.solve(problem, ts.random_overlaps(problem, dim=500, key=0), [0.0, 1.0, 2.0, 3.0, 4.0])
          >>> figure, axes = theory.plot()
          >>> [one.get_ylabel() for one in axes[1:]]
          ['$Q_{kl}$', '$R_{km}$']

        With runs of the same problem, `runs.plot(ax=axes)` then puts points on the lines. Take `theory.plot(dim=...)`
        with the N of these runs where theory has fluctuations: at another N the band is too narrow or too wide for
        them, and a warning says so.

        Arguments:
          ax: matplotlib Axes or an array of them, such as another plot returned. None: a new figure. Into a single
            Axes, everything is drawn together, by default the error.
          level: one level or several of errors and accuracies. None: all.
          quantities: "error", "accuracy", "Q", "R", "readout", full names such as "Q[relevant][1,2]", or a list. None:
            all. Overlaps that vanish throughout have a panel only where their full names are given.
          dim: the dimension N of the runs whose spread is shaded, of which it is a share 1 / sqrt(N). None: 1000.
          label: what the legend adds to the names of these curves, to tell several trajectories apart. None: points
            take that of their theory, and a second trajectory without one is numbered.
        Returns a matplotlib Figure and a flat array of its Axes.
        Raises InputError for names that are not there, and for more or fewer Axes than panels.
        """
        return plot(self, ax=ax, level=level, quantities=quantities, dim=dim, label=label)

    def to_xarray(self) -> "xr.Dataset":
        """Return a labelled data set.

        Its attributes hold the whole problem, the conventions, the units, the seed and the versions.
        """
        from ._files import trajectory_to_xarray

        return trajectory_to_xarray(self)

    def to_dataframe(self) -> "pd.DataFrame":
        """Return a tidy table of pandas: a row for each recorded alpha, of each run, and a column for each scalar.

        The columns are

          engine: "theory" or "simulation", as in sweeps. run: from 1, of a simulation only. alpha: samples / N.
          error[hard], accuracy[hard]: of each level.
          Q[relevant][1,2], R[relevant][1,1], readout[1]: the overlaps, named as in `ts.quantities` and in pictures.
          error_sampling_error[hard], Q_variance[1,2] and so on: what is stated of each scalar, named as in `to_xarray`.
          status: "ok", "diverged" or "too stiff", of the whole run. reached: the alpha at which it stopped.

        Q has its upper triangle. T is constant and left out. Values are NaN after a stop.

        A row is one observation and has all of its numbers side by side, since curves are drawn and compared against
        alpha: `frame.plot("alpha", "error[hard]")` works at once, and a value has its error in the same row. A table
        with a row for each number is `frame.melt(["engine", "alpha", "status", "reached"])`. Tables of theory and of
        its runs fit together by `pandas.concat`.

        `frame.attrs["units"]` and `frame.attrs["long_name"]` have the unit and the meaning of each column.

        Example:
          >>> import ode
          >>> import teacher_student as ts
          >>> task = ts.Committee(ts.Inputs({"all": 1.0}), width=1)
          >>> problem = ts.Problem(task, ts.Student(1), ts.SGD(0.5), ts.Curriculum.single("all", 2.0))
          >>> theory = ode.solve(problem, ts.random_overlaps(problem, dim=500, key=0), [0.0, 1.0, 2.0])
          >>> frame = theory.to_dataframe()
          >>> frame.columns.tolist()
          ['engine', 'alpha', 'error[all]', 'accuracy[all]', 'Q[1,1]', 'R[1,1]', 'readout[1]', 'status', 'reached']
          >>> len(frame)
          3

        Returns a pandas DataFrame.
        """
        from ._data_frame import trajectory_to_data_frame

        return trajectory_to_data_frame(self)

    def save(self, path: str | Path, *, force: bool = False) -> Path:
        """Write the trajectory with its whole problem as NetCDF, which `load` reads back.

        The file appears whole or not at all.

        Arguments: path: of the file. force: write over a file that is there.
        Returns the path.
        Raises InputError for a file that is there already, unless `force`, and for a problem that could not be read
        back (a lambda as an activation).
        """
        from ._files import save_dataset

        return save_dataset(self.to_xarray(), path, force=force)

    @staticmethod
    def load(path: str | Path, *, trust: Trust = ()) -> "Trajectory":
        """Read a trajectory that `save` wrote, with its problem.

        A file runs nothing. Of units and tasks that it names as "module:name", those are used that are JAX's own, that
        an imported module holds as a ts.Activation or a class of tasks, or that have been units in this process. Others
        are neither imported nor called: the numbers can be read, drawn and saved, and one warning says so. To solve
        such a problem again is an InputError.

        Arguments:
          path: of the file.
          trust: names of modules that may be imported and used, such as ("my_module",), or True for all that it names.
            They must be where Python looks for modules.
        Raises InputError for a file that is not there, that `save` did not write, or that is damaged.
        """
        from ._files import fields_of, load_dataset

        return Trajectory(**fields_of(load_dataset(path), path, trust))

    if not TYPE_CHECKING:  # to a checker, and to an editor, every name would be there

        def __getattr__(self, name: str) -> Any:
            """Say of the letters of the field, such as `theory.Q`, where they are."""
            # Nothing of the instance is looked at: a copy or a pickle asks before it has fields.
            message = f"{type(self).__name__!r} object has no attribute {name!r}"
            place = ELSEWHERE.get(name)
            raise AttributeError(f"{message}; take `.{place}`" if place else message, name=name, obj=self)
