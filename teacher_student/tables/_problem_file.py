"""A problem's tables (TOML, JSON), read strictly and checked as far as can be before JAX is loaded.

They mirror the constructors. What these say of a wrong name or number is said here in the same words, a second earlier;
`_problem_tables` makes the problem.
"""

import dataclasses
import math
from collections.abc import Iterable, Mapping
from typing import Any

from .._built_in_units import UNITS
from .._counts import as_width
from .._errors import InputError, about_entry, nearest, require_name
from .._polynomial import EXAMPLE, is_polynomial, polynomial
from .._usual import Usual
from ._schedule_table import ScheduleTable
from ._strict_tables import read_table

ACTIVATIONS = tuple(UNITS)
OTHERWISE = f'activation (or a polynomial such as {EXAMPLE}, or a JAX function such as "jax.numpy:tanh")'
LABELS = ("value", "sign")
LOSSES = ("squared", "logistic")
MIXTURE_NUMBERS = ("separation", "plane_variance", "rest_variance")


@dataclasses.dataclass(frozen=True)
class ActivationTable:
    """activation = {function = "module:function", odd = true, smooth = true}: the arguments of Activation."""

    function: str
    name: str | None = None
    odd: bool = False
    smooth: bool = False
    continuous: bool = False

    def check(self) -> None:
        """Raise InputError unless the function is named by where it is imported from."""
        if ":" not in self.function:
            raise InputError('activation.function as "module:function"', repr(self.function))


@dataclasses.dataclass(frozen=True)
class CommitteeTable:
    """[task] with kind = "committee": the arguments of Inputs and Committee."""

    fractions: dict[str, float]
    width: int
    kind: str = "committee"
    levels: dict[str, dict[str, float | ScheduleTable]] | None = None
    activation: str | ActivationTable = Usual.activation
    readout: float | list[float] | dict[str, float | list[float]] = 1.0
    support: str | list[str] | None = None
    labels: str = "value"
    noise: float | dict[str, float] | ScheduleTable = 0.0

    @property
    def level_names(self) -> tuple[str, ...]:
        """Names of the levels."""
        return ("all",) if self.levels is None else tuple(self.levels)

    def check(self) -> None:
        """Raise InputError for a name or a number that no committee has."""
        with about_entry("fractions"):
            if not self.fractions:
                raise InputError("fractions as block name -> share of the N dimensions", repr(self.fractions))
        for level, row in (self.levels or {}).items():
            _check_blocks(level, row, self.fractions)
        with about_entry("fractions"):
            _check_sum(self.fractions)
        with about_entry("width"):
            as_width(self.width, "width M of the teacher")
        with about_entry("activation"):
            _check_activation(self.activation)
        with about_entry("readout"):
            for row in self._of_levels(self.readout, "the teacher's readout"):
                if isinstance(row, list) and len(row) != self.width:
                    raise InputError(f"{self.width} readout weights of the teacher", f"shape ({len(row)},)")
        with about_entry("support"):
            for name in (self.support,) if isinstance(self.support, str) else self.support or ():
                require_name(name, self.fractions, "block in the teacher's support")
        with about_entry("labels"):
            require_name(self.labels, LABELS, "kind of labels")
        with about_entry("noise"):
            for entry in self._of_levels(self.noise, "noise"):
                _check_rate(entry, "noise (a standard deviation)")

    def _of_levels(self, entry: Any, quantity: str) -> list[Any]:
        """Return the entries of {level: entry}, and what is one for all levels alone. Raises InputError."""
        if not isinstance(entry, dict):
            return [entry]
        for level in entry:
            with about_entry(level):
                require_name(level, self.level_names, f"level in {quantity}")
        for level in self.level_names:
            if level not in entry:
                raise InputError(f"{quantity} of level {level!r}", f"only {sorted(entry)}", "give one for each level")
        return list(entry.values())


@dataclasses.dataclass(frozen=True)
class XorMixtureTable:
    """[task] with kind = "xor": the arguments of XorMixture."""

    levels: dict[str, dict[str, float | ScheduleTable]]
    kind: str = "xor"

    @property
    def level_names(self) -> tuple[str, ...]:
        """Names of the levels."""
        return tuple(self.levels)

    @property
    def labels(self) -> str:
        """Labels are signs."""
        return "sign"

    def check(self) -> None:
        """Raise InputError for a name that no mixture has."""
        for level, row in self.levels.items():
            with about_entry("levels", level):
                check_mixture_row(level, row)


@dataclasses.dataclass(frozen=True)
class ClusterTable:
    """[task.clusters.NAME]: the entries of one cluster of a Mixture."""

    mean: list[float] | dict[str, list[float]]
    probability: float | None = None
    label: float | None = None
    teacher: list[float] | None = None
    noise: float | None = None
    variances: dict[str, float] | dict[str, dict[str, float]] | None = None

    def entries(self) -> dict[str, Any]:
        """Return the entries that are there."""
        return {name: entry for name, entry in vars(self).items() if entry is not None}


