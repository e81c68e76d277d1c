"""The whole ODE of a problem's structure as sympy equations and LaTeX."""

import dataclasses
import functools
import itertools
from collections.abc import Iterator, Mapping

import jax
import jax.numpy as jnp
import numpy as np
import sympy as sp

from teacher_student import InputError, Overlaps, Problem
from teacher_student.internal import PublicRecord, check_overlaps, level_index

from ..averages import missing_closed_form
from ..moments import require_linear_labels, signed_readouts, unit, units_of
from ._fields import ALPHA, DECAY, ETA, ETA_V, NOISE, Fields, fields
from ._instances import Instances
from ._latex import equation_lines

Parts = tuple[tuple[sp.Expr, sp.Expr], ...]  # prefactors and what they multiply


@dataclasses.dataclass(frozen=True)
class Equations(PublicRecord, Mapping[str, sp.Eq]):
    """The equations d(overlap)/dalpha of one level, by the overlap's name as in `ts.quantities` ("R[relevant][1,1]").

    It is a mapping: `equations["R[1,1]"]` is a sympy Eq, and `for name in equations` goes over all names. With several
    levels the ODE is the sum over levels, each with its Delta_b, weighted with the curriculum's shares.

    Fields:
      problem: whose equations they are.
      fields: the symbols of the local fields' covariances, block by block.
      definitions: what the symbols on the right-hand sides stand for, each in terms of earlier ones.
      rates: name -> the overlap's symbol, and its right-hand side as pairs (prefactor, what it multiplies).
    """

    problem: Problem
    fields: Fields
    definitions: dict[sp.Symbol, sp.Expr]
    rates: dict[str, tuple[sp.Symbol, Parts]]

    def __getitem__(self, name: str) -> sp.Eq:
        """Return the equation of the overlap `name`, as a sympy Eq."""
        symbol, parts = self.rates[name]
        return sp.Eq(sp.Derivative(symbol, ALPHA), sp.Add(*(a * b for a, b in parts)), evaluate=False)

    def __iter__(self) -> Iterator[str]:
        return iter(self.rates)

    def __len__(self) -> int:
        return len(self.rates)

    @property
    def lines(self) -> list[str]:
        r"""Lines of LaTeX, in math mode: the definitions, then the equations.

        A line that continues another one starts with "\quad".
        """
        one, rows = sp.Integer(1), []
        for symbol, value in self.definitions.items():
            rows += equation_lines(symbol, self.fields.sum_over_blocks(symbol) or ((one, value),))
        for symbol, parts in self.rates.values():
            rows += equation_lines(sp.Derivative(symbol, ALPHA), parts)
        return rows

    @property
    def latex(self) -> str:
        """The equations as an align* environment of amsmath, with one row for each of `lines`."""
        rows = ["& " + line if line.startswith(r"\quad") else line.replace(" = ", " &= ", 1) for line in self.lines]
        return "\n".join([r"\begin{align*}", " \\\\\n".join(rows), r"\end{align*}"])

    def evaluate(self, overlaps: Overlaps, level: str | None = None, alpha: float = 0.0) -> dict[str, float]:
        """Return the right-hand sides d(overlap)/dalpha as numbers, by name.

        Arguments:
          overlaps: one state, without leading axes.
          level: the level whose inputs are seen. None is for inputs with one level.
          alpha: the time at which schedules are read, samples / N.

        Raises InputError for overlaps of another shape, and for an unknown level.
        """
        check_overlaps(overlaps, self.problem)
        with jax.enable_x64(True):
            index = level_index(self.problem, level)
            signed = signed_readouts(self.problem.at_level(index), jnp.asarray(overlaps.readout, jnp.float64))
        readout = -np.asarray(signed)[self.problem.student.width :]
        numbers = self.fields.values(self.problem.at(alpha), overlaps, index, readout)
        for symbol, value in self.definitions.items():
            numbers[symbol] = float(sp.lambdify(list(numbers), value)(*numbers.values()))
        expressions = [self[name].rhs for name in self]
        sides = sp.lambdify(list(numbers), expressions, cse=True)(*numbers.values())
        return dict(zip(self, (float(number) for number in sides), strict=True))


TERMS = ("learning_rate", "readout_learning_rate", "weight_decay")  # numbers of SGD that have terms here


def _require_known_terms(problem: Problem) -> None:
    """Raise InputError for a number of SGD whose term is not derived: an equation without it would be another one."""
    for field in dataclasses.fields(problem.sgd):
        value = getattr(problem.sgd, field.name)
        if field.name not in TERMS and not isinstance(value, str) and np.any(np.asarray(value)):
            raise InputError(f"SGD with no more than {', '.join(TERMS)}, to derive its ODE", f"{field.name} = {value}")


MOST_TERMS = 100_000  # of all E[g_k g_l]: an hour of symbols


