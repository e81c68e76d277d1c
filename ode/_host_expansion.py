"""The expansion in 1/N along a trajectory, stepped from the host: one compiled field, one compiled read-out."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import PyTreeDef

from teacher_student import Curriculum, Directions, Fluctuations, JointLaw, Overlaps, Problem, Responses, entry_names
from teacher_student.internal import joined, single_schedules, with_fields, with_level_names

from ._compiled import PROGRAMS, QUICK, bare, largest_norm, operands
from ._curriculum_responses import all_increments
from ._expansion import ReadOut, expansion_field, read_out
from ._host_solve import largest_allowed_norm
from ._host_steps import Bounds, ends_before, integrate_from_host, jumps_of
from ._method import Method, Tolerances
from ._outcome import mean_and_error
from ._packed_expansion import ExpansionSizes, packed_entries, step_tolerances, unpacked_expansion
from ._responses import Moves, entries_of_directions, observed_responses
from .averages import FixedSample


class _Expanded(NamedTuple):
    """What one scrambling of the points says: law and responses, and the read-out at every recorded alpha."""

    covariance: np.ndarray
    law: JointLaw
    responses: Responses
    read: ReadOut


def expand_from_host(
    problem: Problem,
    start: Overlaps,
    start_covariance: np.ndarray | None,
    alphas: np.ndarray,
    samples: FixedSample,
    method: Method,
    tolerances: Tolerances,
) -> Fluctuations:
    """Return the fluctuations at `alphas`: means over scramblings (leading axis of `samples`) and standard errors."""
    directions = Directions.of(problem, start)
    Sigma = np.zeros((len(entry_names(problem)),) * 2) if start_covariance is None else start_covariance
    parts = [
        _expand(
            problem, start, Sigma, alphas, jax.tree.map(lambda x, i=i: x[i], samples), directions, method, tolerances
        )
        for i in range(len(samples.normals))
    ]
    covariance, laws, responses, read = jax.tree.map(lambda *x: np.stack(x), *parts)
    (variance, of_variance), (shift, of_shift) = mean_and_error(read.variance), mean_and_error(read.shift)
    states = np.concatenate([read.entries, read.observed], axis=-1)
    return Fluctuations(
        covariance.mean(axis=0),
        variance,
        shift,
        mean_and_error(read.test)[0],
        of_variance.standard,
        of_shift.standard,
        laws,
        responses,
        None if len(states) == 1 else states - states.mean(axis=0),
        start_covariance,
    )


def _expand(
    problem: Problem,
    start: Overlaps,
    start_covariance: np.ndarray,
    alphas: np.ndarray,
    sample: FixedSample,
    directions: Directions,
    method: Method,
    tolerances: Tolerances,
) -> _Expanded:
    """Return the expansion under one scrambling."""
    curriculum = problem.curriculum_of_all_levels()
    moves = Moves.of(directions, curriculum.initial_shares.shape[-1])
    sizes = ExpansionSizes.of(problem.shape, len(moves.shares) + moves.shares.shape[-1])
    leaves, structure = operands((bare(problem), sample, method.formula, moves))
    field, read_out_of = _field_program(structure), _read_out_program(structure, method.with_accuracy)
    # A piece ends at every recorded alpha and at every switch, where a phase's duration moves the state at once.
    jumps, clocks = jumps_of(problem), len(single_schedules(problem))
    ends, recorded = _ends(curriculum, jumps, alphas)
    path = integrate_from_host(
        lambda alpha, shares, y: np.asarray(field(leaves, np.full(clocks, alpha), shares, y)),
        _with_progress(curriculum),
        sizes.packed(start, start_covariance),
        ends,
        step_tolerances(tolerances, sizes.each),
        Bounds(largest_allowed_norm(start, tolerances.bound), largest_norm(problem), tolerances.max_steps),
        high_order=False,  # the tolerances are loose, and steps that end on recorded alphas short
        go_on_from=sizes.anew,
        jumps=jumps,
    )
    read = jax.tree.map(
        lambda *x: np.stack(x),
        *(read_out_of(leaves, alpha, y) for alpha, y in zip(alphas, path.states[recorded], strict=True)),
    )
    pieces = [sizes.parts(y) for y in path.states]
    propagator, innovation, columns = (np.stack([part[i] for part in pieces]) for i in (3, 4, 5))

    def drift_at(piece: int, times: np.ndarray, shares: np.ndarray) -> np.ndarray:
        slope = np.asarray(field(leaves, times, np.append(shares, 0.0), path.states[piece]))
        return packed_entries(slope[: sizes.overlaps], problem.shape)

    increment = all_increments(columns, directions, problem, ends, drift_at)
    increment[0] += propagator[0] @ entries_of_directions(directions).T
    innovation[0] += propagator[0] @ start_covariance @ propagator[0].T
    joint = joined(propagator, innovation, increment, recorded)
    responses = Responses(directions.names, directions.values, joint[2], observed_responses(read.moved, directions))
    read = read._replace(
        **{name: with_level_names(getattr(read, name), problem) for name in ("variance", "shift", "test")}
    )
    covariance = np.stack([pieces[i][1] for i in recorded])
    return _Expanded(covariance, JointLaw(joint[0], joint[1], read.slope, read.test_covariance), responses, read)


def _ends(curriculum: Curriculum, jumps: np.ndarray, alphas: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the alphas at which pieces end, recorded ones, switches and jumps, and where the recorded ones are."""
    ends = np.union1d(alphas, ends_before(alphas[-1], np.asarray(curriculum.switches, float), jumps))
    return ends, np.searchsorted(ends, alphas)


