"""The expansion in 1/N along a trajectory, stepped from the host: one compiled field, one compiled read-out."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import PyTreeDef

from teacher_student import Fluctuations, Observables, Overlaps, Problem
from teacher_student.internal import with_level_names

from ._compiled import PROGRAMS, QUICK, at_shares, bare, largest_norm, operands, pack, unpack
from ._diffusion import one_test
from ._expansion import Expansion, expansion_field, propagate
from ._host_solve import largest_allowed_norm
from ._host_steps import Bounds, StepTolerances, integrate_from_host
from ._method import Method, Tolerances
from ._outcome import mean_and_error
from .averages import FixedSample


def expand_from_host(
    problem: Problem, start: Overlaps, alphas: np.ndarray, samples: FixedSample, method: Method, tolerances: Tolerances
) -> Fluctuations:
    """Return the fluctuations at `alphas`: means over scramblings (leading axis of `samples`) and standard errors."""
    parts = [
        _expand(problem, start, alphas, jax.tree.map(lambda x, i=i: x[i], samples), method, tolerances)
        for i in range(len(samples.normals))
    ]
    covariance, variance, shift, test = jax.tree.map(lambda *x: np.stack(x), *parts)
    (variance, variance_error), (shift, shift_error) = mean_and_error(variance), mean_and_error(shift)
    return Fluctuations(covariance.mean(axis=0), variance, shift, mean_and_error(test)[0], variance_error, shift_error)


def _expand(
    problem: Problem, start: Overlaps, alphas: np.ndarray, sample: FixedSample, method: Method, tolerances: Tolerances
) -> tuple[np.ndarray, Observables, Observables, Observables]:
    """Return covariance (A, n, n), variance, shift and one test sample's variance under one scrambling."""
    leaves, structure = operands((bare(problem), sample, method.formula))
    field, read_out = _field_program(structure), _read_out_program(structure, method.with_accuracy)
    y, sizes = _start(start)
    path = integrate_from_host(
        lambda shares, y: np.asarray(field(leaves, shares, y)),
        problem.curriculum_of_all_levels(),
        y,
        alphas,
        _step_tolerances(tolerances, sizes),
        Bounds(largest_allowed_norm(start, tolerances.bound), largest_norm(problem), tolerances.max_steps),
        high_order=False,  # the tolerances are loose, and steps that end on recorded alphas short
    )
    read = [jax.tree.map(np.asarray, read_out(leaves, state)) for state in path.states]
    variance, shift, test = jax.tree.map(lambda *x: np.stack(x), *read)
    n = sizes[2]
    covariance = path.states[:, sizes[0] : sizes[0] + n * n].reshape(-1, n, n)
    variance, shift, test = (with_level_names(seen, problem) for seen in (variance, shift, test))
    return covariance, variance, shift, test


def _start(start: Overlaps) -> tuple[np.ndarray, tuple[int, int, int]]:
    """Return the packed expansion of runs that all start alike, and the sizes of its parts.

    The parts are overlaps, covariance and shift.
    """
    overlaps = pack(start)
    B, K, M = np.shape(start.R)
    n = B * K * (K + 1) // 2 + B * K * M + K
    return np.concatenate([overlaps, np.zeros(n * n + n)]), (overlaps.size, n * n, n)


def _step_tolerances(tolerances: Tolerances, sizes: tuple[int, int, int]) -> StepTolerances:
    """Return tolerances under which the root mean square of each part alone is kept below 1.

    SciPy takes the mean over all entries, in which the covariance's many would dilute the overlaps' error: a part with
    a share p of all entries gets sqrt(p) of the tolerance.
    """
    share = np.repeat(np.sqrt(np.array(sizes) / np.sum(sizes)), sizes)
    return StepTolerances(tolerances.rtol * share, tolerances.atol * share)


def _unpacked(y: Any, shape: tuple[int, int, int]) -> Expansion:
    B, K, M = shape
    n = B * K * (K + 1) // 2 + B * K * M + K
    first = y.size - n * n - n
    return Expansion(unpack(y[:first], shape), y[first:-n].reshape(n, n), y[-n:])


@functools.lru_cache(maxsize=PROGRAMS)
def _field_program(structure: PyTreeDef) -> Callable[..., jax.Array]:
    """Return the compiled field of the expansion, of shares (L,) and a packed state."""

    # Not QUICK: it is called a thousand times, and LLVM's optimisations make each call three times as fast.
    @jax.jit
    def field(leaves: list[jax.Array], shares: jax.Array, y: jax.Array) -> jax.Array:
        problem, sample, formula = jax.tree.unflatten(structure, leaves)
        slope = expansion_field(at_shares(problem, shares), sample, formula, 0.0, _unpacked(y, problem.shape))
        moved = slope.overlaps
        parts = (moved.Q, moved.R, moved.T, moved.readout, slope.covariance, slope.shift)
        return jnp.concatenate([x.ravel() for x in parts])

    return field


@functools.lru_cache(maxsize=PROGRAMS)
def _read_out_program(
    structure: PyTreeDef, with_accuracy: bool
) -> Callable[..., tuple[Observables, Observables, Observables]]:
    """Return the compiled variance, shift and one-test variance of every quantity at a packed state."""

    @functools.partial(jax.jit, compiler_options=QUICK)
    def read_out(leaves: list[jax.Array], y: jax.Array) -> tuple[Observables, Observables, Observables]:
        problem, sample, _ = jax.tree.unflatten(structure, leaves)
        state = _unpacked(y, problem.shape)
        test = one_test(problem, sample, state.overlaps, with_accuracy)
        return (*propagate(problem, sample, state, with_accuracy), test)

    return read_out
