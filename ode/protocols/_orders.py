"""Orders of levels that have a name: the ones that every protocol is compared with, and that searches start from."""

from __future__ import annotations

import itertools

import numpy as np

from teacher_student import Curriculum, Problem

from ._order_moves import OrderMoves

MOST_ORDERS = 6  # all orders of three levels


def level_totals(problem: Problem, levels: tuple[str, ...]) -> dict[str, float]:
    """Return the share of the whole run that each level has in the problem's own curriculum."""
    own = problem.curriculum
    durations = np.asarray(own.durations, float)
    amounts = durations @ (np.asarray(own.initial_shares, float) + np.asarray(own.final_shares, float)) / 2
    by_name = dict(zip(own.level_names, (amounts / durations.sum()).tolist(), strict=True))
    return {level: by_name.get(level, 0.0) for level in levels}


def named_orders(totals: dict[str, float], end: float) -> dict[str, Curriculum]:
    """Return mixed order, and every order of the levels that have a share: "easy, hard", "hard, easy", "mixed".

    Of more than three levels, the given order and its reverse.
    """
    shown = {level: share for level, share in totals.items() if share > 1e-12}
    if len(shown) < 2:
        return {f"{level} only": Curriculum.single(level, end) for level in shown}
    total = sum(shown.values())
    shown = {level: share / total for level, share in shown.items()}
    orders = list(itertools.permutations(shown))
    if len(orders) > MOST_ORDERS:
        orders = [orders[0], orders[-1]]
    named = {", ".join(order): Curriculum.ordered(order, shown, end) for order in orders}
    return named | {"mixed": Curriculum.mixed(shown, end)}


def interleaved_orders(totals: dict[str, float], end: float) -> dict[str, Curriculum]:
    """Return orders that begin and end with the same level, "easy, hard, easy", as further starts of a search."""
    shown = [level for level, share in totals.items() if share > 1e-12]
    if len(shown) != 2:
        return {}
    found = {}
    for outer, inner in (shown, shown[::-1]):
        half, whole = totals[outer] * end / 2, totals[inner] * end
        found[f"{outer}, {inner}, {outer}"] = Curriculum.phases((outer, half), (inner, whole), (outer, half))
    return found


def shares_in_phases(curriculum: Curriculum, levels: tuple[str, ...], durations: np.ndarray) -> np.ndarray:
    """Return the mean shares (P, levels) of a curriculum of constant phases in phases of other durations, exactly."""
    ends = np.concatenate([[0.0], np.cumsum(durations)])
    own = np.concatenate([[0.0], np.asarray(curriculum.switches, float)])
    first, last = (np.asarray(x, float) for x in (curriculum.initial_shares, curriculum.final_shares))
    amounts = np.zeros((len(durations), len(levels)))
    for p, (begin, end) in enumerate(itertools.pairwise(own)):
        overlap = np.clip(np.minimum(ends[1:], end) - np.maximum(ends[:-1], begin), 0.0, None)
        for name, share in zip(curriculum.level_names, (first[p] + last[p]) / 2, strict=True):
            if name in levels:
                amounts[:, levels.index(name)] += overlap * share
    shares: np.ndarray = amounts / durations[:, None]
    return shares


def variables_of(moves: OrderMoves, curriculum: Curriculum) -> np.ndarray:
    """Return the variables under which the control is nearest to a curriculum (least squares)."""
    x = moves.initial
    if np.any(moves.durations.slope):
        wanted = _durations_like(moves, curriculum)
        return np.asarray(np.linalg.lstsq(moves.durations.slope, wanted - moves.durations.base, rcond=None)[0])
    shares = shares_in_phases(curriculum, moves.levels, moves.durations(x))
    table = (moves.initial_shares.slope + moves.final_shares.slope).reshape(-1, x.size) / 2
    base = (moves.initial_shares.base + moves.final_shares.base).ravel() / 2
    found = np.linalg.lstsq(table, shares.ravel() - base, rcond=None)[0]
    return np.asarray(np.clip(found, moves.lower, moves.upper))


def _durations_like(moves: OrderMoves, curriculum: Curriculum) -> np.ndarray:
    """Return durations of given phases, by which each level is shown as long as in the curriculum."""
    x = moves.initial
    base = moves.initial_shares.base
    totals = level_totals_of(curriculum, moves.levels) * float(curriculum.end)
    kinds = base.argmax(axis=1)
    counts = np.bincount(kinds, minlength=len(moves.levels))
    durations = totals[kinds] / np.maximum(counts[kinds], 1)
    whole = float(moves.durations(x).sum())
    scaled: np.ndarray = durations * whole / max(durations.sum(), 1e-300)
    return scaled


def level_totals_of(curriculum: Curriculum, levels: tuple[str, ...]) -> np.ndarray:
    """Return the share of the whole run that each level has in a curriculum."""
    totals: np.ndarray = shares_in_phases(curriculum, levels, np.array([float(curriculum.end)]))[0]
    return totals
