"""The task of a result whose class was not imported: it keeps what the file says, and computes nothing."""

import json
from collections.abc import Mapping
from typing import Any, NoReturn

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Float

from .._errors import InputError
from .._fields import with_fields
from .._trust import Shape, Unopened
from ..tables import read_table
from ._activation import Activation
from ._inputs import Inputs
from ._schedule import FunctionSchedule
from ._task import Task
from ._task_tables import InputsTable


class UnopenedTask(Task):
    """What stands in the place of a task whose class a result names and that was not imported.

    Fields:
      inputs: those of the file's table where it has them. Else they have the names alone, and NaN for numbers.
      kind: the class's address.
      table_text: the task's table, as JSON, to write it again.
      count: the number M of latent directions, which the arrays of the result have.
    """

    inputs: Inputs
    kind: Unopened = eqx.field(static=True)
    table_text: str = eqx.field(static=True)
    count: int = eqx.field(static=True)

    # Only a task of signs goes with every loss. Nobody reads it: whatever computes with the task is refused.
    labels = "sign"

    @staticmethod
    def of(kind: Unopened, table: Mapping[str, Any], shape: Shape) -> "UnopenedTask":
        """Return the task of a table, with the names and sizes that the arrays of its result have."""
        entries = {name: entry for name, entry in table.items() if name != "kind"}
        return UnopenedTask(_inputs(entries.get("inputs"), shape), kind, json.dumps(entries), shape.latents)

    def _shown(self) -> list[tuple[str, Any]]:
        return [("kind", self.kind), ("inputs", self.inputs)]

    @property
    def latents(self) -> int:
        return self.count

    @property
    def seen_blocks(self) -> tuple[bool, ...]:
        return (True,) * len(self.inputs.block_names)

    @property
    def cluster_probabilities(self) -> Float[np.ndarray, "C"]:
        return np.ones(1)

    @property
    def cluster_means(self) -> Float[np.ndarray, "L C M"]:
        return np.zeros((len(self.inputs.level_names), 1, self.latents))

    def label(self, nu: Any, cluster: Any, noise: Any) -> NoReturn:
        self.kind()

    def clean_label(self, nu: Any, cluster: Any) -> NoReturn:
        self.kind()

    def to_table(self) -> dict[str, Any]:
        table: dict[str, Any] = json.loads(self.table_text)
        return table


def _inputs(table: Any, shape: Shape) -> Inputs:
    """Return the inputs of a table if they have the names that the result has, else such inputs of unknown numbers."""
    try:
        read = read_table(InputsTable, table, "task.inputs")
        inputs = Inputs(read.fractions, read.levels)
    except InputError:
        inputs = None
    if inputs is not None and (inputs.block_names, inputs.level_names) == (shape.blocks, shape.levels):
        return inputs
    B, L = len(shape.blocks), len(shape.levels)
    plain = Inputs(
        dict.fromkeys(shape.blocks, 1 / B), {name: dict.fromkeys(shape.blocks, 1.0) for name in shape.levels}
    )
    return with_fields(plain, fractions=np.full(B, np.nan), variances=np.full((L, B), np.nan))


def unopened_parts(problem: Any) -> list[Unopened]:
    """Return what a problem has of units, tasks and schedules that were not imported when its result was read."""
    leaves = jax.tree.leaves(problem, is_leaf=lambda part: isinstance(part, tuple(_MADE_OF)))
    parts = [getattr(leaf, _MADE_OF[type(leaf)]) for leaf in leaves if type(leaf) in _MADE_OF]
    return [part for part in parts if isinstance(part, Unopened)]


# What may be made of something that was not imported, and the field that holds it.
_MADE_OF: dict[type, str] = {Activation: "function", UnopenedTask: "kind", FunctionSchedule: "call"}


def refuse_unopened(problem: Any) -> None:
    """Raise InputError where a problem's unit or task was not imported: nothing can be computed with it."""
    for part in unopened_parts(problem)[:1]:
        part()
