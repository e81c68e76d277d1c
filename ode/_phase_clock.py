"""Time counted in pieces, in which a piece of any duration takes one unit, also an empty one."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from teacher_student import Curriculum, Problem, Schedule
from teacher_student.internal import with_values


class PhaseClock(eqx.Module):
    """Piece i lasts from s = i to s = i + 1, and d(alpha)/ds is its duration.

    Pieces end where a phase of the curriculum ends, and where a schedule jumps. So d(overlaps)/ds = duration * drift
    has a derivative in the duration, also where that is 0 and no alpha passes.

    Fields: ends: (n,) times at which pieces end, none beyond the curriculum's end. passed: (1 + schedules, n) how many
    phases, and how many jumps of each schedule, lie before each piece. They are counted, since the times themselves do
    not tell pieces that last no time from each other. last: the piece with which the curriculum ends. Behind it stand
    jumps that are never reached, as pieces that last no time; nobody goes through them.
    """

    curriculum: Curriculum
    schedules: tuple[Schedule, ...]
    ends: Float[Array, "n"]
    passed: Int[Array, "sources n"]
    last: Int[Array, ""]

    @staticmethod
    def of(problem: Problem) -> "PhaseClock":
        """Return the clock of a problem's curriculum and schedules."""
        switches = jnp.asarray(problem.curriculum.switches)
        schedules = tuple(problem.schedules.values())
        # A jump at the curriculum's end or after it is never reached. (At the end itself `minimum` would take half of
        # the derivative from either side.)
        jumps = [jnp.asarray(schedule.jumps) for schedule in schedules]
        times = [switches, *(jnp.where(each < switches[-1], each, switches[-1]) for each in jumps)]
        source = jnp.concatenate([jnp.full(each.shape, i) for i, each in enumerate(times)])
        order = jnp.argsort(jax.lax.stop_gradient(jnp.concatenate(times)), stable=True)
        own = source[order] == jnp.arange(len(times))[:, None]
        ends, passed = jnp.concatenate(times)[order], jnp.cumsum(own, axis=1) - own.astype(int)
        last = jnp.max(jnp.where(own[0], jnp.arange(ends.shape[0]), 0))  # of equal times, the curriculum's come first
        return PhaseClock(problem.curriculum, schedules, ends, passed, last)

    @property
    def durations(self) -> Float[Array, "n"]:
        """How long pieces last, in alpha."""
        return jnp.diff(self.ends, prepend=0.0)

    @property
    def switches(self) -> Float[Array, "n"]:
        """Values of s at which pieces end."""
        return 1.0 + jnp.arange(self.ends.shape[0])

    def when(self, alpha: Float[Array, "A"]) -> Float[Array, "A"]:
        """Return the s at which alpha is reached.

        At the end of a piece it is that of the earlier one, and at the curriculum's end that of the last piece.
        """
        ends, durations, last = self.ends, self.durations, self.last
        piece = jnp.where(alpha >= ends[last], last, jnp.sum(ends[:, None] < alpha, axis=0))
        duration = durations[piece]
        since = alpha - (ends[piece] - duration)
        # The divisor is replaced too: JAX differentiates both branches of a `where`, and 0 / 0 in the one that is not
        # taken makes the derivative in the duration NaN.
        return piece + jnp.where(duration > 0, since / jnp.where(duration > 0, duration, 1.0), 1.0 * (alpha > 0))

    def alpha(self, s: Float[Array, ""]) -> Float[Array, ""]:
        """Return the alpha that is reached at s."""
        piece, progress = self._within(s)
        return self.ends[piece] - (1.0 - progress) * self.durations[piece]

    def at(self, s: Float[Array, ""], problem: Problem) -> tuple[Float[Array, ""], Problem]:
        """Return d(alpha)/ds at s, and `problem` with the shares and the values of its schedules of s at all times."""
        piece, progress = self._within(s)
        alpha, passed = self.alpha(s), self.passed[:, piece]
        shares = self._shares(passed[0], alpha, progress)[None]
        values = iter([each.within(n, alpha, progress) for each, n in zip(self.schedules, passed[1:], strict=True)])
        frozen = eqx.tree_at(
            lambda c: (c.durations, c.initial_shares, c.final_shares), self.curriculum, (jnp.ones(1), shares, shares)
        )
        numbers = with_values(problem, lambda _: next(values))
        return self.durations[piece], eqx.tree_at(lambda p: p.curriculum, numbers, frozen)

    def _shares(
        self, passed: Int[Array, ""], alpha: Float[Array, ""], progress: Float[Array, ""]
    ) -> Float[Array, "levels"]:
        """Return the shares at alpha inside a phase. After the last switch, the last phase goes on.

        A phase that lasts no time is one piece, in which its shares change with the piece's progress: so its derivative
        in the duration is that of all of them.
        """
        durations = jnp.asarray(self.curriculum.durations)
        phase = jnp.minimum(passed, durations.shape[0] - 1)
        duration = durations[phase]
        begun = jnp.asarray(self.curriculum.switches)[phase] - duration
        done = jnp.where(duration > 0, (alpha - begun) / jnp.where(duration > 0, duration, 1.0), progress)
        # Rounding may lead beyond 1. (The derivative of `clip` at 1 itself, where steps end, is one half.)
        return self.curriculum.shares_in(phase, jnp.where(done > 1, 1.0, done))

    def _within(self, s: Float[Array, ""]) -> tuple[Int[Array, ""], Float[Array, ""]]:
        """Return the piece, and the share of it that is done at s. After the last end, the last piece goes on."""
        piece = jnp.clip(jnp.floor(jax.lax.stop_gradient(s)), 0, self.ends.shape[0] - 1).astype(int)
        return piece, s - piece
