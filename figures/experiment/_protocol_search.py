"""The search for a protocol that [optimize] of a file asks for."""

from __future__ import annotations  # types are not looked up, which would load JAX before a file is checked

import dataclasses
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import teacher_student as ts
from teacher_student import internal

from ._file_tables import File, read_file
from ._keys import key_for
from ._optimize_table import CostTable, OptimizeTable

if TYPE_CHECKING:
    import jax

REMEDY = "add it: docs/problem.toml has its keys"


@dataclasses.dataclass(frozen=True)
class ProtocolSearch:
    """What `ode.optimize` is called with, beside problem, start and averages.

    Fields: controls, cost, constraints, starts, steps: its arguments. key: of its random starts. check: the dimension,
    the runs and the key of simulations of the optimum, or None.
    """

    controls: tuple[Any, ...]
    cost: Any
    constraints: tuple[Any, ...]
    starts: int
    steps: int
    key: jax.Array
    check: tuple[int, int, jax.Array] | None


def require_search(file: File) -> OptimizeTable:
    """Return [optimize] of a file. Raises InputError where it has none."""
    if file.optimize is None:
        raise ts.InputError("a table [optimize] in the problem file", "none", REMEDY)
    return file.optimize


def read_search(tables: Mapping[str, Any], problem: ts.Problem) -> ProtocolSearch:
    """Return the search that the tables of a problem file ask for.

    Arguments: tables: nested, as TOML reads them. problem: theirs.
    Raises InputError, which knows the entry, for what does not fit the problem.
    """
    file = read_file(tables, simulated=False)
    table = require_search(file)
    with internal.about_entry("optimize"):
        order = _order(table, problem)
        return ProtocolSearch(
            tuple(_controls(table, problem, order)),
            _cost(table.cost, problem),
            tuple(_constraints(table, problem, order)),
            table.starts,
            table.steps,
            key_for("searches", file.seed),
            _check(file, table),
        )


def _controls(table: OptimizeTable, problem: ts.Problem, order: tuple[str, Any] | None) -> Iterator[Any]:
    from ode import protocols

    if order is not None:
        yield order[1]
    for group, kind in (("values", protocols.Values), ("numbers", protocols.Number)):
        for name, entry in (getattr(table, group) or {}).items():
            with internal.about_entry(group, name):
                control = kind(name, **vars(entry) | {"bounds": tuple(entry.bounds)})
                control.of(problem)
            yield control


def _order(table: OptimizeTable, problem: ts.Problem) -> tuple[str, Any] | None:
    """Return the control of the order of levels with its key, or None where the order stays."""
    from ode import protocols

    kinds: dict[str, Any] = {"order": protocols.Order, "shares": protocols.Shares, "switches": protocols.Switches}
    for name, kind in kinds.items():
        entry = getattr(table, name)
        if entry is not None:
            with internal.about_entry(name):
                control = kind(entry) if name == "switches" else kind(**vars(entry))
                control.of(problem)
            return name, control
    return None


def _cost(table: CostTable, problem: ts.Problem) -> Any:
    with internal.about_entry("cost"):
        cost = _own_cost(table) if table.own is not None else _cost_of_mixture(table)
        cost.check(problem)
    return cost


def _own_cost(table: CostTable) -> Any:
    from ode import protocols

    with internal.about_entry("own"):
        function = internal.imported(str(table.own), "cost")
        return protocols.Own(function, table.at, accuracies=bool(table.accuracies))


def _cost_of_mixture(table: CostTable) -> Any:
    from ode import protocols

    mixture: Any = table.on  # the table has been checked: there is one
    of = getattr(table, table.kind)
    if table.final is not None:
        return protocols.Final(mixture, of, table.at)
    if table.integrated is not None:
        return protocols.Integrated(mixture, of)
    return protocols.TimeTo(mixture, of, float(table.value or 0.0))


def _constraints(table: OptimizeTable, problem: ts.Problem, order: tuple[str, Any] | None) -> Iterator[Any]:
    from ode import protocols

    moves = None if order is None else order[1].of(problem)
    if table.fixed_shares is not None:
        with internal.about_entry("fixed_shares"):
            fixed = protocols.FixedShares(table.fixed_shares)
            fixed.check(moves, problem)
        yield fixed
    if table.budget is not None:
        with internal.about_entry("budget"):
            budget = protocols.Budget(table.budget.prices, table.budget.at_most)
            budget.check(moves, problem)
        yield budget


def _check(file: File, table: OptimizeTable) -> tuple[int, int, jax.Array] | None:
    if table.check is None:
        return None
    asked, usual = table.check, file.simulation
    dim = usual.dim if asked.dim is None else asked.dim
    runs = usual.runs if asked.runs is None else asked.runs
    return dim, runs, key_for("runs", file.seed, file.start.number)
