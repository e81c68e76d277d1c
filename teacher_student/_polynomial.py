"""Polynomials in x, read from text such as "x**3 - 3*x" without evaluating any code, with exact coefficients."""

import ast
import dataclasses
import functools
import math
import re
import warnings
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from ._errors import InputError

if TYPE_CHECKING:  # a problem file's activations are checked before JAX is loaded
    import jax

LARGEST_DEGREE, LARGEST_COEFFICIENT = 20, 10**30
# A text is measured before anything of it is computed, and each number on the way: 9**20 has 20 digits, its 20th power
# 400, and six such powers inside each other more than there is memory.
LONGEST_TEXT, DEEPEST, MOST_DIGITS = 2000, 100, 300
LARGEST_NUMBER = 10**MOST_DIGITS
LONG = 10**9  # a denominator above it is that of a rounded number, such as a square root
EXAMPLE = '"x**3 - 3*x"'


@dataclasses.dataclass(frozen=True)
class Polynomial:
    """sum_n c_n x^n, an elementwise JAX function; equal coefficients make equal polynomials.

    Coefficients are exact, or, where a square root is among them, numbers in double precision.
    """

    coefficients: tuple[Fraction, ...]  # c_0, c_1, ..., the last one not 0

    def __call__(self, x: "jax.Array") -> "jax.Array":
        import jax.numpy as jnp

        value = jnp.full_like(x, float(self.coefficients[-1]))
        for coefficient in self.coefficients[-2::-1]:
            value = value * x + float(coefficient)
        return value

    def __str__(self) -> str:
        """Return the text in normal form: falling powers and exact coefficients, as in "x**3/6 - x/2"."""
        terms = [_term(c, n) for n, c in reversed(list(enumerate(self.coefficients))) if c]
        return "".join(terms).removeprefix(" + ").replace(" - ", "-", int(terms[0].startswith(" - ")))

    @property
    def degree(self) -> int:
        """The largest power."""
        return len(self.coefficients) - 1

    @property
    def keeps_sign(self) -> bool:
        """Whether sign(p(x)) = sign(x), as far as coefficients tell: only odd powers, none with a minus."""
        return all(c >= 0 if n % 2 else c == 0 for n, c in enumerate(self.coefficients))


def _term(coefficient: Fraction, power: int) -> str:
    size: Any = abs(coefficient.numerator)
    bottom = coefficient.denominator
    if bottom > LONG:  # a number in double precision: its decimals say it exactly
        size, bottom = repr(abs(float(coefficient))), 1
    x = "" if power == 0 else "x" if power == 1 else f"x**{power}"
    top = f"{size}*{x}" if x and size != 1 else x or str(size)
    return f" {'-' if coefficient < 0 else '+'} {top}{'' if bottom == 1 else f'/{bottom}'}"


@functools.lru_cache
def polynomial(text: str) -> Polynomial:
    """Return the polynomial in x that `text` spells.

    It may have numbers, +, -, *, / by a number, **, brackets, and He0 to He20. He_n is Hermite's polynomial with
    E[He_n(z)^2] = n! for z ~ N(0, 1). A number may have any power, so that "He3/6**0.5" is normalised.
    Raises InputError for anything else, for a constant, for a degree above 20, and for a text or a number that is too
    long.
    """
    quoted = repr(text if len(text) <= 80 else f"{text[:60]} ...")
    try:
        coefficients = _read(_parsed(text))
    except (SyntaxError, ValueError, ArithmeticError, RecursionError, MemoryError) as error:
        reason = str(error).partition("\n")[0]
        if isinstance(error, SyntaxError):  # its own text speaks of lines of a file
            reason = "write products and powers as 2*x and x**3"
        elif isinstance(error, ZeroDivisionError):
            reason = "a division by zero"
        raise InputError(f"a polynomial in x such as {EXAMPLE}", quoted, reason) from error
    if len(coefficients) < 2:
        raise InputError("an activation that depends on x", quoted)
    if max(abs(c) for c in coefficients) > LARGEST_COEFFICIENT:
        raise InputError(f"coefficients of at most {LARGEST_COEFFICIENT:.0e} in size", quoted)
    return Polynomial(tuple(_rounded(c) for c in coefficients))


def _parsed(text: str) -> ast.expr:
    """Return the expression of a text that is short and not deeply nested. Raises ValueError for any other."""
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"at most {LONGEST_TEXT} characters")
    if not text.isascii():  # Python takes digits of all scripts, and letters that look like x
        raise ValueError("letters, digits and signs of ASCII only")
    text, depth = text.strip(), 0
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if depth > DEEPEST:
            raise ValueError(f"at most {DEEPEST} brackets inside each other")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python's own warnings of texts such as "2(x)", which the error is about
        tree = ast.parse(text, mode="eval").body
    level: list[ast.AST] = [tree]
    for _ in range(DEEPEST):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return tree
    raise ValueError(f"at most {DEEPEST} operations inside each other")


def is_polynomial(text: str) -> bool:
    """Return whether `text` is the name of a polynomial, x or He3, and not that of a function."""
    return text == "x" or _hermite_order(text) is not None


