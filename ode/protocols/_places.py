"""Numbers of a problem by name: where they stand, and the problem with others, or with schedules, in their place."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from teacher_student import InputError, Problem, Schedule
from teacher_student.internal import ScheduledNumbers, is_known, is_schedule, nearest

from .._compiled import bare

XOR_ROWS = ("separation", "plane_variance", "rest_variance")


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a number stands among the leaves of a problem, schedules counted as one leaf each.

    Fields: name: dotted. leaf: its position. index: in the leaf's array, () of a single number. inside: the position
    among the numbers of a schedule that stands there, or None.
    """

    name: str
    leaf: int
    index: tuple[int, ...]
    inside: int | None = None

    @property
    def is_rate(self) -> bool:
        """Whether it is a rate or a decay of the learning rule."""
        return self.name.startswith("sgd.")

    @property
    def names(self) -> tuple[str, ...]:
        """Its name, as the only one."""
        return (self.name,)

    @property
    def may_be_scheduled(self) -> bool:
        """Whether a schedule may stand there: of a rate, a decay, a noise and a variance."""
        return self.is_rate or self.name == "task.noise" or self.name.startswith("task.levels.")

    def slope_in(self, numbers: np.ndarray, problem: Problem) -> np.ndarray:
        """Return its column (m,) of derivatives (m, leaves) in all numbers of the problem."""
        return np.asarray(numbers[:, self.offset(problem)])

    def offset(self, problem: Problem) -> int:
        """Return its position among all numbers of the problem at one time, one after the other."""
        leaves = jax.tree.leaves(bare(problem).at(0.0))
        before = sum(np.size(leaf) for leaf in leaves[: self.leaf])
        shape = np.shape(leaves[self.leaf])
        return int(before + (np.ravel_multi_index(self.index, shape) if self.index else 0))

    def get(self, problem: Problem) -> Any:
        """Return the number, or the schedule, that stands there."""
        leaf = jax.tree.leaves(problem, is_leaf=is_schedule)[self.leaf]
        if isinstance(leaf, ScheduledNumbers):
            leaf = leaf.entry(*self.index)
        elif self.index and not is_schedule(leaf):
            leaf = leaf[self.index]
        return leaf if self.inside is None else jax.tree.leaves(leaf)[self.inside]

    def put(self, problem: Problem, value: Any) -> Problem:
        """Return the problem with a number or a schedule there."""
        leaves, structure = jax.tree.flatten(problem, is_leaf=is_schedule)
        old = leaves[self.leaf]
        if self.inside is not None:
            schedule = dataclasses.replace(self, inside=None).get(problem)
            numbers, shape = jax.tree.flatten(schedule)
            numbers[self.inside] = np.float64(value)
            value = jax.tree.unflatten(shape, numbers)
        if isinstance(old, ScheduledNumbers) or (self.index and isinstance(value, Schedule)):
            leaves[self.leaf] = _with_entry(old, self.index, value)
        elif self.index:
            array = np.array(old, float)
            array[self.index] = value
            leaves[self.leaf] = array
        else:
            leaves[self.leaf] = value if isinstance(value, Schedule) else np.float64(value)
        changed: Problem = jax.tree.unflatten(structure, leaves)
        return changed


