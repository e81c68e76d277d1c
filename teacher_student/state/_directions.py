"""Every number of a problem and of its start, by name, with the direction in which the rest moves when it changes.

A verdict asks of each number by how much it would have to differ for theory to give what was simulated. A direction is
the derivative of problem and start with respect to one number: 1 at the number itself, and what a sum rule or a scaling
moves along with it.
"""

from typing import Any

import equinox as eqx
import jax
import numpy as np

from .._fields import with_fields
from .._public_module import PublicModule
from .._usable_memory import ALWAYS_THERE, require_memory
from ..problem import Committee, Mixture, Problem, ScheduledNumbers, is_schedule
from ._overlaps import Overlaps
from ._schedule_directions import label_in_schedule, rows_of_array, rows_of_schedule

OF_LEVELS = {"task.readout": 2, "task.noise": 1}  # axes of what a committee has for each level, levels first
LABELS = {
    "sgd.learning_rate": "learning rate",
    "sgd.readout_learning_rate": "readout learning rate",
    "sgd.weight_decay": "weight decay",
    "task.noise": "label noise",
    "task.inputs.fractions": "fraction of",
    "task.inputs.variances": "variance of",
    "task.clusters": "cluster's",
    "task.readout": "teacher's readout",
    "curriculum.durations": "duration of phase",
    "start.scale": "scale of the start",
    "start.teacher_scale": "scale of the teacher",
    "start.readout": "readout at the start",
}


class Directions(PublicModule):
    """The numbers of a problem and a start, P of them.

    Fields:
      names: such as "sgd.learning_rate" and "task.inputs.variances[hard,irrelevant]"; units and phases count from 1.
      values: (P,) the numbers themselves. A scale is 1.
      problem: the derivative of the problem's numbers, each with a leading axis P.
      start: that of the overlaps at alpha = 0, likewise.
    """

    names: tuple[str, ...] = eqx.field(static=True)
    values: Any
    problem: Problem
    start: Overlaps

    @staticmethod
    def of(problem: Problem, start: Overlaps) -> "Directions":
        """Return the directions of known numbers: of every rate, variance, fraction, readout, duration and scale.

        Arguments: problem: a ts.Problem. start: its ts.Overlaps at alpha = 0.
        Fractions and shares have a sum of 1. When one changes, the others keep their proportions.
        Raises InputError for more of them than fit into memory.
        """
        _require_room(problem, start)
        # The learning rule first, which a verdict is asked about most.
        rows = sorted([*_of_problem(problem), *_of_start(start)], key=lambda row: not row[0].startswith("sgd."))
        nothing = jax.tree.map(lambda x: np.zeros(np.shape(x)), (problem, start))
        moved = [_filled(nothing, moves) for _, _, moves in rows]
        whole: tuple[Problem, Overlaps] = jax.tree.map(lambda *x: np.stack(x), *moved)
        names = tuple(name for name, _, _ in rows)
        return Directions(names, np.array([value for _, value, _ in rows], float), *whole)

    def of_drift(self) -> np.ndarray:
        """Return the mask (P,) of the directions that move the drift itself, at given overlaps and shares of levels."""
        leaves = jax.tree.leaves((without_curriculum(self.problem), self.start.T))
        moved = [np.any(np.reshape(x, (len(self.names), -1)) != 0, axis=1) for x in leaves]
        return np.asarray(np.any(moved, axis=0))


def label_of(name: str) -> str:
    """Return what a table calls a number: "variance of irrelevant (hard)", of its name in `Directions`."""
    if (in_schedule := label_in_schedule(name, label_of)) is not None:
        return in_schedule
    head, _, index = name.partition("[")
    words = LABELS.get(head, head)
    parts = index.rstrip("]").split(",") if index else []
    if head == "task.inputs.variances" and len(parts) == 2:
        return f"{words} {parts[1]} ({parts[0]})"
    if head == "curriculum.shares" and len(parts) == 2:
        return f"share of {parts[1]} in phase {parts[0]}"
    return " ".join([words, *parts])


def without_curriculum(problem: Problem) -> Problem:
    """Return `problem` without its curriculum, whose numbers do not stand in the drift at given shares."""
    return with_fields(problem, curriculum=None)


def _require_room(problem: Problem, start: Overlaps) -> None:
    """Raise InputError if the derivatives of problem and start, in every number of theirs, do not fit into memory."""
    numbers = sum(np.size(leaf) for leaf in jax.tree.leaves((problem, start)))
    of_problem = sum(np.size(leaf) for leaf in jax.tree.leaves(problem)) - np.size(problem.curriculum.final_shares)
    directions = of_problem + 2 + np.size(start.readout)
    need = 2 * 8 * directions * numbers  # one by one, and stacked
    if need > ALWAYS_THERE:
        require_memory(need, f"the directions of {directions:,} numbers", "take fewer units, levels or phases")


Row = tuple[str, float, dict[str, np.ndarray]]  # name, value, derivative of the leaf at each path that moves