def _rounded(coefficient: Fraction) -> Fraction:
    """Return the coefficient in double precision if it is a long fraction.

    Only a rounded number can have made such a fraction.
    """
    return Fraction(repr(float(coefficient))) if coefficient.denominator > LONG else coefficient


def _hermite_order(name: str) -> int | None:
    digits = name.removeprefix("He")
    # Python takes digits of all scripts, and refuses to read thousands of them.
    if name == digits or not re.fullmatch("[0-9]{1,2}", digits):
        return None
    return int(digits) if int(digits) <= LARGEST_DEGREE else None


def _hermite(order: int) -> "Coefficients":
    """Return He_n of He_0 = 1, He_1 = x, He_(n+1) = x He_n - n He_(n-1)."""
    below: Coefficients = (Fraction(0),)
    this: Coefficients = (Fraction(1),)
    for n in range(order):
        raised = (Fraction(0), *this)
        below, this = this, tuple(c - n * _at(below, i) for i, c in enumerate(raised))
    return this


Coefficients = tuple[Fraction, ...]


def _read(node: ast.AST) -> Coefficients:
    """Return the coefficients of an expression. Raises ValueError with the reason if it is no polynomial."""
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            if not math.isfinite(value):
                raise ValueError("finite numbers")
            return _trimmed([Fraction(repr(value))])  # 0.1 is 1/10
        case ast.Name(id="x"):
            return Fraction(0), Fraction(1)
        case ast.Name(id=name) if (order := _hermite_order(name)) is not None:
            return _hermite(order)
        case ast.Name(id=name):
            raise ValueError(f"the variable is x, not {name}")
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return tuple(-c for c in _read(inner))
        case ast.UnaryOp(op=ast.UAdd(), operand=inner):
            return _read(inner)
        case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=int() as power)) if type(power) is int:
            base = _read(left)
            return _power(base, power) if len(base) > 1 else _trimmed([_number_power(_at(base, 0), power)])
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _real_power(_read(left), _read(right))
        case ast.BinOp(left=left, op=operation, right=right):
            return _combined(_read(left), operation, _read(right))
    raise ValueError("only numbers, x, +, -, *, /, ** and brackets")


def _combined(a: Coefficients, operation: ast.operator, b: Coefficients) -> Coefficients:
    match operation:
        case ast.Add() | ast.Sub():
            sign = 1 if isinstance(operation, ast.Add) else -1
            pairs = [(_at(a, n), _at(b, n)) for n in range(max(len(a), len(b)))]
            return _trimmed([x + sign * y for x, y in pairs])
        case ast.Mult():
            return _product(a, b)
        case ast.Div() if len(b) < 2:
            return _trimmed([c / _at(b, 0) for c in a])
        case ast.Div():
            raise ValueError("division by a number only")
        case ast.BitXor():
            raise ValueError("powers are written **")
    raise ValueError("only +, -, *, / and **")


def _power(base: Coefficients, power: int) -> Coefficients:
    if not 0 <= power <= LARGEST_DEGREE:
        raise ValueError(f"powers from 0 to {LARGEST_DEGREE}")
    result: Coefficients = (Fraction(1),)
    for _ in range(power):
        result = _product(result, base)
    return result


def _number_power(base: Fraction, power: int) -> Fraction:
    # Powers are exact and have as many digits as they need: 9**9**9 would take all memory, and not end. So would
    # 1.0000001**(10**9), which is not large.
    if abs(power) * math.log10(max(abs(base.numerator), base.denominator)) > MOST_DIGITS:
        raise ValueError(f"numbers of at most {MOST_DIGITS} digits")
    return base**power


def _real_power(base: Coefficients, power: Coefficients) -> Coefficients:
    """Return a number to the power of a number, such as 6**0.5, in double precision."""
    if len(base) > 1 or len(power) > 1:
        raise ValueError("powers of x are whole numbers")
    if _at(base, 0) < 0:
        raise ValueError("powers of negative numbers are whole numbers")
    number, exponent = _at(base, 0), _at(power, 0)
    if exponent.denominator == 1:
        return _trimmed([_number_power(number, int(exponent))])
    return _trimmed([Fraction(repr(float(number) ** float(exponent)))])


def _product(a: Coefficients, b: Coefficients) -> Coefficients:
    if len(a) + len(b) - 2 > LARGEST_DEGREE:
        raise ValueError(f"a degree of at most {LARGEST_DEGREE}")
    rows: list[Any] = [Fraction(0)] * max(len(a) + len(b) - 1, 0)
    for n, x in enumerate(a):
        for m, y in enumerate(b):
            rows[n + m] += x * y
    return _trimmed(rows)


def _at(a: Coefficients, n: int) -> Fraction:
    return a[n] if n < len(a) else Fraction(0)


def _trimmed(rows: list[Fraction]) -> Coefficients:
    """Return the coefficients without zeros at the end. () is the polynomial 0.

    Raises ValueError for a coefficient with too many digits, before anything is computed with it.
    """
    if any(max(abs(c.numerator), c.denominator) > LARGEST_NUMBER for c in rows):
        raise ValueError(f"numbers of at most {MOST_DIGITS} digits")
    while rows and rows[-1] == 0:
        rows = rows[:-1]
    return tuple(rows)
