"""What of a problem a program is compiled for: its structure, without the names and without the lengths that vary.

Two problems that differ in the names of levels and blocks, or in the number and order of phases, run through one
compiled program. So names become numbers, every curriculum speaks of all levels in the task's own order, and its phases
are filled up to one of a few counts with phases that last no time.
"""

import numpy as np

from .._fields import with_fields
from ..problem import Curriculum, Problem, with_values
from ._observables import Observables

FEWEST_PHASES = 8  # a program is compiled for 8, 32, 128 ... phases


def unnamed(problem: Problem) -> Problem:
    """Return `problem` with numbers for names and its phases filled up; what is learned stays the same.

    Level i is called str(i). Arguments: a problem whose curriculum is known (not being traced).
    """
    task = problem.task.unnamed()
    return with_fields(problem, task=task, curriculum=_of_all_levels(problem, task.inputs.level_names))


def with_filled_schedules(problem: Problem) -> Problem:
    """Return `problem` with the phases of its schedules filled up, so that their number needs no program of its own.

    Arguments: a problem whose schedules are known (not being traced).
    """
    return with_values(problem, lambda schedule: schedule.filled(filled_length))


def with_level_names(observables: Observables, problem: Problem) -> Observables:
    """Return observables of the nameless problem under the names that `problem` gives its levels."""
    names = list(zip(problem.task.unnamed().inputs.level_names, problem.inputs.level_names, strict=True))
    error, accuracy = (
        {name: values[number] for number, name in names if number in values}
        for values in (observables.error, observables.accuracy)
    )
    return Observables(observables.overlaps, error, accuracy)


def filled_length(count: int, fewest: int = FEWEST_PHASES) -> int:
    """Return the length that a list of `count` entries is filled up to: the least fewest * 4^n that holds them."""
    length = fewest
    while length < count:
        length *= 4
    return length


def _of_all_levels(problem: Problem, names: tuple[str, ...]) -> Curriculum:
    """Return the curriculum with one column for each level of the task, and phases without duration at its end."""
    curriculum = problem.curriculum_of_all_levels()
    more = filled_length(np.shape(curriculum.durations)[-1]) - np.shape(curriculum.durations)[-1]
    # What is added lies at the end, with the last shares: whoever asks for the shares there gets the same answer.
    last = np.repeat(curriculum.final_shares[..., -1:, :], more, axis=-2)
    none = np.zeros((*np.shape(curriculum.durations)[:-1], more))
    return with_fields(
        curriculum,
        level_names=names,
        durations=np.concatenate([curriculum.durations, none], axis=-1),
        initial_shares=np.concatenate([curriculum.initial_shares, last], axis=-2),
        final_shares=np.concatenate([curriculum.final_shares, last], axis=-2),
    )