def _of_problem(problem: Problem) -> list[Row]:
    rows: list[Row] = []
    for path, leaf in jax.tree_util.tree_leaves_with_path(problem, is_leaf=is_schedule):
        name = jax.tree_util.keystr(path).lstrip(".")
        if isinstance(leaf, ScheduledNumbers):
            rows += rows_of_array(name, leaf, lambda index: _index_text("task.inputs.variances", index, problem))
            continue
        if is_schedule(leaf):
            rows += rows_of_schedule(name, name, leaf)
            continue
        numbers = np.asarray(leaf, float)
        if np.asarray(leaf).dtype.kind != "f":
            continue  # counts and switches are not numbers that could be a little off
        if name == "task.inputs.fractions":
            rows += _of_sum(name, f"[0].{name}", numbers, problem.inputs.block_names)
        elif name == "task.priors" and isinstance(problem.task, Mixture):
            rows += _of_sum("probability", f"[0].{name}", numbers, problem.task.cluster_names)
        elif name == "curriculum.initial_shares":
            rows += _of_shares(problem, numbers, np.asarray(problem.curriculum.final_shares, float))
        elif name != "curriculum.final_shares":
            for index in np.ndindex(numbers.shape):
                unit = np.zeros(numbers.shape)
                unit[index] = 1.0
                text = _mixture_text(name, index, problem) or name + _index_text(name, index, problem)
                rows.append((text, float(numbers[index]), {f"[0].{name}": unit}))
    return rows


def _mixture_text(name: str, index: tuple[int, ...], problem: Problem) -> str | None:
    """Return what a number of a mixture is called, as in files: "task.clusters[right,label]"; None for others."""
    if not isinstance(problem.task, Mixture) or not index or not name.startswith("task."):
        return None
    if name.startswith("task.inputs."):
        return None
    words = problem.task.name_of(name.removeprefix("task."), index).removeprefix("clusters.")
    return f"task.clusters[{words}]"


def _index_text(name: str, index: tuple[int, ...], problem: Problem) -> str:
    if name == "task.inputs.variances":
        return f"[{problem.inputs.level_names[index[0]]},{problem.inputs.block_names[index[1]]}]"
    if isinstance(problem.task, Committee) and len(index) == OF_LEVELS.get(name):
        places = [problem.inputs.level_names[index[0]], *(str(i + 1) for i in index[1:])]
        return f"[{','.join(places)}]"
    return f"[{','.join(str(i + 1) for i in index)}]" if index else ""


def _of_sum(name: str, path: str, parts: np.ndarray, names: tuple[str, ...]) -> list[Row]:
    """Return a row for each of several parts of 1 that is neither 0 nor the whole."""
    free = _free(parts)
    return [(f"{name}[{names[i]}]", float(parts[i]), {path: _with_the_sum_kept(parts, i)}) for i in free]


def _free(parts: np.ndarray) -> list[int]:
    """Return the positions of the parts of 1 that can move. Of two, the second moves as the first one does."""
    free = [i for i, part in enumerate(parts) if 0 < part < 1]
    return free[:1] if len(free) == 2 else free


def _with_the_sum_kept(parts: np.ndarray, i: int) -> np.ndarray:
    """Return d(parts)/d(parts[i]): the others keep their proportions and the sum stays 1."""
    moved: np.ndarray = -parts / (1 - parts[i])
    moved[i] = 1.0
    return moved


def _of_shares(problem: Problem, initial: np.ndarray, final: np.ndarray) -> list[Row]:
    """Return a row for each level's share in each phase that mixes levels and does not change within the phase."""
    rows: list[Row] = []
    for phase in range(len(initial)):
        if not np.array_equal(initial[phase], final[phase]):
            continue
        for i in _free(initial[phase]):
            moved = np.zeros(initial.shape)
            moved[phase] = _with_the_sum_kept(initial[phase], i)
            paths = {f"[0].curriculum.{side}_shares": moved for side in ("initial", "final")}
            level = problem.curriculum.level_names[i]
            rows.append((f"curriculum.shares[{phase + 1},{level}]", float(initial[phase, i]), paths))
    return rows


def _of_start(start: Overlaps) -> list[Row]:
    """Return the scale of the students' weights, that of the latents' vectors, and each readout."""
    Q, R, T = (np.asarray(x, float) for x in (start.Q, start.R, start.T))
    v = np.asarray(start.readout, float)
    rows: list[Row] = [
        ("start.scale", 1.0, {"[1].Q": 2 * Q, "[1].R": R}),
        ("start.teacher_scale", 1.0, {"[1].R": R, "[1].T": 2 * T}),
    ]
    return rows + [(f"start.readout[{k + 1}]", float(v[k]), {"[1].readout": _unit(v.size, k)}) for k in range(v.size)]


def _unit(size: int, k: int) -> np.ndarray:
    unit = np.zeros(size)  # not a row of np.eye, which would hold the whole matrix
    unit[k] = 1.0
    return unit


def _filled(nothing: Any, moves: dict[str, np.ndarray]) -> Any:
    """Return the tree `nothing` with the leaves at the paths of `moves` in place of zeros."""
    return jax.tree_util.tree_map_with_path(lambda path, x: moves.get(jax.tree_util.keystr(path), x), nothing)
