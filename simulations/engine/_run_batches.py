"""Which runs are stepped together, with which samples, on which devices."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, PartitionSpec

from teacher_student import InputError, Problem
from teacher_student.internal import as_count, differing_leaves, same_structure, usable_cores


@dataclasses.dataclass(frozen=True)
class Group:
    """Members that one compiled call steps: member i is run `runs[i]` of problem `problems[i]`.

    stream: the run whose samples all of them see, and in whose random directions they start; None: each has its own.
    wanted: how many of them count. The rest fill the group up, so that there is one compilation.
    """

    problems: np.ndarray
    runs: np.ndarray
    stream: int | None
    wanted: int


def own_groups(runs: int, size: int) -> list[Group]:
    """Group the runs of one problem, `size` at a time, each with its own samples."""
    return [_group(np.arange(first, first + size) % runs, 0, None, runs - first) for first in range(0, runs, size)]


def shared_groups(runs: int, size: int) -> list[Group]:
    """Group the runs of one problem, `size` at a time, all with the samples of run 0."""
    return [_group(np.arange(first, first + size) % runs, 0, 0, runs - first) for first in range(0, runs, size)]


def paired_groups(problems: int, runs: int, size: int) -> list[Group]:
    """Group every run of every problem, so that the same run of all problems sees the same samples."""
    return [
        _group(run, np.arange(first, first + size) % problems, run, problems - first)
        for run in range(runs)
        for first in range(0, problems, size)
    ]


def _group(runs: np.ndarray | int, problems: np.ndarray | int, stream: int | None, left: int) -> Group:
    runs, problems = np.broadcast_arrays(runs, problems)
    return Group(problems, runs, stream, min(runs.size, left))


def default_workers(workers: int | None) -> int:
    """Return the number of threads on a CPU, or of runs at once on an accelerator: `workers`, where it is stated."""
    if workers is not None:
        return workers
    return len(usable_cores()) if jax.default_backend() == "cpu" else 32


def devices_for(devices: int | None) -> tuple[jax.Device, ...]:
    """Return the devices that share the runs. Raises InputError if there are fewer than asked for."""
    available = jax.local_devices()
    if devices is None:
        return tuple(available)
    if as_count(devices, "number of devices", "None takes all") > len(available):
        raise InputError(
            f"{devices} devices", f"{len(available)} ({available[0].platform})", "ask for fewer, or None for all"
        )
    return tuple(available[:devices])


def check_structure(problems: Sequence[Problem]) -> None:
    """Raise InputError if the problems differ in more than numbers."""
    for other in problems[1:]:
        if difference := _difference(problems[0], other):
            raise InputError(
                "problems that differ in numbers only", difference, "simulate each structure in a call of its own"
            )


def _difference(first: Problem, other: Problem) -> str:
    """Say in words where two problems differ in more than numbers; empty if they do not."""
    if not same_structure(first, other):
        return "different names, widths, activations, labels or losses"
    differing = differing_leaves(first, other, lambda x, y: np.shape(x) == np.shape(y))
    return ", ".join(f"{name} of shapes {np.shape(x)} and {np.shape(y)}" for name, (x, y) in differing.items())


def stacked(members: Sequence[Any]) -> tuple[Any, tuple[bool, ...]]:
    """Return one tree for all members, and which of its leaves differ between them.

    Those have a leading axis of members; the others are written once, as what is shared is computed once.
    """
    leaves = [[np.asarray(leaf) for leaf in same] for same in zip(*map(jax.tree.leaves, members), strict=True)]
    differ = tuple(any(not np.array_equal(same[0], leaf) for leaf in same) for same in leaves)
    merged = [np.stack(same) if d else same[0] for same, d in zip(leaves, differ, strict=True)]
    return jax.tree.unflatten(jax.tree.structure(members[0]), merged), differ


def over_members(
    function: Callable[..., Any], axes: tuple[Any, ...], devices: Sequence[jax.Device | None], *, in_turn: bool = False
) -> Callable[..., Any]:
    """Return `function` of one member for many: mapped over those arguments whose axis is 0, shared out to `devices`.

    Arguments: in_turn: whether to compute one member after the other; all axes must then be 0.
    """

    def one_after_the_other(*arguments: Any) -> Any:
        return jax.lax.map(lambda member: function(*member), arguments)

    mapped = one_after_the_other if in_turn else jax.vmap(function, in_axes=axes)
    if len(devices) == 1:
        return mapped

    def spec(axis: int | None) -> PartitionSpec:
        names = () if axis is None else ("run",)
        return PartitionSpec(*names)  # type: ignore[no-untyped-call]  # JAX states no types for it

    specs = jax.tree.map(spec, axes, is_leaf=lambda axis: axis is None)
    mesh = Mesh(np.array(devices), ("run",))
    return jax.shard_map(mapped, mesh=mesh, in_specs=specs, out_specs=spec(0), check_vma=False)