CLUSTER_ENTRIES = tuple(ClusterTable.__dataclass_fields__)


@dataclasses.dataclass(frozen=True)
class MixtureTable:
    """[task] with kind = "mixture": the arguments of Inputs and Mixture."""

    fractions: dict[str, float]
    clusters: dict[str, ClusterTable]
    kind: str = "mixture"
    levels: dict[str, dict[str, float | ScheduleTable]] | None = None
    support: str | list[str] | None = None
    labels: str = "value"

    @property
    def level_names(self) -> tuple[str, ...]:
        """Names of the levels."""
        return ("all",) if self.levels is None else tuple(self.levels)

    def check(self) -> None:
        """Raise InputError for a name or a number of no inputs; what clusters need is checked where they are made."""
        for level, row in (self.levels or {}).items():
            _check_blocks(level, row, self.fractions)
        with about_entry("fractions"):
            _check_sum(self.fractions)
        with about_entry("labels"):
            require_name(self.labels, LABELS, "kind of labels")


@dataclasses.dataclass(frozen=True)
class OwnTaskTable:
    """[task] with kind = "module:Class": a task of the user's own, which its class reads and checks."""

    kind: str

    @property
    def level_names(self) -> None:
        """Not known before the class has been imported, which may load anything."""
        return None

    def check(self) -> None:
        """Leave everything to the class."""


TASKS: dict[str, Any] = {
    "committee": CommitteeTable,
    "mixture": MixtureTable,
    "xor": XorMixtureTable,
}  # kind -> its table


@dataclasses.dataclass(frozen=True)
class StudentTable:
    """[student]: the arguments of Student."""

    width: int
    activation: str | ActivationTable = Usual.activation

    def check(self) -> None:
        """Raise InputError for a width or an activation that no student has."""
        with about_entry("width"):
            as_width(self.width, "width K of the student")
        with about_entry("activation"):
            _check_activation(self.activation)
            if self.activation == "sign":
                raise InputError(
                    "a differentiable activation of the student", "'sign'", "use 'erf'; sign is for teachers only"
                )


@dataclasses.dataclass(frozen=True)
class SGDTable:
    """[sgd]: the arguments of SGD."""

    learning_rate: float | ScheduleTable
    readout_learning_rate: float | ScheduleTable = 0.0
    weight_decay: float | ScheduleTable = 0.0
    loss: str = "squared"

    def check(self) -> None:
        """Raise InputError for a rate below 0 or an unknown loss."""
        for name, entry in vars(self).items():
            if not isinstance(entry, str):
                with about_entry(name):
                    _check_rate(entry, name.replace("_", " "))
        with about_entry("loss"):
            require_name(self.loss, LOSSES, "loss")


@dataclasses.dataclass(frozen=True)
class CurriculumTable:
    """[curriculum]: phases = [["easy", 10.0], [{easy = 0.3, hard = 0.7}, 6.0], ["easy", "hard", 5.0]].

    Each phase is [level or shares, duration], or [initial, final, duration] for a ramp. Or, in place of phases,
    the arguments of Curriculum.ordered: order, shares, duration.
    """

    phases: Any = None
    order: str | list[str] | None = None
    shares: dict[str, float] | None = None
    duration: float | None = None

    def check(self) -> None:
        """Raise InputError unless there are either phases, each of two or three entries, or a budget in an order."""
        budget = [name for name in ("order", "shares", "duration") if getattr(self, name) is not None]
        if (self.phases is None) != (len(budget) == 3) or (self.phases is not None and budget):
            present = [*(["phases"] if self.phases is not None else []), *budget]
            raise InputError("phases, or order, shares and duration, in [curriculum]", present or "neither")
        if self.phases is None:
            return
        with about_entry("phases"):
            self._check_phases()

    def _check_phases(self) -> None:
        if not isinstance(self.phases, list) or not all(isinstance(phase, list) for phase in self.phases):
            raise InputError('curriculum.phases as [["easy", 10.0], ...]', repr(self.phases))
        for phase in self.phases:
            if len(phase) not in (2, 3):
                required = "each phase as (level or shares, duration) or (initial, final, duration)"
                raise InputError(required, repr(tuple(phase)))

    @property
    def naming_levels(self) -> str:
        """The key that names the levels that are shown."""
        return "phases" if self.phases is not None else "shares" if self.order == "mixed" else "order"

    @property
    def level_names(self) -> tuple[str, ...]:
        """Names of the levels that are shown, in the order in which they first appear."""
        if self.phases is None:
            return tuple(self.shares or ()) if self.order == "mixed" else tuple(_names(self.order))
        return tuple(dict.fromkeys(name for phase in self.phases for side in phase[:-1] for name in _names(side)))


