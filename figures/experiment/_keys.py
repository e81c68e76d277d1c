"""The JAX keys that a comparison draws with; all follow from its one seed."""

from __future__ import annotations  # types are not looked up, which would load JAX before a file is checked

from typing import TYPE_CHECKING

from teacher_student import internal

if TYPE_CHECKING:
    import jax

PURPOSES = ("start", "averages", "runs", "smaller runs", "searches")


def key_for(purpose: str, seed: int, number: int | None = None) -> jax.Array:
    """Return the key of a seed for "start", "averages", "runs", "smaller runs" or "searches".

    Arguments: number: which of the seed's independent starts and runs (`start.number` of a file). Raises InputError.
    """
    import jax

    # By the place in PURPOSES: another order would change the numbers of every seed.
    key = jax.random.fold_in(internal.as_key(seed), PURPOSES.index(purpose))
    if number is None or purpose == "averages":  # an ensemble is solved with the same points
        return key
    return jax.random.fold_in(key, number)


def run_keys(count: int, seed: int, number: int | None = None) -> tuple[jax.Array, ...]:
    """Return the keys of the simulations at `count` dimensions, the larger dimension first."""
    return tuple(key_for(purpose, seed, number) for purpose in ("runs", "smaller runs")[:count])
