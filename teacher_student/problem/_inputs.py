"""Gaussian inputs whose dimensions come in blocks and whose samples come in difficulty levels."""

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import numpy as np
from jaxtyping import Float

from .._errors import InputError, nearest
from .._fields import with_fields
from .._names import check_name
from .._numbers import as_numbers, as_row, check_at_least, check_finite, is_known
from .._public_module import PublicModule
from .._shapes import Numbers


class Inputs(PublicModule):
    """Gaussian inputs: the dimensions come in blocks b, and the samples come in difficulty levels l.

    An input dimension i of block b is distributed as

      x_i ~ N(0, Delta_{l,b}),      N_b = rho_b N dimensions in block b.

    A block of fraction 0 holds a finite number of directions: as many as the task has latents, which are taken from the
    other blocks. At finite N the sizes of the blocks are rounded to whole dimensions (see `sizes`).

    Arguments:
      fractions: block name -> rho_b >= 0. The fractions sum to 1.
      levels: level name -> (block name -> variance Delta_{l,b} >= 0). Without it there is one level, "all", of variance
        1.

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
    variances: Float[Numbers, "L B"]

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
        self.variances = as_numbers([self._row(name, row) for name, row in levels.items()], "variances")
        self._check()

    def _shown(self) -> list[tuple[str, Any]]:
        levels = {
            level: dict(zip(self.block_names, row, strict=True))
            for level, row in zip(self.level_names, self.variances, strict=True)
        }
        return [("fractions", dict(zip(self.block_names, self.fractions, strict=True))), ("levels", levels)]

    def _row(self, level: str, row: Mapping[str, Any]) -> Any:
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
        return as_row((row[block] for block in self.block_names), f"variances of level {level!r}")

    def _check(self) -> None:
        for kind, names in (("block", self.block_names), ("level", self.level_names)):
            for name in names:
                check_name(name, kind)
        check_at_least(self.fractions, 0.0, "fractions")
        check_finite(self.variances, "variances")
        # Fractions such as 0.1, 0.2 and 0.7 sum to 1 up to rounding only.
        if is_known(self.fractions) and abs(float(np.sum(self.fractions)) - 1.0) > 1e-9:
            shares = dict(zip(self.block_names, self.fractions.tolist(), strict=True))
            raise InputError("fractions that sum to 1", f"a sum of {float(np.sum(self.fractions)):.12g} of {shares}")
        if is_known(self.variances) and np.any(self.variances < 0):
            level, block = np.argwhere(self.variances < 0)[0]
            raise InputError(
                f"a variance >= 0 of block {self.block_names[block]!r} in level {self.level_names[level]!r}",
                float(self.variances[level, block]),
            )

    def unnamed(self) -> "Inputs":
        """Return the same inputs with numbers for the names of blocks and levels.

        Programs are compiled for structure alone, so that other names need no other program.
        """
        blocks, levels = (tuple(map(str, range(len(names)))) for names in (self.block_names, self.level_names))
        return with_fields(self, block_names=blocks, level_names=levels)

    def sizes(self, dim: int, latents: int) -> tuple[int, ...]:
        """Return the dimensions N_b of each block for the total dimension `dim` = N. They sum to N.

        A block of fraction 0 gets `latents` dimensions, which is room for the directions of the teacher or the mixture.
        The other blocks get their share of the rest, rounded by largest remainder.

        Raises InputError if a block would get fewer dimensions than there are latents.
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
        if np.any(sizes < max(latents, 1)):
            small = self.block_names[int(np.argmin(sizes))]
            raise InputError(
                f"a dimension N with at least {max(latents, 1)} dimensions (one per latent direction) in every block",
                f"N = {dim}, {max(int(sizes.min()), 0)} in block {small!r}",
                "raise the dimension",
            )
        return tuple(int(size) for size in sizes)
