"""`ode.solve`: from a problem and a start to a trajectory, with whatever error the averages leave."""

from typing import Any

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from teacher_student import (
    DIVERGENCE_BOUND,
    InputError,
    Observables,
    Overlaps,
    Problem,
    Source,
    Trajectory,
    check_alphas,
    check_bound,
    check_overlaps,
    check_problem,
    is_known,
    is_number,
    key_words,
    require_traceable,
    to_float64,
    to_host,
)

from ._enough_points import finer_averages, require_given_points, warn_of_misses
from ._integrate import Path, Settings, integrate
from ._observe import accuracy_is_closed, error_is_closed, observe
from .averages import ClosedForm, FixedSample, Sampled, SampledProducts, missing_closed_form, require_closed_form

Points = FixedSample | SampledProducts
WIDE = 80  # units from which on sampling an erf student's E[g g^T] beats its closed form (benchmarks: wide)


class Method(eqx.Module):
    """How a problem is solved: by which averages, with which points for what has no closed form, how tightly."""

    exact: bool = eqx.field(static=True)  # the drift's averages are closed forms
    with_accuracy: bool = eqx.field(static=True)
    sample: Points | None  # leading axis: independent scramblings
    settings: Settings
    name: str = eqx.field(static=True)
    seed: str | None = eqx.field(static=True)
    halved: bool = eqx.field(static=True, default=False)  # the stated error has the change from half as many points

    def source(self) -> Source:
        """What a trajectory records of it."""
        return Source("ode", self.name, "float64", seed=self.seed)


def fastest_averages(problem: Problem) -> ClosedForm | Sampled:
    """What `averages=None` means: closed forms where they exist, but of wide erf students E[g g^T] sampled."""
    check_problem(problem)
    if missing_closed_form(problem) is not None:
        return Sampled()
    wide = problem.student.activation.name == "erf" and problem.student.width >= WIDE
    return Sampled(products_only=True) if wide else ClosedForm()


def method_for(
    problem: Problem,
    averages: ClosedForm | Sampled | None,
    with_accuracy: bool,
    rtol: float | None,
    atol: float | None,
    max_steps: int,
    bound: float,
    adjoint: diffrax.AbstractAdjoint | None = None,
    fixed_order: bool = True,
) -> Method:
    """The method that the arguments of `solve` ask for. Raises InputError.

    fixed_order: levels of share 0 are left out of derivatives too: the curriculum is not what is differentiated.
    """
    supplier = averages or fastest_averages(problem)
    exact = isinstance(supplier, ClosedForm)
    if exact:
        require_closed_form(problem)
    elif not isinstance(supplier, Sampled):
        raise InputError("averages=ode.ClosedForm() or ode.Sampled(...)", type(supplier).__name__)
    closed = exact and error_is_closed(problem) and (accuracy_is_closed(problem) or not with_accuracy)
    defaults = (1e-8, 1e-10) if exact else (1e-5, 1e-7)
    rtol, atol = (default if given is None else given for given, default in zip((rtol, atol), defaults, strict=True))
    check_settings(rtol, atol, max_steps, bound, adjoint, with_accuracy)
    rtol, atol, bound = (np.float64(number) for number in (rtol, atol, bound))
    settings = Settings(rtol, atol, bound, int(max_steps), adjoint or diffrax.RecursiveCheckpointAdjoint(), fixed_order)
    if closed:
        return Method(True, with_accuracy, None, settings, "closed form", None)
    sampler = supplier if isinstance(supplier, Sampled) else Sampled(2**13, 8)  # for an accuracy alone: cheap
    name = "closed form" if exact else sampler.name
    halved = not exact and (sampler.products_only or sampler.error is not None)
    return Method(exact, with_accuracy, sampler.draw(problem), settings, name, key_words(sampler.key), halved)


def solve(
    problem: Problem,
    start: Overlaps,
    alphas: Any,
    *,
    averages: ClosedForm | Sampled | None = None,
    with_accuracy: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    max_steps: int = 100_000,
    bound: float = DIVERGENCE_BOUND,
    adjoint: diffrax.AbstractAdjoint | None = None,
) -> Trajectory:
    """Integrate the order-parameter ODEs from `start` and record at `alphas`.

    Float64 whatever JAX's settings. vmap works around it; jit and grad do inside `jax.enable_x64(True)`.
    Derivatives in durations and shares include those of empty phases and levels; what is recorded at a switch itself
    has a kink in the durations before it, and gets the derivative of the side of the earlier phase.
    For many problems at once: `solve_many`.

    Arguments:
      alphas: (A,) increasing times, samples / N, within the curriculum.
      averages: ClosedForm(), or Sampled(...), with given points or for a given error; None: closed form where it
        exists, else Sampled(). For erf students of 80 units and more, whose closed form costs K^2 (K + M)^2, None is
        Sampled(products_only=True), which `source.method` says and `sampling_error` states the error of.
        An accuracy without closed form is sampled in any case.
      with_accuracy: False leaves accuracies out (`Trajectory.accuracy` is empty) and saves their sampling.
      rtol, atol: tolerances per step, below 1; None: 1e-8 and 1e-10 (closed form), 1e-5 and 1e-7 (sampled averages,
        whose own error is larger).
      max_steps: steps after which the status is TOO_STIFF.
      bound: Q_kk beyond this many times the largest of 1, Q_kk at the start and T_mm gives status DIVERGED.
        (Above the critical rate a linear or relu student's norm grows exponentially, an erf student's linearly.)
      adjoint: a diffrax adjoint; None: RecursiveCheckpointAdjoint (reverse mode). Use diffrax.ForwardMode() for jvp.
    Raises InputError. A student norm that leaves its bound gives status DIVERGED, not an error.
    """
    check_solve(problem, start, alphas)
    require_traceable((problem, start, alphas), "ode.solve")
    if not is_known((problem, start, alphas)):
        require_given_points(averages, "a traced solve")
    fixed_order = is_known((problem.curriculum, alphas))
    while True:
        method = method_for(problem, averages, with_accuracy, rtol, atol, max_steps, bound, adjoint, fixed_order)
        with jax.enable_x64(True):
            times = np.asarray(alphas, float) if is_known(alphas) else alphas
            inputs = to_float64((problem, start, times))
            outcome = to_host(jitted_solve(inputs[0], inputs[1], inputs[2], method))
            found = trajectory(problem, start, to_host(inputs[2]), outcome, method.source())
        finer = finer_averages(averages, found)
        if finer is None:
            warn_of_misses(averages, [found])
            return found
        averages = finer


