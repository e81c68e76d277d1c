"""Whether theory and runs can be compared: the same problem and start, and up to which alpha."""

import dataclasses
from typing import Any

import numpy as np

from teacher_student import InputError, Overlaps, Problem, Status, Trajectory
from teacher_student.internal import differing_leaves, ending, is_number, same_structure

from ._evidence import dim_of


def check_trajectories(theory: Any, runs: Any, smaller: Any) -> None:
    """Raise InputError unless these are trajectories; `smaller` may be None."""
    for trajectory, role in ((theory, "theory"), (runs, "runs"), (smaller, "smaller")):
        if not isinstance(trajectory, Trajectory) and (role != "smaller" or trajectory is not None):
            remedy = "agreement(theory, runs): of ode.solve and of simulations.run"
            raise InputError(f"a Trajectory as {role}", type(trajectory).__name__, remedy)


def check_comparable(
    theory: Trajectory, runs: Trajectory, smaller: Trajectory | None, significance: float, fewest_runs: int
) -> None:
    """Raise InputError unless `runs` (and `smaller`) simulate what `theory` solved, from the same start."""
    if theory.runs is not None:
        raise InputError("a theory trajectory first", f"one with {theory.runs} runs", "agreement(theory, runs)")
    if not is_number(significance) or not 0 < significance < 1:
        raise InputError("a significance between 0 and 1", repr(significance))
    for trajectory, role in ((runs, "runs"), (smaller, "smaller")):
        if trajectory is None:
            continue
        difference = _difference(theory.problem, trajectory.problem)
        if difference:
            remedy = "simulations.preference(first, second, runs) compares theories of other numbers"
            raise InputError(f"theory and {role} of the same problem", f"problems that differ in {difference}", remedy)
        _check_start(theory, trajectory.start, role)
        if trajectory.source.inputs == "shared":
            raise InputError(f"independent {role}", "ones that share their samples", 'simulate with inputs="own"')
        if trajectory.runs is None or trajectory.source.dim is None or trajectory.runs < fewest_runs:
            raise InputError(f"at least {fewest_runs} {role} to estimate a standard error", trajectory.runs)
    if smaller is not None and not dim_of(smaller) < dim_of(runs):
        raise InputError("a smaller dimension in `smaller`", f"{dim_of(smaller)} and {dim_of(runs)}")


def _difference(solved: Problem, simulated: Problem) -> str:
    """Say in words where two problems differ; empty if they do not."""
    if not same_structure(solved, simulated):
        return "their structure (names, widths, activations, labels, loss)"
    return ", ".join(differing_leaves(solved, simulated, np.array_equal))


def _check_start(trajectory: Trajectory, runs: Overlaps, role: str) -> None:
    """Raise InputError unless the runs start where theory does, or from random overlaps of the law that it has."""
    theory, fluctuations = trajectory.start, trajectory.fluctuations
    random = fluctuations is not None and fluctuations.start_covariance is not None
    if random and np.ndim(runs.readout) == 1:
        remedy = "leave out start_covariance"
        raise InputError(f"{role} with a start each, as theory's start_covariance says", "one start", remedy)
    for name in ("T", "readout") if random else ("Q", "R", "T", "readout"):
        expected, actual = np.asarray(getattr(theory, name)), np.asarray(getattr(runs, name))
        # Not exactly equal: weights in float32 have the start's overlaps to rounding only.
        gap = float(np.max(np.abs(actual - expected)))
        if gap > 1e-6 * max(1.0, float(np.max(np.abs(expected)))):
            raise InputError(
                f"{role} that start from theory's overlaps",
                f"starts whose {name} differ by {gap:.3g}",
                "pass the same start= to simulations.run and ode.solve",
            )


def check_predicted(theory: Trajectory, runs: Trajectory, smaller: Trajectory | None) -> None:
    """Raise InputError unless theory states the spread of `runs`."""
    if theory.fluctuations is None:
        raise InputError(
            'a theory with fluctuations for spread="predicted"', "one without", "take theory = ode.fluctuations(...)"
        )
    if smaller is not None:
        raise InputError(
            'no `smaller` runs with spread="predicted", which states the 1/N term', "some", "leave them out"
        )
    if np.ndim(runs.start.readout) > 1 and theory.fluctuations.start_covariance is None:
        remedy = "pass one start= to all, or take ode.fluctuations(..., start_covariance=...) with ts.start_law"
        raise InputError('runs with one start for spread="predicted"', "a start for each", remedy)
    theory.fluctuations.check_dim(dim_of(runs))


def usable_alphas(
    theory: Trajectory, runs: Trajectory, smaller: Trajectory | None
) -> tuple[np.ndarray, list[str], bool]:
    """Return the mask of alphas at which theory and all runs are finite, notes, and whether divergence disagrees."""
    alphas = np.asarray(theory.alphas)
    notes: list[str] = []
    until = float(theory.reached)
    if theory.status != Status.OK:
        notes.append(f"theory: {ending(theory)}")
    split = False
    for trajectory in (runs, smaller):
        if trajectory is None or np.all(trajectory.status == Status.OK):
            continue
        notes.append(f"simulation at N = {trajectory.source.dim}: {ending(trajectory)}")
        split = split or theory.status == Status.OK
        until = min(until, float(np.min(trajectory.reached)))
    usable = alphas <= until
    if not np.any(usable & (alphas > 0)):
        raise InputError("a recorded alpha > 0 before theory or a run diverges", f"none up to {until:g}")
    return usable, notes, split


def without_accuracy(trajectory: Trajectory) -> Trajectory:
    """Return a trajectory without its accuracies, to be compared with one that has none."""
    return dataclasses.replace(trajectory, observables=dataclasses.replace(trajectory.observables, accuracy={}))
