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
    check_overlaps,
    is_known,
    key_words,
    require_traceable,
    to_float,
    to_host,
)

from ._integrate import Path, Settings, integrate
from ._observe import accuracy_is_closed, error_is_closed, observe
from .averages import ClosedForm, FixedSample, Sampled, missing_closed_form, require_closed_form


def solve(
    problem: Problem,
    start: Overlaps,
    alphas: Any,
    *,
    averages: ClosedForm | Sampled | None = None,
    rtol: float | None = None,
    atol: float | None = None,
    max_steps: int = 100_000,
    bound: float = DIVERGENCE_BOUND,
    adjoint: diffrax.AbstractAdjoint | None = None,
) -> Trajectory:
    """Integrate the order-parameter ODEs from `start` and record at `alphas`.

    Float64 whatever JAX's settings. vmap works around it; jit and grad do inside `jax.enable_x64(True)`.

    Arguments:
      alphas: (A,) increasing times, samples / N, within the curriculum.
      averages: ClosedForm(), or Sampled(...); None: closed form where it exists, else Sampled().
        An accuracy without closed form is sampled in either case.
      rtol, atol: tolerances per step; None: 1e-8 and 1e-10 (closed form), 1e-5 and 1e-7 (sampled averages,
        whose own error is larger).
      max_steps: steps after which the status is TOO_STIFF.
      bound: Q_kk beyond this many times the largest of 1, Q_kk at the start and T_mm gives status DIVERGED.
        (Above the critical rate a linear or relu student's norm grows exponentially, an erf student's linearly.)
      adjoint: a diffrax adjoint; None: RecursiveCheckpointAdjoint (reverse mode). Use diffrax.ForwardMode() for jvp.
    Raises InputError. A student norm that leaves its bound gives status DIVERGED, not an error.
    """
    check_alphas(alphas, problem)
    check_overlaps(start, problem.shape)
    if np.ndim(start.readout) != 1:
        raise InputError("one start", f"a batch of shape {np.shape(start.readout)[:-1]}", "use jax.vmap over it")
    supplier = averages or (ClosedForm() if missing_closed_form(problem) is None else Sampled())
    exact = isinstance(supplier, ClosedForm)
    if exact:
        require_closed_form(problem)
    elif not isinstance(supplier, Sampled):
        raise InputError("averages=ode.ClosedForm() or ode.Sampled(...)", type(supplier).__name__)
    require_traceable((problem, start, alphas), "ode.solve")
    needs_sample = not (exact and error_is_closed(problem) and accuracy_is_closed(problem))
    sampler = supplier if isinstance(supplier, Sampled) else Sampled(2**13, 8)  # for an accuracy alone: cheap
    sample = sampler.draw(problem) if needs_sample else None
    defaults = (1e-8, 1e-10) if exact else (1e-5, 1e-7)
    tolerances = [default if given is None else given for given, default in zip((rtol, atol), defaults, strict=True)]
    if min(*tolerances, bound, max_steps) <= 0:
        raise InputError("rtol, atol, bound and max_steps > 0", (*tolerances, bound, max_steps))
    with jax.enable_x64(True):
        rtol, atol = (np.float64(tolerance) for tolerance in tolerances)
        settings = Settings(rtol, atol, np.float64(bound), max_steps, adjoint or diffrax.RecursiveCheckpointAdjoint())
        times = np.asarray(alphas, float) if is_known(alphas) else alphas
        inputs = to_float((problem, start, times), jnp.float64)
        path, observables, spread = _solve(inputs[0], inputs[1], inputs[2], sample, exact, settings)
        method = "closed form" if exact else f"sampled, {sampler.replicates} x {sampler.points} points"
        return Trajectory(
            problem=problem,
            start=start,
            alphas=to_host(inputs[2]),
            observables=to_host(observables),
            status=to_host(path.status),
            reached=to_host(path.reached),
            stats=to_host(path.stats),
            sampling_error=to_host(spread),
            source=Source("ode", method, "float64", seed=None if sample is None else key_words(sampler.key)),
        )


@eqx.filter_jit
def _solve(
    problem: Problem, start: Overlaps, alphas: jax.Array, sample: FixedSample | None, exact: bool, settings: Settings
) -> tuple[Path, Observables, Observables | None]:
    if not exact:
        assert sample is not None

        def one(each: FixedSample) -> tuple[Path, Observables]:
            path = integrate(problem, each, start, alphas, settings)
            return path, _observe_path(problem, path, each)

        paths, observables = jax.lax.map(one, sample)
        return _worst(paths), *_mean_and_error(observables)
    path = integrate(problem, ClosedForm(), start, alphas, settings)
    if sample is None:
        return path, jax.vmap(lambda state: observe(problem, state, None))(path.overlaps), None
    mean, error = _mean_and_error(jax.lax.map(lambda each: _observe_path(problem, path, each), sample))
    return path, mean, error


def _observe_path(problem: Problem, path: Path, sample: FixedSample) -> Observables:
    return jax.lax.map(lambda state: observe(problem, state, sample), path.overlaps)


def _worst(paths: Path) -> Path:
    """One path for all replicates: mean overlaps, the worst status, the least alpha reached, all steps."""
    return Path(
        jax.tree.map(lambda x: x.mean(axis=0), paths.overlaps),
        paths.status.max(axis=0),
        paths.reached.min(axis=0),
        jax.tree.map(lambda x: x.sum(axis=0), paths.stats),
    )


def _mean_and_error(observables: Observables) -> tuple[Observables, Observables]:
    """Mean over replicates and its standard error."""
    mean = jax.tree.map(lambda x: x.mean(axis=0), observables)
    error = jax.tree.map(lambda x: x.std(axis=0, ddof=1) / jnp.sqrt(1.0 * x.shape[0]), observables)
    return mean, error
