"""Derivatives of H = nu . f along a trajectory: what every control is worth at every time."""

import dataclasses
from typing import Any

import numpy as np

from .._host_steps import shares_of_phase
from ._costates import Costates
from ._forward import along, nodes_of
from ._judge import Judge, leaves_of
from ._programs import NODES, hamiltonian_program, leaf_count, padded


@dataclasses.dataclass(frozen=True)
class Slopes:
    """Derivatives of H = nu . f at m times.

    Fields: alphas, weights, phases: (m,) times of quadrature, their weights, the phase each lies in. H: (m,).
    shares: (m, L). numbers: (m, leaves), in all numbers of the problem, flat.
    """

    alphas: np.ndarray
    weights: np.ndarray
    phases: np.ndarray
    H: np.ndarray
    shares: np.ndarray
    numbers: np.ndarray


def slopes(judge: Judge, solved: Costates) -> Slopes:
    """Return the derivatives of H at the nodes of the costate's steps: an integral of them is a derivative of J."""
    alphas, weights, phases = nodes_of(solved.pieces, judge.exact)
    return Slopes(alphas, weights, phases, *hamiltonian(judge, solved, alphas, phases))


def hamiltonian(
    judge: Judge, solved: Costates, alphas: np.ndarray, phases: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return H (m,), dH/dshares (m, L) and dH/dnumbers (m, leaves) at `alphas`, each in a phase of the curriculum."""
    problem = solved.path.problem
    leaves, structure, places, readers = leaves_of(judge, problem)
    count = leaf_count(structure)
    program = hamiltonian_program(structure, places, judge.points is None)
    curriculum = problem.curriculum_of_all_levels()
    of_phase = {int(phase): shares_of_phase(curriculum, int(phase)) for phase in np.unique(phases)}
    shares = np.stack([of_phase[int(phase)](alpha) for alpha, phase in zip(alphas, phases, strict=True)])
    states = along(solved.path.pieces, alphas)
    nus = along(solved.pieces, alphas)
    parts = []
    for first in range(0, alphas.size, NODES):
        some = slice(first, first + NODES)
        own: list[Any] = list(leaves[:count])
        for place, read in zip(places, readers, strict=True):
            values = np.stack([read(alpha) for alpha in alphas[some]])
            own[place] = padded(values)
        size = alphas[some].size
        rows = program(own, leaves[count:], *(padded(x[some]) for x in (shares, states, nus)), np.int64(size))
        parts.append([np.asarray(row)[:size] for row in rows])
    H, of_shares, of_numbers = (np.concatenate(column) for column in zip(*parts, strict=True))
    return H, of_shares, of_numbers