def _require_few_terms(K: int, M: int) -> None:
    """Raise InputError for units of which there are too many pairs of pairs, I4(k, l, i, j), to write down."""
    terms = (K * (K + 1) // 2) * ((K + M) * (K + M + 1) // 2)
    if terms > MOST_TERMS:
        required = f"at most {MOST_TERMS:,} averages I4(k, l, i, j) to derive, each a symbol of its own"
        raise InputError(required, f"{terms:,} of K = {K}, M = {M}", "take smaller widths: the equations are the same")


def equations(problem: Problem) -> Equations:
    """Return the ODE of `ode.drift` for a problem's structure, derived symbol by symbol.

    Of the problem's numbers only zeros and ones count: terms with a readout rate, weight decay or noise of 0 are left
    out, and so are variances Delta_b that are 1 in every level. Symbols of schedules stand for their values at alpha.

    Raises InputError for a problem without closed form.
    """
    if problem.task.units is None:
        raise InputError("a task that is a sum of units, to derive its equations", type(problem.task).__name__)
    reason = missing_closed_form(problem)
    if reason:
        raise InputError("a problem with closed-form averages", reason, "averages=ode.Sampled() works for any")
    _require_known_terms(problem)
    names, (B, K, M) = problem.inputs.block_names, problem.shape
    _require_few_terms(K, M)
    student, teacher = (unit(activation) for activation in units_of(problem))
    symbols = fields(problem)
    work = Derivation(problem, symbols, Instances(symbols, student, teacher))

    def name(kind: str, b: int, i: int, j: int) -> str:
        return f"{kind}[{names[b]}][{i + 1},{j + 1}]" if B > 1 else f"{kind}[{i + 1},{j + 1}]"

    rates: dict[str, tuple[sp.Symbol, Parts]] = {}
    for b in range(B):
        gram = symbols.gram[b]
        rates |= {name("Q", b, k, l): (gram[k, l], work.Q(b, k, l)) for k in range(K) for l in range(k, K)}
        if problem.task.seen_blocks[b]:
            rates |= {name("R", b, k, m): (gram[k, K + m], work.R(b, k, m)) for k in range(K) for m in range(M)}
    if np.any(problem.sgd.readout_learning_rate):
        rates |= {f"readout[{k + 1}]": (symbols.student_readout[k], work.readout(k)) for k in range(K)}
    return Equations(problem, symbols, symbols.definitions() | work.averages.in_order, rates)


@dataclasses.dataclass(frozen=True)
class Derivation:
    """The terms of each equation, from the averages."""

    problem: Problem
    fields: Fields
    averages: Instances

    @property
    def signed(self) -> list[sp.Expr]:
        """s = (v, -vt)."""
        return [*self.fields.student_readout, *(-readout for readout in self.fields.teacher_readout)]

    def gz(self, b: int, k: int, j: int) -> sp.Expr:
        """Return E[g_k z^b_j] / (Delta_b v_k) = sum_i s_i I3(k, z^b_j / Delta_b, i)."""
        block = self.fields.gram[b]
        return _sum(s * self.averages.I3(k, block[j, k], i, block[j, i]) for i, s in enumerate(self.signed))

    def gg(self, k: int, l: int) -> sp.Expr:
        """Return E[g_k g_l] / (v_k v_l) = sum_ij s_i s_j I4(k, l, i, j) + sigma^2 J2(k, l)."""
        return self._gg[k, l]

    @functools.cached_property
    def _gg(self) -> dict[tuple[int, int], sp.Expr]:
        _, K, _ = self.fields.shape
        noisy = np.any(np.asarray(require_linear_labels(self.problem).noise))
        products = {}
        for k, l in itertools.combinations_with_replacement(range(K), 2):
            terms = [NOISE**2 * self.averages.J2(k, l)] if noisy else []
            for i, first in enumerate(self.signed):
                for j, second in list(enumerate(self.signed))[i:]:
                    terms.append((2 if i < j else 1) * first * second * self.averages.I4(k, l, i, j))
            products[k, l] = _sum(terms)
        return products

    def R(self, b: int, k: int, m: int) -> Parts:
        """Return dR^b_km/dalpha."""
        _, K, _ = self.fields.shape
        rate = -ETA * self.fields.variances[b] * self.fields.student_readout[k]
        return self._with_decay([(rate, self.gz(b, k, K + m))], ETA, self.fields.gram[b][k, K + m])

    def Q(self, b: int, k: int, l: int) -> Parts:
        """Return dQ^b_kl/dalpha."""
        v, variance = self.fields.student_readout, self.fields.variances[b]
        slow = -ETA * variance
        if k == l:
            first = [(2 * slow * v[k], self.gz(b, k, k))]
        else:
            first = [(slow * v[k], self.gz(b, k, l)), (slow * v[l], self.gz(b, l, k))]
        second = (ETA**2 * self.fields.fractions[b] * variance * v[k] * v[l], self.gg(k, l))
        return self._with_decay([*first, second], 2 * ETA, self.fields.gram[b][k, l])

    def readout(self, k: int) -> Parts:
        """Return dv_k/dalpha."""
        slope = _sum(s * self.averages.I2(k, i) for i, s in enumerate(self.signed))
        return self._with_decay([(-ETA_V, slope)], ETA_V, self.fields.student_readout[k])

    def _with_decay(self, parts: list[tuple[sp.Expr, sp.Expr]], rate: sp.Expr, symbol: sp.Symbol) -> Parts:
        decays = np.any(self.problem.sgd.weight_decay)
        return tuple([*parts, (-rate * DECAY, symbol)] if decays else parts)


def _sum(terms: Iterator[sp.Expr] | list[sp.Expr]) -> sp.Expr:
    """Return the sum, with products of sums multiplied out where everything is polynomial."""
    total = sp.Add(*terms)
    return total if total.has(sp.asin, sp.Pow) and not total.is_polynomial() else sp.expand(total)
