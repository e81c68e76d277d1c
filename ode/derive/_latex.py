"""Equations as lines of LaTeX that fit a page: sums are broken between their terms."""

import re

import sympy as sp

WIDTH = 130  # symbols on a line


def equation_lines(left: sp.Expr, parts: tuple[tuple[sp.Expr, sp.Expr], ...]) -> list[str]:
    r"""Return `left = sum of prefactor * bracket` over as many lines as it takes.

    Continued lines start with "\quad".
    """
    words: list[str] = []
    for prefactor, bracket in parts:
        terms = list(sp.Add.make_args(bracket))
        if prefactor == 1:
            words += [_signed(term) for term in terms]
            continue
        if bracket.is_Symbol:
            words.append(f"{_signed(prefactor)} {sp.latex(bracket)}")
            continue
        if len(terms) == 1:
            words.append(_signed(prefactor * bracket))
            continue
        inner = [_signed(term) for term in terms]
        words += [f"{_signed(prefactor)} \\Bigl[ {inner[0].removeprefix('+ ')}", *inner[1:-1], f"{inner[-1]} \\Bigr]"]
    words[0] = words[0].removeprefix("+ ")
    start = f"{_left(left)} = "
    lines = [start + words[0]] if words else [start + "0"]
    for word in words[1:]:
        if _length(lines[-1]) + _length(word) > WIDTH:
            lines.append(r"\quad " + word)
        else:
            lines[-1] += " " + word
    return lines


def _length(latex: str) -> int:
    """Return the number of symbols, in which a command counts as one, and braces and positions as none."""
    plain = re.sub(r"\\(mathrm|left|right|quad|Bigl|Bigr|frac|tilde|operatorname)", "", latex)
    return len(re.sub(r"[{}^_ ]", "", re.sub(r"\\[a-zA-Z]+", "x", plain)))


def _left(left: sp.Expr) -> str:
    if isinstance(left, sp.Derivative):
        return rf"\frac{{d {sp.latex(left.expr)}}}{{d\alpha}}"
    latex: str = sp.latex(left)
    return latex


def _signed(term: sp.Expr) -> str:
    """Return the term's LaTeX after its sign."""
    negative = term.could_extract_minus_sign()
    return f"{'-' if negative else '+'} {sp.latex(-term if negative else term)}"
