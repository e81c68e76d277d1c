"""Theory for sliders: the first curve comes from the host's steps, the others from a program compiled meanwhile."""

from __future__ import annotations  # types are not looked up, which would load JAX before a file is checked

import dataclasses
import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np

import ode
import teacher_student as ts
from teacher_student import internal

from ..experiment import with_alphas_between

if TYPE_CHECKING:
    from ..experiment import Experiment


@dataclasses.dataclass(frozen=True)
class Solution:
    """A solved problem. milliseconds: how long it took. compiled: whether by the quick program."""

    theory: ts.Trajectory
    milliseconds: float
    compiled: bool

    @property
    def text(self) -> str:
        """What the page says of it: how long it took, and why where it is long."""
        took = f"Theory solved in {self.milliseconds:.0f} ms."
        if self.theory.sampling_error is None:
            return took
        return f"{took} Its averages are sampled, which takes longer than closed forms. The bands are their error."


class Solver:
    """Solves one experiment after the other. Those that differ in numbers alone share one compiled program.

    To compile takes tens of seconds, and to step from the host half a second: so the page starts with the latter, and
    a thread compiles. Where averages are sampled, most of the time goes into the samples, and nothing is compiled.
    """

    def __init__(self) -> None:
        self._compiled: set[Any] = set()
        self._pending: dict[Any, threading.Thread] = {}
        self._seen: set[Any] = set()

    @property
    def is_compiling(self) -> bool:
        """Whether a quicker program is on its way."""
        return bool(self._pending)

    def is_new(self, experiment: Experiment) -> bool:
        """Return whether nothing of this structure has been solved, so that a program must be compiled first."""
        return _structure(experiment, with_alphas_between(experiment.alphas)) not in self._seen

    def solve(self, experiment: Experiment) -> Solution:
        """Return the trajectory of theory, with alphas between the recorded ones. Raises InputError."""
        alphas = with_alphas_between(experiment.alphas)
        structure = _structure(experiment, alphas)
        compiled = structure in self._compiled
        if not compiled and _has_closed_form(experiment):
            self._compile(structure, experiment, alphas)
        clock = time.perf_counter()
        theory = _solved(experiment, alphas, compiled=compiled)
        self._seen.add(structure)
        return Solution(theory, 1000 * (time.perf_counter() - clock), compiled)

    def wait(self) -> None:
        """Wait until what is being compiled is there."""
        for thread in list(self._pending.values()):
            thread.join()

    def _compile(self, structure: Any, experiment: Experiment, alphas: np.ndarray) -> None:
        """Compile the program of a structure in a thread, once."""
        if structure in self._pending:
            return

        def compile_it() -> None:
            try:
                _solved(experiment, alphas, compiled=True)
                self._compiled.add(structure)
            except Exception:  # the host's steps go on, and say what is wrong with the problem
                return
            finally:
                self._pending.pop(structure, None)

        self._pending[structure] = threading.Thread(target=compile_it, daemon=True)
        self._pending[structure].start()


def _solved(experiment: Experiment, alphas: np.ndarray, *, compiled: bool) -> ts.Trajectory:
    choices: dict[str, Any] = {
        "averages": experiment.averages,
        "rtol": experiment.rtol,
        "atol": experiment.atol,
    }
    if compiled:
        return ode.solve_many([experiment.problem], [experiment.start], alphas, **choices)[0]
    return ode.solve(experiment.problem, experiment.start, alphas, **choices)


def _has_closed_form(experiment: Experiment) -> bool:
    return experiment.averages is None or isinstance(experiment.averages, ode.ClosedForm)


def _structure(experiment: Experiment, alphas: np.ndarray) -> Any:
    """Return what a compiled program is of: all but the numbers and the names."""
    import jax  # takes a second, which a page that is only imported need not wait for

    leaves, tree = jax.tree.flatten((internal.unnamed(experiment.problem), experiment.start))
    return tree, tuple(np.shape(leaf) for leaf in leaves), internal.filled_length(alphas.size, 64)
