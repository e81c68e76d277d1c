"""Closed forms of the user's own units: entered by `ode.add_closed_form`, and checked before they are."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import sympy as sp

from teacher_student import Activation, InputError
from teacher_student.internal import as_activation, first_line, require_name

from ._registry import Row, enter_row, look_up
from ._symbols import symbols, to_jax

UNITS = {"slope": "f", "square": "f", "I2": "f, g", "I4": "student, f, g"}
FIELDS = {"slope": 1, "square": 1, "I2": 2, "I4": 4}
POINTS, SCRAMBLINGS, LARGEST_Z = 2**12, 8, 8.0  # of the check: Student's t with 7 degrees of freedom exceeds 8 in 1e-4


def add_closed_form(average: str, units: Sequence[Activation | str], formula: Any) -> None:
    """Enter a closed form of your own units. From then on `ode.ClosedForm` and `ode.derive` use it.

    With fields a, b, c, d of mean 0 and covariance C, the averages are

      "I2", units (f, g): E[f(a) g(b)], a function of C11, C12, C22;
      "I4", units (phi, f, g): E[phi'(a) phi'(b) f(c) g(d)], of C11, C12, C13, C14, C22, C23, C24, C33, C34, C44;
      "slope", units (f,): E[f'(a)], and "square", units (f,): E[f(a)^2], each of C11.

    The generalisation error needs I2 of student and student, student and teacher, teacher and teacher. The drift needs
    in addition I4 of (phi, phi, phi), (phi, phi, psi) and (phi, psi, psi) for students phi and a teacher's psi. What
    else it needs follows from these by the theorems of Price and Stein. Students that are erf or linear have no drift
    in closed form with a teacher of your own: no I4 of theirs alone is entered. Enter it in the module of the
    unit, so that other processes find it too.

    Arguments:
      average: one of these names.
      units: an `ts.Activation` of your own, and others or names such as "erf".
      formula: an expression of sympy in the symbols `ode.derive.symbols(n)`, C11, C12 and so on. Or a function of JAX
        operations, elementwise in arrays of these covariances, which `ode.derive` cannot print.

    Raises InputError for units that are all built in, for an average that is entered already, and for a formula that
    differs from the mean over 8 x 4096 scrambled Sobol points by more than 8 of its standard errors, at one of five
    covariances, or of I2 in its derivative with respect to C12.
    """
    require_name(average, UNITS, "average of units")
    if not isinstance(units, (tuple, list)):
        raise InputError(f"a tuple of units ({UNITS[average]})", type(units).__name__)
    known = tuple(as_activation(unit) for unit in units)
    if len(known) != len(UNITS[average].split(", ")):
        raise InputError(f"units ({UNITS[average]}) of {average}", f"{len(known)} of them")
    if all(isinstance(unit.kind, str) for unit in known):
        raise InputError("a unit of your own among those of a closed form", ", ".join(unit.name for unit in known))
    if look_up(average, *known) is not None:
        raise InputError(f"an {average} that is not entered yet", ", ".join(unit.name for unit in known), "start anew")
    row = _row(average, formula)
    _check(average, known, row)
    enter_row(average, tuple(unit.kind for unit in known), row)


def _row(average: str, formula: Any) -> Row:
    C = symbols(FIELDS[average])
    if callable(formula) and not isinstance(formula, sp.Basic):
        function, expression = formula, None
    else:
        expression = _expression(formula, C)
        try:
            function = to_jax(expression, C)
        except Exception as error:  # what sympy has no JAX for, such as an integral that is left
            reason = first_line(error)
            raise InputError("an expression of functions that JAX has", reason, "or enter a JAX function") from error
    return Row(lambda *arguments: function(*arguments[len(UNITS[average].split(", ")) :]), expression=expression)


def _expression(formula: Any, C: sp.Matrix) -> sp.Expr:
    try:
        expression = sp.sympify(formula)
        if not isinstance(expression, sp.Expr):
            raise TypeError(f"a {type(formula).__name__}")
    except (sp.SympifyError, TypeError, SyntaxError) as error:
        raise InputError("a sympy expression or a JAX function as a closed form", first_line(error)) from error
    by_name = {symbol.name: symbol for symbol in C}
    expression = expression.subs({symbol: by_name.get(symbol.name, symbol) for symbol in expression.free_symbols})
    foreign = sorted(symbol.name for symbol in expression.free_symbols - set(C))
    if foreign:
        raise InputError(f"a closed form in {', '.join(sorted(by_name))}", f"the symbols {', '.join(foreign)}")
    return expression


def _check(average: str, units: tuple[Activation, ...], row: Row) -> None:
    """Raise InputError unless the formula is the average, as far as random points can tell."""
    with jax.enable_x64(True), jax.ensure_compile_time_eval():
        for root in _roots(FIELDS[average]):
            C, z = root @ root.T, _fields(root)
            _compare(average, units, C, _value(average, units, row, C), _product(average, units, z))
            if average == "I2":  # the drift takes its derivative too, also where a unit meets itself
                slope, product = _slope(units, row, C), units[0].derivative(z[0]) * units[1].derivative(z[1])
                _compare("dI2/dC12", units, C, slope, product)


def _roots(size: int) -> list[np.ndarray]:
    """Return square roots of covariances: two of unit size, a large, a small one, and one of fields that are equal."""
    rng = np.random.default_rng(0)
    roots = [
        # The second part keeps the covariance away from singular ones, where some formulas are but limits.
        scale * np.hstack([rng.standard_normal((size, size)) / np.sqrt(size), 0.3 * np.eye(size)])
        for scale in (1.0, 1.0, 2.0, 0.2)
    ]
    # E[g_k g_l] has k = l and i = j, where a and b, and c and d, are one field each.
    pairs = np.repeat(np.eye(max(size // 2, 1)), 2, axis=0)[:size]
    return [*roots, pairs @ np.array([[1.0, 0.0], [0.5, 0.8]])[: pairs.shape[1], : pairs.shape[1]]]


def _compare(average: str, units: tuple[Activation, ...], C: np.ndarray, value: float, product: jax.Array) -> None:
    """Raise InputError unless `value` is the mean of `product` (SCRAMBLINGS, POINTS) within its error."""
    means = np.mean(np.asarray(product), axis=-1)
    mean, error = means.mean(), means.std(ddof=1) / np.sqrt(SCRAMBLINGS)
    # The second term is for averages that do not scatter, such as the slope of a linear unit, whose standard error
    # is 0. Written with `not`, so that a formula that gives NaN is refused as well.
    if not abs(value - mean) <= LARGEST_Z * error + 1e-9 * (1 + abs(mean)):
        names = ", ".join(unit.name for unit in units)
        required = f"{average} of {names}, {mean:.6g} +- {error:.1g} at C = {np.round(C, 3).tolist()}"
        raise InputError(required, f"{value:.6g} from the formula", "mend the formula, or leave it to points")


def _value(average: str, units: tuple[Activation, ...], row: Row, C: np.ndarray) -> float:
    upper = [jnp.full(3, C[i, j]) for i in range(len(C)) for j in range(i, len(C))]
    try:
        value = np.asarray(row.function(*units, *upper))
        if value.dtype.kind not in "iuf":
            raise TypeError(f"values of type {value.dtype}, not real numbers")
    except Exception as error:  # the user's formula may raise anything
        raise InputError(f"an elementwise JAX function for {average}", first_line(error)) from error
    if value.shape != (3,):
        raise InputError(f"an elementwise function for {average}, (3,) -> (3,)", f"shape {value.shape}")
    return float(value[0])


def _slope(units: tuple[Activation, ...], row: Row, C: np.ndarray) -> float:
    """Return dI2/dC12 of the formula, which is E[f'(a) g'(b)] by Price's theorem."""
    upper = [jnp.full(3, C[i, j]) for i, j in ((0, 0), (0, 1), (1, 1))]
    tangents = [jnp.full(3, along) for along in (0.0, 1.0, 0.0)]
    return float(jax.jvp(lambda *C: row.function(*units, *C), upper, tangents)[1][0])


def _fields(root: np.ndarray) -> jax.Array:
    """Return (fields, SCRAMBLINGS, POINTS) points of fields of covariance root root^T."""
    from scipy.special import ndtri
    from scipy.stats import qmc

    drawn = []
    for seed in range(SCRAMBLINGS):
        # A Sobol point can be 0, whose normal number would be minus infinity: points are clipped.
        sobol = qmc.Sobol(root.shape[1], scramble=True, rng=np.random.default_rng(seed))
        drawn.append(ndtri(np.clip(sobol.random(POINTS), 2.0**-33, 1 - 2.0**-33)))
    return jnp.asarray(np.einsum("fn,spn->fsp", root, np.stack(drawn)))


def _product(average: str, units: tuple[Activation, ...], z: jax.Array) -> jax.Array:
    if average == "slope":
        return units[0].derivative(z[0])
    if average == "square":
        return units[0](z[0]) ** 2
    if average == "I2":
        return units[0](z[0]) * units[1](z[1])
    student, first, second = units
    return student.derivative(z[0]) * student.derivative(z[1]) * first(z[2]) * second(z[3])
