"""In which order the jobs of a sweep are done: the first ones are a fair sample of all, of the cheap and the dear ones.

In the order of the grid the cells of small widths and short curricula would come first, theory before all simulation,
and nobody could say how long the rest takes. And a picture of a sweep that is half done shows the whole map.
"""

import itertools
from collections.abc import Hashable, Iterable, Sequence
from typing import TypeVar

from ._axes import Axis
from ._spec import Sweep

Item = TypeVar("Item")
GOLDEN = (5**0.5 - 1) / 2  # multiples of it, modulo 1, fill the unit interval evenly at every length
MOST_STRUCTURES = 32  # whose programs a process keeps at once; beyond about a hundred some are dropped
WITHOUT_STRUCTURE = ("seed", "start.number")  # integers that change no compiled program


def structural_axes(sweep: Sweep) -> list[int]:
    """Return the numbers of the axes that may change what is compiled: not those of real numbers or of seeds."""
    return [number for number, axis in enumerate(sweep.axes) if axis.choices or _is_structural(axis)]


def _is_structural(axis: Axis) -> bool:
    columns = zip(axis.keys, zip(*axis.values, strict=True), strict=True)
    return any(
        key not in WITHOUT_STRUCTURE and not all(isinstance(value, float) for value in values)
        for key, values in columns
    )


def spread(items: Iterable[Item]) -> list[Item]:
    """Return the items in an order in which every beginning is spread evenly over all of them."""
    return [item for _, item in sorted(enumerate(items), key=lambda pair: pair[0] * GOLDEN % 1)]


def in_fair_order(jobs: Iterable[Item], structures: Sequence[Hashable]) -> list[Item]:
    """Return jobs spread over the whole grid; those of one structure together where there are many structures.

    Arguments: structures: of each job, what its programs are compiled for.
    """
    if len(set(structures)) <= MOST_STRUCTURES:
        return spread(jobs)
    groups: dict[Hashable, list[Item]] = {}
    for job, structure in zip(jobs, structures, strict=True):
        groups.setdefault(structure, []).append(job)
    return list(itertools.chain.from_iterable(spread(group) for group in spread(groups.values())))