@dataclasses.dataclass(frozen=True)
class TiedPlaces:
    """Several numbers that are one, as both rates of an SGD with one rate for all weights."""

    places: tuple[Place, ...]
    inside: None = None

    @property
    def name(self) -> str:
        """Their names, with " = " between them."""
        return " = ".join(self.names)

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each."""
        return tuple(place.name for place in self.places)

    @property
    def may_be_scheduled(self) -> bool:
        """Whether a schedule may stand in all of them."""
        return all(place.may_be_scheduled for place in self.places)

    def slope_in(self, numbers: np.ndarray, problem: Problem) -> np.ndarray:
        """Return the derivatives (m,) in the one number that they are."""
        columns = [place.slope_in(numbers, problem) for place in self.places]
        return np.asarray(np.sum(columns, axis=0))

    def get(self, problem: Problem) -> Any:
        """Return the number, or the schedule, that stands in the first of them."""
        return self.places[0].get(problem)

    def put(self, problem: Problem, value: Any) -> Problem:
        """Return the problem with a number or a schedule in all of them."""
        for place in self.places:
            problem = place.put(problem, value)
        return problem


def _with_entry(old: Any, index: tuple[int, ...], value: Any) -> Any:
    """Return an array of numbers, of which some are schedules, with another number or schedule at `index`."""
    entries = dict(old.entries) if isinstance(old, ScheduledNumbers) else {}
    numbers = np.array(old.numbers if isinstance(old, ScheduledNumbers) else old, float)
    entries.pop(index, None)  # type: ignore[arg-type]
    if isinstance(value, Schedule):
        entries[index] = value  # type: ignore[index]  # of a table it has two parts
        numbers[index] = 0.0
    else:
        numbers[index] = value
    return ScheduledNumbers(numbers, entries) if entries else numbers


def place_of(problem: Problem, name: str | Sequence[str]) -> Place | TiedPlaces:
    """Return the place of a number by its dotted name, or of several that are one.

    Raises InputError for an unknown name, and for numbers inside of schedules among several.
    """
    names = [name] if isinstance(name, str) else name
    if not isinstance(names, (list, tuple)) or not all(isinstance(each, str) for each in names):
        raise InputError("the name of a number of the problem as a control", repr(name))
    name = name.split(" = ") if isinstance(name, str) and " = " in name else name
    if isinstance(name, str):
        return _place_of(problem, name)
    places = tuple(_place_of(problem, each) for each in name)
    if len(set(name)) < len(places) or not places or any(place.inside is not None for place in places):
        raise InputError("different numbers of the problem, none inside of a schedule, as a control", repr(tuple(name)))
    return places[0] if len(places) == 1 else TiedPlaces(places)


def _place_of(problem: Problem, name: str) -> Place:
    """Return the place of a number by its dotted name, as in sweeps: "sgd.learning_rate", "task.levels.hard.rest".

    Numbers of a schedule that stands in a problem have its shape in their name: "sgd.learning_rate.power.scale".
    Raises InputError for an unknown one.
    """
    known = places(problem)
    if name not in known:
        raise InputError("the name of a number of the problem as a control", repr(name), nearest(name, known))
    return known[name]


def places(problem: Problem) -> dict[str, Place]:
    """Return all numbers of task and learning rule that a control may move."""
    found: dict[str, Place] = {}
    leaves = jax.tree_util.tree_leaves_with_path(problem, is_leaf=is_schedule)
    for position, (path, leaf) in enumerate(leaves):
        key = jax.tree_util.keystr(path).lstrip(".")
        # Probabilities sum to 1, so that none of them is free.
        if key.startswith(("curriculum.", "task.inputs.fractions", "task.priors")) or not is_known(leaf):
            continue
        if key.endswith("inputs.variances"):
            shape = np.shape(leaf.numbers if isinstance(leaf, ScheduledNumbers) else leaf)
            for index in np.ndindex(shape):
                name = _name_of_variance(problem, index)
                found[name] = Place(name, position, index)
                if isinstance(leaf, ScheduledNumbers) and index in leaf.entries:
                    found |= _inside(found[name], leaf.entries[index])
        elif is_schedule(leaf):
            found[key] = Place(key, position, ())
            found |= _inside(found[key], leaf)
        elif np.asarray(leaf).dtype.kind == "f":
            for index in np.ndindex(np.shape(leaf)):
                name = _name_of_entry(problem, key, index)
                found[name] = Place(name, position, index)
    return found


def _name_of_variance(problem: Problem, index: tuple[int, ...]) -> str:
    level, block = problem.inputs.level_names[index[0]], problem.inputs.block_names[index[1]]
    if hasattr(problem.task, "separation") and block in ("plane", "rest"):
        return f"task.levels.{level}.{block}_variance"
    return f"task.levels.{level}.{block}"


def _name_of_entry(problem: Problem, key: str, index: tuple[int, ...]) -> str:
    if key == "task.separation" and len(index) == 1:
        return f"task.levels.{problem.inputs.level_names[index[0]]}.separation"
    if key.startswith("task.") and index:
        return f"task.{problem.task.name_of(key.removeprefix('task.'), index)}"
    return ".".join([key, *map(str, index)])


SHAPES = {"CosineSchedule": "cosine", "PowerSchedule": "power", "SplineSchedule": "spline", "PhasedSchedule": "phases"}


def _inside(place: Place, schedule: Schedule) -> dict[str, Place]:
    """Return the numbers of a smooth schedule. Times of jumps are none that a control may move."""
    shape = SHAPES.get(type(schedule).__name__)
    if shape not in ("cosine", "power"):
        return {}
    paths = jax.tree_util.tree_leaves_with_path(schedule)
    named = {jax.tree_util.keystr(path).lstrip("."): i for i, (path, _) in enumerate(paths)}
    return {
        f"{place.name}.{shape}.{key}": dataclasses.replace(place, name=f"{place.name}.{shape}.{key}", inside=i)
        for key, i in named.items()
    }