@dataclasses.dataclass(frozen=True)
class ProblemTables:
    """The four tables of a problem."""

    task: Any
    student: StudentTable
    sgd: SGDTable
    curriculum: CurriculumTable

    def check(self) -> None:
        """Raise InputError for what can be seen to be wrong without making the problem."""
        for field in dataclasses.fields(self):
            with about_entry(field.name):
                getattr(self, field.name).check()
        with about_entry("curriculum", self.curriculum.naming_levels):
            for level in () if self.task.level_names is None else self.curriculum.level_names:
                require_name(level, self.task.level_names, "level in the curriculum")


def read_problem(tables: Mapping[str, Any]) -> ProblemTables:
    """Return the nested tables task, student, sgd and curriculum, read strictly and checked.

    Raises InputError for unknown and missing entries, and for wrong names and numbers.
    """
    read = {name: read_table(cls, tables.get(name), name) for name, cls in TABLES.items()}
    problem = ProblemTables(_read_task(tables.get("task")), **read)
    problem.check()
    return problem


TABLES: dict[str, Any] = {"student": StudentTable, "sgd": SGDTable, "curriculum": CurriculumTable}


def _read_task(table: Any) -> Any:
    if not isinstance(table, Mapping):
        raise InputError("a table [task]", repr(table), "add it")
    kind = table.get("kind", "committee")
    if isinstance(kind, str) and ":" in kind:
        return OwnTaskTable(kind)
    with about_entry("task", "kind"):
        require_name(kind, TASKS, 'kind of task (or "module:Class", a task of your own)')
    return read_table(TASKS[kind], table, "task")


def check_mixture_row(level: str, row: Any) -> None:
    """Raise InputError unless `row` has the three numbers of a mixture's level, and no others."""
    if not isinstance(row, Mapping):
        raise InputError(f"level {level!r} as {{separation, plane_variance, rest_variance}}", repr(row))
    for name in row:
        if name not in MIXTURE_NUMBERS:
            required = f"{', '.join(MIXTURE_NUMBERS)} in level {level!r} of the mixture"
            with about_entry(name):
                raise InputError(required, repr(name), nearest(name, MIXTURE_NUMBERS))
    for name in MIXTURE_NUMBERS:
        if name not in row:
            raise InputError(f"a {name} in level {level!r} of the mixture", f"only {sorted(row)}", "add it")


def _check_blocks(level: str, row: Mapping[str, float | ScheduleTable], blocks: Iterable[str]) -> None:
    for block, variance in row.items():
        if isinstance(variance, ScheduleTable):
            with about_entry("levels", level, block):
                variance.check()
    for block in row:
        if block not in blocks:
            with about_entry("levels", level, block):
                raise InputError(f"variances of known blocks in level {level!r}", repr(block), nearest(block, blocks))
    for block in blocks:
        if block not in row:
            with about_entry("levels", level, block):
                raise InputError(f"a variance of block {block!r} in level {level!r}", f"only {sorted(row)}")


def _check_sum(fractions: Mapping[str, float]) -> None:
    total = math.fsum(fractions.values())
    if min(fractions.values()) >= 0 and math.isfinite(total) and abs(total - 1) > 1e-9:
        raise InputError("fractions that sum to 1", f"a sum of {total:.12g} of {fractions}")


def _check_rate(entry: float | ScheduleTable, quantity: str) -> None:
    if isinstance(entry, ScheduleTable):
        entry.check()
    else:
        _check_at_least_zero(entry, quantity)


def _check_at_least_zero(number: float, quantity: str) -> None:
    if not math.isfinite(number):
        raise InputError(f"finite numbers for {quantity}", number)
    if number < 0:
        raise InputError(f"{quantity} >= 0", number)


def _check_activation(activation: str | ActivationTable) -> None:
    """Raise InputError for a name or a spelling of no activation.

    Whether "module:function" can be imported is seen when it is, because that may load anything.
    """
    if isinstance(activation, ActivationTable):
        activation.check()
        return
    name = activation
    if name in ACTIVATIONS or ":" in name:
        return
    if name.isidentifier() and not is_polynomial(name):
        require_name(name, ACTIVATIONS, OTHERWISE)
    polynomial(name)


def _names(side: Any) -> Iterable[str]:
    """Return the levels that one entry of a curriculum names.

    There are none where the entry is of a wrong kind, which is seen later.
    """
    if isinstance(side, str):
        return (side,)
    return tuple(name for name in side if isinstance(name, str)) if isinstance(side, (Mapping, list)) else ()