def _with_progress(curriculum: Curriculum) -> Curriculum:
    """Return a curriculum with one more column in its shares: which part of the phase is done, from 0 to 1."""
    first, last = curriculum.initial_shares, curriculum.final_shares
    return with_fields(
        curriculum,
        level_names=(*curriculum.level_names, "progress"),
        initial_shares=np.column_stack([first, np.zeros(len(first))]),
        final_shares=np.column_stack([last, np.ones(len(last))]),
    )


@functools.lru_cache(maxsize=PROGRAMS)
def _field_program(structure: PyTreeDef) -> Callable[..., jax.Array]:
    """Return the compiled field of the expansion.

    Its arguments are the time at which each schedule is read, the shares (L,) with the progress in the phase behind
    them, and a packed state.
    """

    # Not QUICK: it is called a thousand times, and LLVM's optimisations make each call three times as fast.
    @jax.jit
    def field(leaves: list[jax.Array], times: jax.Array, shares_and_progress: jax.Array, y: jax.Array) -> jax.Array:
        problem, sample, formula, moves = jax.tree.unflatten(structure, leaves)
        shares, progress = shares_and_progress[:-1], shares_and_progress[-1]
        state = unpacked_expansion(y, ExpansionSizes.of(problem.shape, len(moves.shares) + moves.shares.shape[-1]))
        slope = expansion_field(problem, sample, formula, moves, times, shares, progress, state)
        moved = slope.overlaps
        overlaps = (moved.Q, moved.R, moved.T, moved.readout)
        rest = (slope.covariance, slope.shift, slope.propagator, slope.innovation, slope.responses)
        return jnp.concatenate([jnp.ravel(x) for x in (*overlaps, *rest)])

    return field


@functools.lru_cache(maxsize=PROGRAMS)
def _read_out_program(structure: PyTreeDef, with_accuracy: bool) -> Callable[..., ReadOut]:
    """Return the compiled read-out of a packed state at an alpha."""

    @functools.partial(jax.jit, compiler_options=QUICK)
    def compiled(leaves: list[jax.Array], alpha: jax.Array, y: jax.Array) -> ReadOut:
        problem, sample, _, moves = jax.tree.unflatten(structure, leaves)
        state = unpacked_expansion(y, ExpansionSizes.of(problem.shape, len(moves.shares) + moves.shares.shape[-1]))
        return read_out(problem, sample, moves, alpha, state, with_accuracy)

    return compiled
