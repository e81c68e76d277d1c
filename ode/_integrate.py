"""Adaptive integration, with steps that land on recorded alphas and restart at switches."""

from collections.abc import Callable
from typing import Any

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import optimistix

from teacher_student import Overlaps, Problem, Status

from ._drift import drift
from .averages import Averages


class Settings(eqx.Module):
    """Tolerances and bounds of an integration."""

    rtol: Any
    atol: Any
    bound: Any  # on Q_kk, in units of the largest of 1, Q_kk at the start and T_mm
    max_steps: int = eqx.field(static=True)
    adjoint: diffrax.AbstractAdjoint
    fixed_order: bool = eqx.field(static=True, default=False)  # no derivative with respect to the curriculum is wanted


class Path(eqx.Module):
    """States at recorded alphas (NaN after a stop), status, the time it stopped at and step counts."""

    states: Any
    status: jax.Array
    reached: jax.Array
    stats: dict[str, jax.Array]


def integrate(problem: Problem, averages: Averages, start: Overlaps, alphas: jax.Array, settings: Settings) -> Path:
    """Integrate the drift from alpha = 0 to the last of `alphas` (float64; inside jit)."""
    limit = 10 * _bound(start, settings)
    fixed = eqx.tree_at(lambda p: p.curriculum, problem, jax.lax.stop_gradient(problem.curriculum))

    def field(alpha: Any, state: Overlaps) -> Overlaps:
        # A trial step far beyond the bound must stay finite to be rejected; a polynomial student's drift overflows.
        Q, R = (jnp.clip(x, -limit, limit) for x in (state.Q, state.R))
        at, alpha = (fixed, jax.lax.stop_gradient(alpha)) if settings.fixed_order else (problem, alpha)
        return drift(at, averages, alpha, Overlaps(Q, R, state.T, state.readout))

    return integrate_field(field, problem, start, alphas, settings, lambda state: state)


def integrate_field(
    field: Callable[[Any, Any], Any],
    problem: Problem,
    start: Any,
    alphas: jax.Array,
    settings: Settings,
    overlaps_of: Callable[[Any], Overlaps],
) -> Path:
    """Integrate d(state)/dalpha = field(alpha, state), for any state that `overlaps_of` finds the overlaps in."""
    bound = _bound(overlaps_of(start), settings)

    def diverged(t: jax.Array, y: Overlaps, args: Any, **_: Any) -> jax.Array:
        largest = jnp.max(overlaps_of(y).Q.diagonal(axis1=-2, axis2=-1))
        return ~(largest < bound)  # true also for NaN

    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(lambda alpha, state, _: field(alpha, state)),
        diffrax.Tsit5(),
        t0=0.0,
        t1=alphas[-1],
        dt0=None,
        y0=start,
        saveat=diffrax.SaveAt(subs=[diffrax.SubSaveAt(ts=alphas), diffrax.SubSaveAt(t1=True)]),
        stepsize_controller=diffrax.ClipStepSizeController(
            diffrax.PIDController(rtol=settings.rtol, atol=settings.atol, norm=_largest_rms),
            step_ts=alphas,
            jump_ts=jnp.asarray(problem.curriculum.switches),
        ),
        adjoint=settings.adjoint,
        event=diffrax.Event(diverged),
        max_steps=settings.max_steps,
        throw=False,
    )
    (recorded, stop), (states, _) = solution.ts, solution.ys
    got = jnp.isfinite(recorded)
    status = jnp.where(
        solution.result == diffrax.RESULTS.successful,
        int(Status.OK),
        jnp.where(solution.result == diffrax.RESULTS.max_steps_reached, int(Status.TOO_STIFF), int(Status.DIVERGED)),
    )

    def blank(x: jax.Array) -> jax.Array:
        return jnp.where(got.reshape(-1, *[1] * (x.ndim - 1)), x, jnp.nan)

    stats = {name: jnp.asarray(solution.stats[name]) for name in _COUNTS}
    return Path(jax.tree.map(blank, states), status, stop[0], stats)


def _bound(start: Overlaps, settings: Settings) -> jax.Array:
    """The largest Q_kk that counts as finite."""
    norms = jnp.concatenate([x.diagonal(axis1=-2, axis2=-1).ravel() for x in (start.Q, start.T)])
    return settings.bound * jnp.maximum(1.0, jnp.max(norms))


def _largest_rms(scaled_error: Any) -> jax.Array:
    """Root mean square of the part that has the largest: many entries of one kind must not dilute another's error."""
    parts = jax.tree.leaves(scaled_error, is_leaf=lambda part: isinstance(part, Overlaps))
    return jnp.max(jnp.stack([optimistix.rms_norm(part) for part in parts]))


_COUNTS = ("num_steps", "num_accepted_steps", "num_rejected_steps")
