"""What both solvers return: observables at recorded alphas, how they were got and how it ended."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Float, Int

from .._errors import InputError, first_line, nearest
from .._numbers import as_numbers
from .._public_module import PublicModule
from ..problem import Problem, describe_ties
from ..state import Overlaps, Weights
from ._budget import Budget, budget
from ._fluctuations import Fluctuations
from ._observables import Observables
from ._source import Source
from ._status import Status

if TYPE_CHECKING:  # half a second to import: only files and labelled data sets need it
    import xarray as xr

TEACHERS = 32  # whose ties are looked at: printing a trajectory must not take seconds


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
        (runs, A, B, K, K), and error[level] is (A,) or (runs, A). They are NaN after a stop.
      status: Status codes. `describe()` says them in words.
      reached: where it stopped. That is the last alpha, or, if it diverged, the integrator's time
        (theory) or the last good recorded alpha (runs).
      stats: the step counts of the integrator or of the simulation.
      sampling_error: the standard error of `observables` from sampled averages. None means that all are exact.
      source: engine, method, precision, dimension and seed.
      integrator_error: the error of `observables` from the integration. `ode.fluctuations` computes it, else it is
        None.
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
        its own, it is the mean over the first TEACHERS of them, which differ by 1/sqrt(N) only.
        """
        T = np.asarray(self.start.T)
        teachers = T.reshape(-1, *T.shape[-3:])
        teachers = teachers[:1] if np.all(teachers == teachers[0]) else teachers[:TEACHERS]
        ties = [self.problem.task.tie_probability(teacher) for teacher in teachers]
        return {level: float(np.mean([tie[level] for tie in ties])) for level in self.problem.inputs.level_names}

    def at(self, alphas: Any, remedy: str = "solve or run it with these alphas") -> "Trajectory":
        """Return the trajectory at some of its recorded alphas, with all that it states of errors there.

        Weights stay only where the last alpha does, at which they were kept.

        Arguments: alphas: (n,) recorded times, samples / N. remedy: what an error's last words are.
        Raises InputError if one of them was not recorded (to 1e-9).
        """
        recorded, wanted = np.asarray(self.alphas), as_numbers(alphas, "alphas")
        if np.ndim(wanted) != 1 or not np.size(wanted) or not np.all(np.diff(wanted) > 0) or not np.all(wanted >= 0):
            raise InputError("increasing alphas, a row of numbers", np.asarray(wanted).tolist())
        # The same time, computed in two ways, may differ by rounding: times are equal to 1e-9.
        index = np.minimum(np.searchsorted(recorded, wanted - 1e-9), recorded.size - 1)
        missing = np.abs(recorded[index] - wanted) > 1e-9
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

    def budget(self, dim: int | None = None) -> Budget:
        """Return the error budget of a theory: what contributes how much to the error of each quantity.

        The parts are integration, averages and finite N = `dim`. Each entry is the largest over the recorded alphas.
        Parts that were not computed are named, with what computes them: `ode.fluctuations` states the integrator's
        error, and with `dim` the 1/N term of the mean and the spread of one run.

        Arguments: dim: the dimension N. None leaves finite N out.

        Raises InputError for runs, and for N below the number of overlaps.
        """
        return budget(self, dim)

    def describe(self) -> str:
        """Say in one line how the trajectory ended: "ok", or what stopped how many runs, and when the first."""
        codes = np.atleast_1d(np.asarray(self.status))
        reached = np.atleast_1d(np.asarray(self.reached))
        noun = "runs" if self.runs is not None else "solves"
        if np.all(codes == Status.OK):
            return "ok" if codes.size == 1 and self.runs is None else f"ok: {codes.size} {noun}"
        first = int(np.argmin(np.where(codes == Status.OK, np.inf, reached)))
        text = f"{Status(int(codes.flat[first])).message} at alpha {reached.flat[first]:.6g}"
        return (
            text
            if codes.size == 1 and self.runs is None
            else f"{np.sum(codes != Status.OK)} of {codes.size} {noun} {text}"
        )

    def __repr__(self) -> str:
        _, K, M = self.problem.shape
        alphas = np.asarray(self.alphas)
        when = f"{alphas.size} alphas up to {alphas.flat[-1]:g}"
        errors = ", ".join(self._last_error(level) for level in self.error)
        how = "" if self.sampling_error is None else f", {self.source.method}"
        ties = describe_ties(self.tie_probability)
        text = f"{self.source.engine}, K={K}, M={M}, {when}, {self.describe()}{how}; last error: {errors}"
        return f"Trajectory({text}; ties: {ties})" if ties else f"Trajectory({text})"

    def _last_error(self, level: str) -> str:
        """Say the last error of a level in words, with the sampling error of theory where there is one.

        After a stop it is the last error before the stop.
        """
        errors, alphas = np.asarray(self.error[level]), np.ravel(self.alphas)
        known = np.isfinite(errors)
        recorded = np.flatnonzero(known.reshape(-1, alphas.size).any(axis=0))
        if not recorded.size:
            return f"{level} none"
        last = recorded[-1]
        text = f"{level} {np.mean(errors[..., last][known[..., last]]):.5g}"
        if self.sampling_error is not None:
            stated = np.asarray(self.sampling_error.error[level])[..., last]
            stated = stated[np.isfinite(stated)]  # not known from a single scrambling
            text += f" +- {np.mean(stated):.1g}" if np.any(stated) else ""
        return text if last == alphas.size - 1 else f"{text} at alpha {alphas[last]:g}"

    def to_xarray(self) -> "xr.Dataset":
        """Return a labelled data set.

        Its attributes hold the whole problem, the conventions, the units, the seed and the versions.
        """
        from ._files import trajectory_to_xarray

        return trajectory_to_xarray(self)

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
    def load(path: str | Path) -> "Trajectory":
        """Read a trajectory that `save` wrote, with its problem.

        Arguments: path: of the file. Modules of the user's own that the problem names must be where Python looks.
        Raises InputError for a file that is not there, or that `save` did not write.
        """
        import xarray as xr

        from ._files import fields_from_xarray

        try:
            dataset = xr.load_dataset(path, engine="netcdf4")
        except OSError as error:
            raise InputError("a readable NetCDF file", f"{path} ({error.strerror or error})") from error
        except Exception as error:  # of another program's file, whose times or numbers xarray cannot decode
            raise InputError("a NetCDF file that Trajectory.save wrote", f"{path} ({first_line(error)})") from error
        try:
            return Trajectory(**fields_from_xarray(dataset))
        except InputError:
            raise
        except Exception as error:  # anything may be missing or wrong in a file that somebody has edited
            reason = f"{path} ({type(error).__name__}: {first_line(error)})"
            raise InputError("a NetCDF file that Trajectory.save wrote", reason) from error
