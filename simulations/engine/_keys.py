"""Keys of runs: made a fixed number at a time and kept on the host, so that no program is compiled for their number."""

from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from teacher_student import Overlaps, Problem, random_overlaps
from teacher_student.internal import as_key

KEYS_TOGETHER = 32  # keys that one call makes, whatever the number of runs
START_NUMBERS = 2**22  # of the Gram matrices of starts that are drawn together: wide students' are drawn one by one


class Keys(eqx.Module):
    """Words (..., n) of JAX keys, as a NumPy array, and their kind.

    A JAX array of keys would be compiled for whenever another number of them is indexed or wrapped outside of `jit`.
    """

    words: Any
    kind: Any = eqx.field(static=True)

    def __getitem__(self, index: Any) -> "Keys":
        return Keys(self.words[index], self.kind)

    def wrapped(self) -> jax.Array:
        """Return the JAX keys; for use inside a compiled function."""
        keys: jax.Array = jax.random.wrap_key_data(self.words, impl=self.kind)
        return keys


def run_keys(key: Any, runs: int) -> Keys:
    """Return the keys (runs, 4) of each run: of its start overlaps, start weights, samples and test samples.

    Run r's follow from `key` and r alone, whatever the number of runs.
    """
    key = as_key(key)
    chunks = [np.asarray(_chunk(key, np.int32(first), KEYS_TOGETHER)[1]) for first in range(0, runs, KEYS_TOGETHER)]
    return Keys(np.concatenate(chunks)[:runs], jax.random.key_impl(key))


def random_starts(problem: Problem, dim: int, key: Any, runs: int) -> Overlaps:
    """Draw `random_overlaps` of each run (leading axis), a fixed number of runs at a time."""
    key, width = as_key(key), sum(problem.shape[1:])
    size = max(1, min(KEYS_TOGETHER, START_NUMBERS // (problem.shape[0] * width**2)))
    draws = [random_overlaps(problem, dim, _chunk(key, np.int32(first), size)[0]) for first in range(0, runs, size)]
    starts: Overlaps = jax.tree.map(lambda *x: np.concatenate(x)[:runs], *draws)
    return starts


@partial(jax.jit, static_argnames="size")
def _chunk(key: jax.Array, first: Any, size: int) -> tuple[jax.Array, jax.Array]:
    """Return the keys of the starts of runs `first` ... (size,), and the words of all their keys (size, 4, n)."""
    keys = jax.vmap(lambda r: jax.random.split(jax.random.fold_in(key, r), 4))(first + jnp.arange(size, dtype="int32"))
    return keys[:, 0], jax.random.key_data(keys)
