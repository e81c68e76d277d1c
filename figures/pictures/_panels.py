"""Which quantities of a trajectory stand in which panel, under which names and in which colours."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

import teacher_student as ts
from teacher_student import internal

from ..sweeps import plain
from ._looks import COLOURS, Look, looks, looks_of_pairs

KINDS = ("error", "accuracy", "Q", "R", "readout")
SYMBOLS = {"Q": "$Q$", "R": "$R$", "readout": "$v$", "error": r"$\epsilon_g$", "accuracy": "accuracy"}
ALPHA = r"$\alpha$ = samples / $N$"


@dataclasses.dataclass(frozen=True)
class Panel:
    """What one panel shows of trajectories.

    label: of the axis upwards. kind: of the quantities, as in `ts.quantities`. names: of the quantities. shown: what
    the legend calls each. pairs: the units of each overlap, or None.
    """

    label: str
    kind: str
    names: tuple[str, ...]
    shown: tuple[str, ...]
    pairs: tuple[tuple[int, int], ...] | None = None

    def looks(self, overlay: int = 0) -> list[Look]:
        """Return the looks of the curves, of the `overlay`-th trajectory that is drawn into the panel."""
        by_unit = self.by_unit(overlay)
        return looks(len(self.names), overlay) if by_unit is None else by_unit

    def by_unit(self, overlay: int = 0) -> list[Look] | None:
        """Return looks with a colour for each first unit, where there are too many curves for a colour each."""
        if self.pairs is None or len(self.names) <= len(COLOURS):
            return None
        return looks_of_pairs(self.pairs, overlay)

    @property
    def has_bar(self) -> bool:
        """Whether a bar of colours takes the place of the legend."""
        return len(self.names) > len(COLOURS) and self.by_unit() is None


def panels_of(
    trajectory: ts.Trajectory, level: Any = None, quantities: Any = None, *, together: bool = False
) -> list[Panel]:
    """Return the panels of a trajectory: errors, accuracies, Q and R of each block, and a readout that is trained.

    Overlaps that vanish throughout get no panel, unless `quantities` asks for them by name, or for nothing else.

    Arguments: level: one name or several; None: all. quantities: kinds or full names; None: all. together: whether all
      of them share one panel.
    Raises InputError for names that the trajectory does not have, and where nothing is left.
    """
    recorded = ts.quantities(trajectory.observables, trajectory.problem)
    chosen = chosen_names([(one.kind, one.name) for one in recorded], trajectory, level, quantities)
    kept = [one for one in recorded if one.name in chosen]
    if not kept:
        remedy = "ode.solve(..., with_accuracy=True) computes accuracies" if not trajectory.accuracy else ""
        raise ts.InputError("at least one recorded quantity to draw", f"quantities = {quantities!r}", remedy)
    if together:
        return [_panel_of_all(kept, trajectory)]
    groups = [group for group in _groups(kept, trajectory.problem) if group[2]]
    names = set(as_names(quantities, "quantities") or ())
    seen = [group for group in groups if not _vanishes(group, names)]
    panels = [_panel(*group) for group in (seen if seen or quantities is None else groups)]
    untrained = quantities is None and not _is_trained(trajectory.problem)
    return [panel for panel in panels if not (panel.kind == "readout" and untrained)]


def _vanishes(group: tuple[str, str, list[ts.Quantity]], names: set[str]) -> bool:
    """Say whether overlaps are zero throughout, and none of them is asked for by name. NaN says where it begins."""
    _, kind, some = group
    return kind in ("Q", "R") and not any(one.name in names or np.any(one.values) for one in some)


def chosen_names(
    known: Sequence[tuple[str, str]], trajectory: ts.Trajectory | None, level: Any, quantities: Any
) -> set[str]:
    """Return which of the known (kind, name) are asked for. Raises InputError for what is not there.

    Arguments: known: kinds and names of quantities. trajectory: whose levels are known (None: those of the names).
      level, quantities: as in `panels_of`.
    """
    levels = _levels(known) if trajectory is None else list(trajectory.problem.inputs.level_names)
    wanted_levels = as_names(level, "level")
    for name in wanted_levels or ():
        internal.require_name(name, levels, "level of the task")
    wanted = as_names(quantities, "quantities")
    for name in wanted or ():
        internal.require_name(name, [*KINDS, *(name for _, name in known)], "quantity")
    return {
        name
        for kind, name in known
        if (wanted is None or kind in wanted or name in wanted)
        and (wanted_levels is None or kind not in ("error", "accuracy") or level_of(name, kind) in wanted_levels)
    }


def as_names(names: Any, what: str) -> tuple[str, ...] | None:
    """Return one name or several as a tuple, None as None. Raises InputError for anything else."""
    if names is None:
        return None
    several = (names,) if isinstance(names, str) else names
    if not isinstance(several, (Sequence, set, frozenset)) or not all(isinstance(name, str) for name in several):
        raise ts.InputError(f"one name or several as {what}", repr(names))
    return tuple(several)


def _levels(known: Sequence[tuple[str, str]]) -> list[str]:
    return [level_of(name, kind) for kind, name in known if kind in ("error", "accuracy")]


def level_of(name: str, kind: str) -> str:
    """Return the level of an error or an accuracy: all that stands between its outer brackets."""
    return name.removeprefix(f"{kind}[").removesuffix("]")


def _groups(kept: list[ts.Quantity], problem: ts.Problem) -> list[tuple[str, str, list[ts.Quantity]]]:
    """Return (axis label, kind, quantities) of each possible panel."""
    blocks = problem.inputs.block_names
    of_kind = {kind: [one for one in kept if one.kind == kind] for kind in KINDS}
    groups = [
        (r"generalisation error $\epsilon_g$", "error", of_kind["error"]),
        ("accuracy", "accuracy", of_kind["accuracy"]),
    ]
    for block in blocks:
        for kind, indices in (("Q", "kl"), ("R", "km")):
            head = f"{kind}[{block}][" if len(blocks) > 1 else ""
            label = f"${kind}_{{{indices}}}$" + (f", {plain(block)}" if len(blocks) > 1 else "")
            groups.append((label, kind, [one for one in of_kind[kind] if one.name.startswith(head)]))
    groups.append((r"readout $v_k$", "readout", of_kind["readout"]))
    return groups


def _panel(label: str, kind: str, some: list[ts.Quantity]) -> Panel:
    names = tuple(one.name for one in some)
    pairs = tuple(_units(name) for name in names) if kind in ("Q", "R") else None
    return Panel(label, kind, names, tuple(short_name(one.name, kind) for one in some), pairs)


def _panel_of_all(kept: list[ts.Quantity], trajectory: ts.Trajectory) -> Panel:
    """Return one panel of quantities that may be of several kinds or blocks, which the legend then names."""
    groups = [(label, kind, some) for label, kind, some in _groups(kept, trajectory.problem) if some]
    if len(groups) == 1:
        return _panel(*groups[0])
    shown = [
        f"{SYMBOLS[kind]}, {short_name(one.name, kind)}"
        if kind in ("error", "accuracy")
        else ", ".join([short_name(one.name, kind), *label.split(", ", 1)[1:]])
        for label, kind, some in groups
        for one in some
    ]
    kinds = {kind for _, kind, _ in groups}
    label = ", ".join(SYMBOLS[kind] for kind in KINDS if kind in kinds)
    return Panel(
        label,
        kinds.pop() if len(kinds) == 1 else "",
        tuple(one.name for *_, some in groups for one in some),
        tuple(shown),
    )


def _units(name: str) -> tuple[int, int]:
    first, second = name.rsplit("[", 1)[-1].rstrip("]").split(",")
    return int(first), int(second)


def short_name(name: str, kind: str) -> str:
    """Return what a legend calls a quantity whose panel names kind and block: "easy", "$Q_{12}$", "$v_1$"."""
    if kind in ("error", "accuracy"):
        return plain(level_of(name, kind))
    index = name.rsplit("[", 1)[-1].rstrip("]")
    return f"${SYMBOLS[kind].strip('$')}_{{{index if len(index) > 3 else index.replace(',', '')}}}$"


def _is_trained(problem: ts.Problem) -> bool:
    rate = problem.sgd.readout_learning_rate
    return internal.is_schedule(rate) or bool(np.any(np.asarray(rate) > 0))
