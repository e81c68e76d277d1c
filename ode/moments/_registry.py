"""The registry of closed forms: one row for each Gaussian average of units, with the function that computes it.

Whatever asks whether something has a closed form looks it up here: `missing_closed_form`, `error_is_closed`,
`fastest_averages`, `ode.derive`. A closed form is added in one place, where its formula stands:

  average             units                    function
  "slope"             (f,)                     v -> E[f'(a)]
  "square"            (f,)                     v -> E[f(a)^2], of units whose I2 misses it by rounding
  "I2"                (f, g)                   C11, C12, C22 -> E[f(a) g(b)]
  "I4"                (student, f, g)          C11, C12, ..., C44 -> E[s'(a) s'(b) f(c) g(d)]
  "step"              (student, teacher)       the averages of one SGD step, by other ways than I2 and I4
  "tilted square"     (student, teacher)       E[(yhat - y)^2] under the density times phi'(a) phi'(b)
  "sampled products"  (student, teacher)       the averages of one SGD step, with E[g_k g_l] over points

a, b, c, d are jointly Gaussian, of mean 0 and covariance C.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

from teacher_student import Activation
from teacher_student.internal import Kind

Function = Callable[..., Any]
PLURALS = {"polynomial": "polynomials"}


@dataclasses.dataclass(frozen=True)
class Row:
    """One closed form.

    function: takes the units, then what the table above says. derivatives: of an I2, the same with the orders (m, n) of
    E[f^(m)(a) g^(n)(b)] as its last argument; None: Price's theorem gives them. expression: in sympy, or None.
    """

    function: Function
    derivatives: Function | None = None
    expression: Any = None


_ROWS: dict[tuple[str, tuple[Kind, ...]], Row] = {}


def row_for(average: str, *kinds: Kind) -> Callable[[Function], Function]:
    """Enter the decorated function as the row of an average of units of these kinds."""

    def enter(function: Function) -> Function:
        enter_row(average, kinds, Row(function))
        return function

    return enter


def enter_row(average: str, kinds: tuple[Kind, ...], row: Row) -> None:
    """Enter a row, which must not be there."""
    assert (average, kinds) not in _ROWS
    _ROWS[average, kinds] = row


def look_up(average: str, *units: Activation) -> Row | None:
    """Return the row of an average of these units, None where it is not known in closed form."""
    return _ROWS.get((average, tuple(unit.kind for unit in units)))


def kinds_with(average: str, position: int, student: Kind | None = None) -> set[Kind]:
    """Return the kinds that stand at a place of any row of an average; student: only of rows that begin with this."""
    rows = (kinds for name, kinds in _ROWS if name == average)
    return {kinds[position] for kinds in rows if student is None or kinds[0] == student}


def in_words(kinds: set[Kind]) -> str:
    """Return the kinds as words of a sentence, such as "erf, linear and polynomials"."""
    names = sorted(PLURALS.get(kind, kind) if isinstance(kind, str) else repr(kind.name) for kind in kinds)
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1]))) if names else "none"