def check_settings(rtol: Any, atol: Any, max_steps: Any, bound: Any, adjoint: Any, with_accuracy: Any) -> None:
    """Raise InputError unless these are settings of `solve`."""
    for name, tolerance in (("rtol", rtol), ("atol", atol)):
        if not is_number(tolerance) or not 0 < tolerance < 1:
            raise InputError(f"{name} between 0 and 1", repr(tolerance))
    check_bound(bound)
    if not is_number(max_steps) or max_steps < 1 or max_steps != int(max_steps):
        raise InputError("an integer max_steps >= 1", repr(max_steps))
    if adjoint is not None and not isinstance(adjoint, diffrax.AbstractAdjoint):
        raise InputError("a diffrax adjoint, such as diffrax.ForwardMode()", repr(adjoint))
    if not isinstance(with_accuracy, bool):
        raise InputError("with_accuracy=True or False", repr(with_accuracy))


def check_solve(problem: Problem, start: Overlaps, alphas: Any) -> None:
    """Raise InputError unless `problem` can be solved from `start` at `alphas`."""
    check_alphas(alphas, problem)
    check_overlaps(start, problem)
    if np.ndim(start.readout) != 1:
        raise InputError("one start", f"a batch of shape {np.shape(start.readout)[:-1]}", "use jax.vmap over it")


Outcome = tuple[Path, Observables, Observables | None]


def trajectory(problem: Problem, start: Overlaps, alphas: Any, outcome: Outcome, source: Source) -> Trajectory:
    """The trajectory of what `solve_one` found."""
    path, observables, spread = outcome
    return Trajectory(problem, start, alphas, observables, path.status, path.reached, path.stats, spread, source)


def solve_one(problem: Problem, start: Overlaps, alphas: jax.Array, method: Method) -> Outcome:
    """Path, observables and their sampling error (float64; inside jit)."""
    sample, accuracy = method.sample, method.with_accuracy
    if not method.exact:
        assert sample is not None

        def one(each: Points) -> tuple[Path, Observables]:
            path = integrate(problem, each, start, alphas, method.settings)
            return path, _observe_path(problem, path, each, accuracy)

        if not method.halved:
            paths, observables = jax.lax.map(one, sample)
            return _worst(paths), *mean_and_error(observables)
        paths, observables = jax.lax.map(one, _with_halves(sample))
        n = np.shape(sample.normals)[0]
        fine, coarse = (jax.tree.map(lambda x, part=part: x[part], observables) for part in (slice(n), slice(n, None)))
        mean, error = mean_and_error(fine)
        change = jax.tree.map(lambda a, b: a - b.mean(axis=0), mean, coarse)
        return _worst(jax.tree.map(lambda x: x[:n], paths)), mean, jax.tree.map(jnp.hypot, error, change)
    path = integrate(problem, ClosedForm(), start, alphas, method.settings)
    if sample is None:
        observed = jax.vmap(lambda state: observe(problem, state, None, with_accuracy=accuracy))(path.states)
        return path, observed, None
    return path, *mean_and_error(jax.lax.map(lambda each: _observe_path(problem, path, each, accuracy), sample))


jitted_solve = eqx.filter_jit(solve_one)


def _observe_path(problem: Problem, path: Path, sample: Points, with_accuracy: bool) -> Observables:
    return jax.lax.map(lambda state: observe(problem, state, sample, with_accuracy=with_accuracy), path.states)


def _with_halves(sample: Points) -> Points:
    """The scramblings, and after them those with their first half of points in place of the second.

    A bias of second order in the averages' error, which the spread over scramblings does not show, at least doubles.
    """
    normals = jnp.asarray(sample.normals)
    half = normals[..., : normals.shape[-1] // 2]
    both = jnp.concatenate([normals, jnp.concatenate([half, half], axis=-1)])
    return eqx.tree_at(lambda each: each.normals, sample, both)


def _worst(paths: Path) -> Path:
    """One path for all replicates: mean overlaps, the worst status, the least alpha reached, all steps."""
    return Path(
        jax.tree.map(lambda x: x.mean(axis=0), paths.states),
        paths.status.max(axis=0),
        paths.reached.min(axis=0),
        jax.tree.map(lambda x: x.sum(axis=0), paths.stats),
    )


def mean_and_error(observables: Observables) -> tuple[Observables, Observables]:
    """Mean over replicates and its standard error."""
    mean = jax.tree.map(lambda x: x.mean(axis=0), observables)
    one = jax.tree.leaves(observables)[0].shape[0] == 1  # no spread to go by
    error = jax.tree.map(
        lambda x: jnp.full(x.shape[1:], jnp.nan) if one else x.std(axis=0, ddof=1) / jnp.sqrt(1.0 * x.shape[0]),
        observables,
    )
    return mean, error
