"""A planned simulation, carried out: from the plan to the trajectories."""

import operator
import warnings

import jax
import numpy as np

from teacher_student import Problem, Trajectory
from teacher_student.internal import is_shown, largest_allowed_norm, unnamed, with_filled_schedules, with_level_names

from ._divergence import mark_divergence
from ._ensemble import Ensemble, Finished, run_all
from ._host import to_float_on_host
from ._phase_steps import PhaseSteps, phase_steps
from ._plan import RunPlan, one_per_run
from ._run_batches import stacked


def simulate(plan: RunPlan) -> list[Trajectory]:
    """Return the trajectory of every problem of `plan`, in order.

    Raises KeyboardInterrupt if Ctrl-C came before any run had finished; later, those that have are returned.
    """
    from tqdm import tqdm  # only a run needs it

    with jax.enable_x64(plan.dtype == np.float64):
        members = [_numbers(problem, plan) for problem in plan.problems]
        (problem, phases), differ = stacked(members) if len(members) > 1 else (members[0], ())
        ensemble = Ensemble(problem, phases, plan.space, plan.test_blocks, differ, plan.devices)
    total = len(plan.problems) * plan.runs * int(plan.steps[-1])
    label = f"SGD N={plan.dim}"
    with tqdm(
        total=total, unit="step", unit_scale=True, disable=not is_shown(plan.progress), desc=label, leave=False
    ) as bar:
        finished = run_all(ensemble, plan, bar.update)
    # A run counts if it is finished in every problem: what is paired must stay paired.
    done = [r for r in range(plan.runs) if all((p, r) in finished for p in range(len(plan.problems)))]
    if len(done) < plan.runs:
        if not done:
            raise KeyboardInterrupt
        warnings.warn(f"interrupted: {len(done)} of {plan.runs} runs finished and are returned", stacklevel=3)
    return [_trajectory(plan, p, [finished[p, r] for r in done], done) for p in range(len(plan.problems))]


def _numbers(problem: Problem, plan: RunPlan) -> tuple[Problem, PhaseSteps]:
    """Return what compiled programs know of `problem`, on the host.

    Its names are left out, and its phases filled up to one of a few counts: other names and phases need no compilation.
    """
    compiled = with_filled_schedules(unnamed(problem))
    return to_float_on_host(compiled, plan.dtype), phase_steps(compiled, plan.dim)


def _trajectory(plan: RunPlan, p: int, finished: list[Finished], done: list[int]) -> Trajectory:
    """Return the trajectory of problem `p`, of the runs `done`."""
    problem, start, alphas = plan.problems[p], plan.starts[p], plan.steps / plan.dim
    observables = jax.tree.map(lambda *x: np.stack(x).astype(np.float64), *(recorded for recorded, _ in finished))
    observables = with_level_names(observables, problem)
    # By each run's own start, before runs that Ctrl-C left out are dropped: positions are numbers of runs.
    limits = largest_allowed_norm(one_per_run(start, plan.runs), plan.bound)[done]
    observables, status, reached = mark_divergence(observables, alphas, limits)
    if np.ndim(start.readout) > 1:
        start = jax.tree.map(operator.itemgetter(done), start)
    stats = {"steps": np.full(len(done), plan.steps[-1])}
    weights = jax.tree.map(lambda *x: np.stack(x), *(last for _, last in finished)) if plan.keep_weights else None
    return Trajectory(
        problem, start, alphas, observables, status, reached, stats, None, plan.source, kept_weights=weights
    )
