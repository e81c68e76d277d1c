"""Time counted in phases, in which a phase of any duration takes one unit, also an empty one."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from teacher_student import Curriculum, Problem


class PhaseClock(eqx.Module):
    """Phase p lasts from s = p to s = p + 1, and d(alpha)/ds is its duration.

    So d(overlaps)/ds = duration * drift has a derivative in the duration, also where that is 0 and no alpha passes.
    """

    curriculum: Curriculum

    @property
    def switches(self) -> Float[Array, "P"]:
        """Values of s at which phases end."""
        return 1.0 + jnp.arange(jnp.shape(self.curriculum.durations)[0])

    def when(self, alpha: Float[Array, "A"]) -> Float[Array, "A"]:
        """Return the s at which alpha is reached.

        At a switch it is the end of the earlier phase, and at the curriculum's end that of the last phase.
        """
        ends, durations = jnp.asarray(self.curriculum.switches), jnp.asarray(self.curriculum.durations)
        last = ends.shape[0] - 1
        phase = jnp.where(alpha >= ends[last], last, jnp.sum(ends[:, None] < alpha, axis=0))
        duration = durations[phase]
        since = alpha - (ends[phase] - duration)
        # The divisor is replaced too: JAX differentiates both branches of a `where`, and 0 / 0 in the one that is not
        # taken makes the derivative in the duration NaN.
        return phase + jnp.where(duration > 0, since / jnp.where(duration > 0, duration, 1.0), 1.0 * (alpha > 0))

    def alpha(self, s: Float[Array, ""]) -> Float[Array, ""]:
        """Return the alpha that is reached at s."""
        phase, progress = self._within(s)
        duration = jnp.asarray(self.curriculum.durations)[phase]
        return jnp.asarray(self.curriculum.switches)[phase] - (1.0 - progress) * duration

    def at(self, s: Float[Array, ""], problem: Problem) -> tuple[Float[Array, ""], Problem]:
        """Return d(alpha)/ds at s, and `problem` with the shares of s all the time."""
        phase, progress = self._within(s)
        shares = self.curriculum.shares_in(phase, jnp.minimum(progress, 1.0))[None]
        frozen = eqx.tree_at(
            lambda c: (c.durations, c.initial_shares, c.final_shares), self.curriculum, (jnp.ones(1), shares, shares)
        )
        duration = jnp.asarray(self.curriculum.durations)[phase]
        return duration, eqx.tree_at(lambda p: p.curriculum, problem, frozen)

    def _within(self, s: Float[Array, ""]) -> tuple[Int[Array, ""], Float[Array, ""]]:
        """Return the phase, and the share of it that is done at s.

        After the last switch, the last phase goes on.
        """
        phase = jnp.clip(jnp.floor(jax.lax.stop_gradient(s)), 0, self.switches.shape[0] - 1).astype(int)
        return phase, s - phase
