"""Gaussian inputs whose dimensions come in blocks and whose samples come in difficulty levels."""

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import numpy as np
from jaxtyping import Float

from .._errors import InputError, about_entry, nearest
from .._fields import with_fields
from .._names import check_name
from .._numbers import as_number, as_row, check_at_least, check_finite, is_known
from .._public_module import PublicModule
from .._shapes import Numbers
from ._schedule import Schedule, ScheduledNumbers, ScheduledTable


class Inputs(PublicModule):
    """Gaussian inputs: the dimensions come in blocks b, and the samples come in difficulty levels l.

    An input dimension i of block b is distributed as

      x_i ~ N(0, Delta_{l,b}),      N_b = rho_b N dimensions in block b.

    A block of fraction 0 holds a finite number of directions: as many as the task has latents, which are taken from the
    other blocks. At finite N the sizes of the blocks are rounded to whole dimensions (see `sizes`).

    Arguments:
      fractions: block name -> rho_b >= 0. The fractions sum to 1.
      levels: level name -> (block name -> variance Delta_{l,b} >= 0). Without it there is one level, "all", of variance
        1. A variance may be a `ts.Schedule` of alpha.

    Raises InputError for unknown or missing names, for numbers out of range, and for fractions that do not sum to 1.
    Source: Saglietti, Sarao Mannelli, Saxe 2022, section 2, generalised to any number of blocks.

    Example:
      >>> import teacher_student as ts
      >>> variances = {"easy": {"relevant": 1.0, "irrelevant": 0.1}, "hard": {"relevant": 1.0, "irrelevant": 1.0}}
      >>> inputs = ts.Inputs({"relevant": 0.3, "irrelevant": 0.7}, variances)
      >>> inputs.level_names
      ('easy', 'hard')
      >>> inputs.sizes(100, latents=2)
      (30, 70)
    """

    block_names: tuple[str, ...] = eqx.field(static=True)
    level_names: tuple[str, ...] = eqx.field(static=True)
    fractions: Float[Numbers, "B"]
    variances: ScheduledTable

    def __init__(self, fractions: Mapping[str, Any], levels: Mapping[str, Mapping[str, Any]] | None = None):
        if not isinstance(fractions, Mapping) or not fractions:
            raise InputError("fractions as block name -> share of the N dimensions", repr(fractions))
        self.block_names = tuple(fractions)
        if levels is None:
            levels = {"all": dict.fromkeys(self.block_names, 1.0)}
        if not isinstance(levels, Mapping) or not levels:
            raise InputError("levels as level name -> (block name -> variance)", repr(levels))
        self.level_names = tuple(levels)
        self.fractions = as_row(fractions.values(), "fractions")
        self.variances = ScheduledNumbers.of([self._row(name, row) for name, row in levels.items()], "variances")
        self._check()

    def _shown(self) -> list[tuple[str, Any]]:
        return [("fractions", dict(zip(self.block_names, self.fractions, strict=True))), ("levels", self.rows())]

    def rows(self) -> dict[str, dict[str, Any]]:
        """Return the variances by level and block: numbers, or schedules."""
        table, scheduled = self.variances, isinstance(self.variances, ScheduledNumbers)
        return {
            level: {
                block: table.entry(i, j) if scheduled else table[..., i, j] for j, block in enumerate(self.block_names)
            }
            for i, level in enumerate(self.level_names)
        }

    def _row(self, level: str, row: Mapping[str, Any]) -> list[Any]:
        if not isinstance(row, Mapping):
            raise InputError(f"variances of level {level!r} as block name -> variance", repr(row))
        for block in row:
            if block not in self.block_names:
                raise InputError(
                    f"variances of known blocks in level {level!r}", repr(block), nearest(block, self.block_names)
                )
        for block in self.block_names:
            if block not in row:
                raise InputError(f"a variance of block {block!r} in level {level!r}", f"only {sorted(row)}")
        return [
            x if isinstance(x, Schedule) else as_number(x, f"variances of level {level!r}")
            for x in (row[block] for block in self.block_names)
        ]

    def _check(self) -> None:
        for kind, names in (("block", self.block_names), ("level", self.level_names)):
            for name in names:
                check_name(name, kind)
        with about_entry("fractions"):
            check_at_least(self.fractions, 0.0, "fractions")
        # Schedules are looked at where the time is known over which they are read, in a Problem.
        numbers = self.variances.numbers if isinstance(self.variances, ScheduledNumbers) else self.variances
        with about_entry("levels"):
            check_finite(numbers, "variances")
        # Fractions such as 0.1, 0.2 and 0.7 sum to 1 up to rounding only.
        if is_known(self.fractions) and abs(float(np.sum(self.fractions)) - 1.0) > 1e-9:
            shares = dict(zip(self.block_names, self.fractions.tolist(), strict=True))
            raise InputError("fractions that sum to 1", f"a sum of {float(np.sum(self.fractions)):.12g} of {shares}")
        if is_known(numbers) and np.any(numbers < 0):
            row, column = np.argwhere(numbers < 0)[0]
            level, block = self.level_names[row], self.block_names[column]
            with about_entry("levels", level, block):
                required = f"a variance >= 0 of block {block!r} in level {level!r}"
                raise InputError(required, float(numbers[row, column]))

    def unnamed(self) -> "Inputs":
        """Return the same inputs with numbers for the names of blocks and levels.

        Programs are compiled for structure alone, so that other names need no other program.
        """
        blocks, levels = (tuple(map(str, range(len(names)))) for names in (self.block_names, self.level_names))
        return with_fields(self, block_names=blocks, level_names=levels)

    def sizes(self, dim: int, latents: int) -> tuple[int, ...]:
        """Return the dimensions N_b of each block for the total dimension `dim` = N. They sum to N.

        A block of fraction 0 gets `latents` dimensions, which is room for the directions of the teacher or the mixture.
        The other blocks get their share of the rest, rounded by largest remainder. A block whose share is a whole
        number of dimensions may have fewer than there are latents, as a single direction of a spectrum has: T^b then
        has the rank of the block.

        Raises InputError if another block would get fewer dimensions than there are latents.
        """
        fractions = np.asarray(self.fractions)
        finite = fractions == 0
        rest = dim - latents * int(finite.sum())
        exact = fractions * max(rest, 0)
        # A whole number of dimensions may come out too small by rounding, such as 0.29 * 100 = 28.999999999999996.
        sizes = np.floor(exact + 1e-9).astype(int)
        # Of blocks with equal remainders the first one is served first, so that sizes do not depend on the sorting.
        for block in np.argsort(-(exact - sizes), kind="stable")[: max(rest, 0) - int(sizes.sum())]:
            sizes[block] += 1
        sizes[finite] = latents
        meant = ~finite & (sizes >= 1) & (abs(exact - sizes) < 1e-9 * dim)  # 1/800 * 800 is 1 up to rounding
        too_small = (sizes < max(latents, 1)) & ~meant
        if np.any(too_small):
            smallest = int(np.argmin(np.where(too_small, sizes, dim)))
            raise InputError(
                f"a dimension N with at least {max(latents, 1)} dimensions (one per latent direction) in every block",
                f"N = {dim}, {max(int(sizes[smallest]), 0)} in block {self.block_names[smallest]!r}",
                "raise the dimension",
            )
        return tuple(int(size) for size in sizes)
