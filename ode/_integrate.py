"""Adaptive integration, with steps that land on recorded alphas and restart at switches."""

from collections.abc import Callable
from typing import Any

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import optimistix
from jaxtyping import Array, Bool, Float

from teacher_student import Overlaps, Problem, Status
from teacher_student.internal import largest_allowed_norm

from ._drift import drift
from ._method import Tolerances
from ._outcome import Path
from ._phase_clock import PhaseClock
from .averages import Averages


def integrate(
    problem: Problem, averages: Averages, start: Overlaps, alphas: Float[Array, "A"], tolerances: Tolerances
) -> Path:
    """Integrate the drift from alpha = 0 to the last of `alphas` (float64; inside jit)."""
    # Ten times the bound, so that the drift is right up to the bound and just beyond it, where divergence is seen.
    limit = 10 * largest_allowed_norm(start, tolerances.bound)

    def clipped(state: Overlaps) -> Overlaps:
        # A trial step far beyond the bound must stay finite to be rejected; a polynomial student's drift overflows.
        Q, R = (jnp.clip(x, -limit, limit) for x in (state.Q, state.R))
        return Overlaps(Q, R, state.T, state.readout)

    def in_alpha(alpha: Float[Array, ""], state: Overlaps) -> Overlaps:
        return drift(problem, averages, jax.lax.stop_gradient(alpha), clipped(state))

    def in_phases(s: Float[Array, ""], state: Overlaps) -> Overlaps:
        speed, at = clock.at(s, problem)
        velocity: Overlaps = jax.tree.map(lambda x: speed * x, drift(at, averages, 0.0, clipped(state)))
        return velocity

    if tolerances.fixed_order:
        problem = eqx.tree_at(lambda p: p.curriculum, problem, jax.lax.stop_gradient(problem.curriculum))
        times = [problem.curriculum.switches, *(schedule.jumps for schedule in problem.schedules.values())]
        switches = jnp.sort(jax.lax.stop_gradient(jnp.concatenate([jnp.asarray(each) for each in times])))
        return integrate_field(in_alpha, switches, start, alphas, tolerances, lambda state: state)
    clock = PhaseClock.of(problem)
    stops = clock.when(alphas)
    path = integrate_field(in_phases, clock.switches, start, stops, tolerances, lambda state: state, _rms_not_zero)
    timed: Path = eqx.tree_at(lambda solved: solved.reached, path, clock.alpha(jnp.asarray(path.reached)))
    return timed


def integrate_field(
    field: Callable[[Any, Any], Any],
    switches: Float[Array, "P"],
    start: Any,
    alphas: Float[Array, "A"],
    tolerances: Tolerances,
    overlaps_of: Callable[[Any], Overlaps],
    norm: Callable[[Any], Any] | None = None,
) -> Path:
    """Integrate d(state)/dalpha = field(alpha, state), for any state that `overlaps_of` finds the overlaps in.

    switches: times at which the field jumps. norm: of a step's error; None: the largest root mean square.
    """
    bound: jax.Array = largest_allowed_norm(overlaps_of(start), tolerances.bound)

    def diverged(t: Float[Array, ""], y: Overlaps, args: Any, **_: Any) -> Bool[Array, ""]:
        largest = jnp.max(overlaps_of(y).Q.diagonal(axis1=-2, axis2=-1))
        # Written with `~`, so that a norm that is NaN counts as diverged too.
        return ~(largest < bound)

    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(lambda alpha, state, _: field(alpha, state)),
        diffrax.Tsit5(),
        t0=0.0,
        t1=alphas[-1],
        dt0=None,
        y0=start,
        saveat=diffrax.SaveAt(subs=[diffrax.SubSaveAt(ts=alphas), diffrax.SubSaveAt(t1=True)]),
        stepsize_controller=diffrax.ClipStepSizeController(
            diffrax.PIDController(rtol=tolerances.rtol, atol=tolerances.atol, norm=norm or _largest_rms),
            step_ts=alphas,
            jump_ts=switches,
        ),
        adjoint=tolerances.adjoint or diffrax.RecursiveCheckpointAdjoint(),
        event=diffrax.Event(diverged),
        max_steps=tolerances.max_steps,
        throw=False,
    )
    (recorded, stop), (states, _) = solution.ts, solution.ys
    got = jnp.isfinite(recorded)
    status = jnp.where(
        solution.result == diffrax.RESULTS.successful,
        int(Status.OK),
        jnp.where(solution.result == diffrax.RESULTS.max_steps_reached, int(Status.TOO_STIFF), int(Status.DIVERGED)),
    )

    def blank(x: Float[Array, "A *_"]) -> Float[Array, "A *_"]:
        return jnp.where(got.reshape(-1, *[1] * (x.ndim - 1)), x, jnp.nan)

    stats = {name: jnp.asarray(solution.stats[name]) for name in _COUNTS}
    return Path(jax.tree.map(blank, states), status, stop[0], stats)


def _largest_rms(scaled_error: Any) -> Float[Array, ""]:
    """Return the root mean square of the part that has the largest.

    In a mean over all parts, the many entries of one kind would dilute the error of another.
    """
    parts = jax.tree.leaves(scaled_error, is_leaf=lambda part: isinstance(part, Overlaps))
    return jnp.max(jnp.stack([optimistix.rms_norm(part) for part in parts]))


def _rms_not_zero(scaled_error: Any) -> Float[Array, ""]:
    """Return the same norm, and of no error one that leaves the step as long as it was.

    In a piece that lasts no time nothing has an error. Steps would grow to the whole piece and begin the next one so
    long: they would be rejected there, but the derivative of a rejected step may be infinite, and zero times it NaN.
    """
    norm = _largest_rms(scaled_error)
    return jnp.where(norm == 0, UNCHANGED, norm)


UNCHANGED = 0.9**5  # with it, a controller of safety 0.9 and a method of order 5 take the next step as long as this one
_COUNTS = ("num_steps", "num_accepted_steps", "num_rejected_steps")
