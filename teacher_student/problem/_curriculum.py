"""Curricula: the share p_l(alpha) of each difficulty level at every time alpha."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from .._drawing import plot
from .._errors import InputError, require_name
from .._numbers import as_number, as_numbers, as_row, check_at_least, is_known
from .._public_module import PublicModule
from .._shapes import Numbers
from ._phase_strip import strip_of_phases

if TYPE_CHECKING:  # half a second to import: only who draws needs it
    from matplotlib.figure import Figure

Mixture = str | Mapping[str, Any]  # a level, or shares of levels


class Curriculum(PublicModule):
    """A sequence of phases, in each of which the shares of the levels are constant or change linearly.

    Build one with `phases`, `mixed`, `single`, `ramp` or `ordered`. The operator `+` puts two of them one after the
    other. Durations are in units of alpha = samples / N. In a simulation the level of sample n is drawn with the shares
    at alpha = (n + 1/2) / N, the middle of its step. In theory the drift is the sum over levels, weighted with the
    shares.

    Example:
      >>> import teacher_student as ts
      >>> curriculum = ts.Curriculum.phases(("easy", 10.0), ({"easy": 0.5, "hard": 0.5}, 5.0))
      >>> curriculum.switches.tolist()
      [10.0, 15.0]
      >>> curriculum.phase_names()
      ('easy', '0.5 easy + 0.5 hard')
      >>> ts.Curriculum.ordered(("easy", "hard"), {"easy": 0.25, "hard": 0.75}, 20.0).switches.tolist()
      [5.0, 20.0]
    """

    level_names: tuple[str, ...] = eqx.field(static=True)
    durations: Float[Numbers, "P"]  # of each phase, in alpha
    initial_shares: Float[Numbers, "P levels"]  # at the phase's beginning, of the curriculum's own levels
    final_shares: Float[Numbers, "P levels"]  # at its end

    def __init__(self, *phases: "tuple[Mixture, Mixture, Any]"):
        """Take each phase as (shares at its beginning, shares at its end, duration)."""
        if not phases:
            raise InputError("at least one phase in the curriculum", "none")
        for phase in phases:
            if not isinstance(phase, (tuple, list)) or len(phase) != 3:
                remedy = "or use Curriculum.phases, .single, .mixed, .ramp or .ordered"
                raise InputError("each phase as (initial, final, duration)", repr(phase), remedy)
        mixtures = [[_mixture(side) for side in phase[:2]] for phase in phases]
        self.level_names = tuple(dict.fromkeys(name for pair in mixtures for side in pair for name in side))
        self.durations = as_row((phase[2] for phase in phases), "durations of phases")
        shares = [
            [as_row((side.get(name, 0.0) for name in self.level_names), "shares of levels") for side in pair]
            for pair in mixtures
        ]
        self.initial_shares = as_numbers([pair[0] for pair in shares], "shares")
        self.final_shares = as_numbers([pair[1] for pair in shares], "shares")
        check_at_least(self.durations, 0.0, "durations of phases", strict=True)
        for side in (self.initial_shares, self.final_shares):
            check_at_least(side, 0.0, "shares of levels")
            # Shares such as 0.1, 0.2 and 0.7 sum to 1 up to rounding only.
            if is_known(side) and np.any(np.abs(np.sum(side, axis=1) - 1) > 1e-9):
                raise InputError(
                    "shares of levels that sum to 1 in each phase", f"sums {np.sum(side, axis=1).tolist()}"
                )

    @staticmethod
    def phases(*phases: "tuple[Any, ...]") -> "Curriculum":
        """Return phases one after the other.

        A phase is (level, duration), or ({level: share, ...}, duration), or, as a ramp between two levels or mixtures,
        (initial, final, duration). Durations are in alpha. Raises InputError for a phase of any other form.
        """
        for phase in phases:
            _check_phase(phase)
        return Curriculum(*((phase[0], phase[-2], phase[-1]) for phase in phases))

    @staticmethod
    def single(level: str, duration: Any) -> "Curriculum":
        """Return the curriculum that shows one level throughout.

        Arguments: level: its name. duration: in alpha = samples / N.
        Raises InputError for a duration of 0 or less.
        """
        return Curriculum((level, level, duration))

    @staticmethod
    def mixed(shares: Mapping[str, Any], duration: Any) -> "Curriculum":
        """Return the curriculum that shows several levels in random order.

        Each sample is of level l with probability p_l, so that the drift is sum_l p_l f_l.

        Arguments: shares: {level: p_l}, of sum 1. duration: in alpha = samples / N.
        Raises InputError for shares that do not sum to 1, and for a duration of 0 or less.

        Example:
          >>> import teacher_student as ts
          >>> ts.Curriculum.mixed({"easy": 0.3, "hard": 0.7}, 10.0).phase_names()
          ('0.3 easy + 0.7 hard',)
        """
        return Curriculum((shares, shares, duration))

    @staticmethod
    def ramp(initial: Mixture, final: Mixture, duration: Any) -> "Curriculum":
        """Return the curriculum whose shares change linearly in alpha.

          p(alpha) = p_initial + (p_final - p_initial) alpha / duration

        Arguments: initial, final: a level, or shares {level: share}, at the beginning and at the end.
        duration: in alpha = samples / N.
        Raises InputError for shares that do not sum to 1, and for a duration of 0 or less.

        Example:
          >>> import teacher_student as ts
          >>> ts.Curriculum.ramp("easy", "hard", 10.0).shares(2.5).tolist()
          [0.75, 0.25]
        """
        return Curriculum((initial, final, duration))

    @staticmethod
    def ordered(order: "str | Sequence[str]", shares: Mapping[str, Any], duration: Any) -> "Curriculum":
        """Return a budget of `duration` in alpha, of which each level gets its share {level: share}, in a given order.

        Curricula that differ in `order` alone spend the same budget. Levels that the order leaves out are not shown,
        and the shares of the others grow to fill the budget. A phase of share 0 is left out.

        Arguments:
          order: the levels one after the other, such as ("easy", "hard"), or "mixed" for random order.
          shares: {level: share}, of sum 1. duration: of the whole budget, in alpha = samples / N.

        Raises InputError for an unknown or repeated level, and for shares that do not sum to 1.
        """
        names = tuple(shares) if order == "mixed" else (order,) if isinstance(order, str) else tuple(order)
        for name in names:
            require_name(name, shares, 'level in the order (or "mixed")')
        if len(set(names)) < len(names):
            raise InputError("each level once in the order", repr(order))
        duration = as_number(duration, "the budget's duration")
        amounts = as_row(shares.values(), "shares of levels")
        check_at_least(amounts, 0.0, "shares of levels")
        if is_known(amounts) and abs(np.sum(amounts) - 1) > 1e-9:
            raise InputError("shares of levels that sum to 1", f"a sum of {np.sum(amounts):.12g}")
        chosen = {name: amount for name, amount in zip(shares, amounts, strict=True) if name in names}
        total = sum(chosen.values())
        if is_known(total) and total <= 0:
            raise InputError("a share > 0 of some level in the order", dict(shares))
        if order == "mixed":
            return Curriculum.mixed({name: chosen[name] / total for name in names}, duration)
        present = [name for name in names if not is_known(chosen[name]) or chosen[name] > 0]
        return Curriculum.phases(*((name, duration * chosen[name] / total) for name in present))

    def __add__(self, other: "Curriculum") -> "Curriculum":
        """Return the phases of this curriculum, followed by those of the `other` one."""
        return Curriculum(*self._phases(), *other._phases())

    def _phases(self) -> list[tuple[Mixture, Mixture, Any]]:
        return [
            (
                dict(zip(self.level_names, self.initial_shares[p], strict=True)),
                dict(zip(self.level_names, self.final_shares[p], strict=True)),
                self.durations[p],
            )
            for p in range(self.durations.shape[0])
        ]

    @property
    def switches(self) -> Float[Numbers, "P"]:
        """The (P,) times at which the phases end, in alpha. The last one is the end of the curriculum."""
        cumsum = np.cumsum if is_known(self.durations) else jnp.cumsum
        return cumsum(self.durations)

    @property
    def end(self) -> Any:
        """The total duration, in alpha."""
        return self.switches[-1]

    def phase_names(self) -> tuple[str, ...]:
        """Return what a figure calls each phase: "easy", "0.3 easy + 0.7 hard" or "easy to hard"."""
        pairs = zip(self.initial_shares, self.final_shares, strict=True)
        return tuple(_phase_name(self.level_names, *pair) for pair in pairs)

    def in_text(self) -> str:
        """Say the phases in one line: "easy for 10, then hard for 5"."""
        return ", then ".join(
            f"{name} for {float(duration):g}" for name, duration in zip(self.phase_names(), self.durations, strict=True)
        )

    def _words(self) -> str:
        if not is_known((self.durations, self.initial_shares, self.final_shares)):
            return f"Curriculum({len(self.durations)} phases of numbers that are being traced)"
        return f"Curriculum({self.in_text()})"

    def _drawn(self) -> str:
        return strip_of_phases(self)

    def plot(self, ax: Any = None) -> "tuple[Figure, np.ndarray]":
        """Draw the share of every level against alpha, stacked.

        Example:
          >>> import teacher_student as ts
          >>> order = ts.Curriculum.phases(("easy", 10.0), ("easy", "hard", 5.0))
          >>> figure, axes = order.plot()
          >>> [text.get_text() for text in axes[0].get_legend().get_texts()]
          ['easy', 'hard']

        Arguments: ax: a matplotlib Axes to draw into. None: a new figure.
        Returns a matplotlib Figure and an array of its one Axes.
        Raises InputError for a curriculum of numbers that are being traced.
        """
        return plot(self, ax=ax)

    def shares_in(self, phase: Int[Array, ""], progress: Float[Array, ""]) -> Float[Array, "levels"]:
        """Return the shares (len(level_names),) of the levels inside one phase.

        Arguments: phase: () index of the phase. progress: () share of it that is done, in [0, 1].
        """
        first, last = jnp.asarray(self.initial_shares)[phase], jnp.asarray(self.final_shares)[phase]
        return first + progress * (last - first)

    def shares(self, alpha: Any) -> Float[Array, "levels"]:
        """Return the shares (len(level_names),) of the levels at time alpha = samples / N, in the order of the names.

        At a switch they are those of the later phase, and beyond the end they are those at the end.
        """
        switches = jnp.asarray(self.switches)
        durations = jnp.asarray(self.durations)
        phase = jnp.minimum(jnp.sum(switches <= alpha), switches.shape[0] - 1)
        begun, duration = switches[phase] - durations[phase], durations[phase]
        # The clip is for times beyond the end by rounding, at which the shares would leave [0, 1].
        progress = (alpha - begun) / jnp.where(duration > 0, duration, 1.0)  # a phase without samples has no inside
        return self.shares_in(phase, jnp.clip(progress, 0.0, 1.0))


def _check_phase(phase: Any) -> None:
    """Raise InputError for what is no phase; a list of phases, and a phase the wrong way round, are told so."""
    required, remedy = "each phase as (level or shares, duration) or (initial, final, duration)", ""
    is_phase = isinstance(phase, (tuple, list)) and len(phase) in (2, 3)
    if isinstance(phase, (tuple, list)) and phase and all(isinstance(one, (tuple, list)) for one in phase):
        is_phase, remedy = False, "give the phases as arguments: phases(*list)"
    elif is_phase and isinstance(phase[-1], (str, Mapping)) and not isinstance(phase[0], (str, Mapping)):
        is_phase, remedy = False, "level and duration are exchanged"
    if not is_phase:
        raise InputError(required, repr(phase), remedy)


def _mixture(mixture: Mixture) -> dict[str, Any]:
    if isinstance(mixture, str):
        return {mixture: 1.0}
    if not isinstance(mixture, Mapping) or not mixture:
        raise InputError("a level's name or {level: share, ...} in a curriculum", repr(mixture))
    return dict(mixture)


def _phase_name(
    names: tuple[str, ...], initial: Float[np.ndarray, "levels"], final: Float[np.ndarray, "levels"]
) -> str:
    def mixture(shares: Float[np.ndarray, "levels"]) -> str:
        present = [(name, share) for name, share in zip(names, shares, strict=True) if share > 0]
        if len(present) == 1:
            return present[0][0]
        return " + ".join(f"{share:.3g} {name}" for name, share in present)

    if np.array_equal(initial, final):
        return mixture(initial)
    return f"{mixture(initial)} to {mixture(final)}"
