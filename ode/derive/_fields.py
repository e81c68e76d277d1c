r"""The symbols of an ODE: overlaps per block, variances and rates, and the covariances C = sum_b Delta_b Omega^b."""

import dataclasses
from typing import Any

import numpy as np
import sympy as sp

from teacher_student import Overlaps, Problem
from teacher_student.internal import is_schedule

from ..moments import require_linear_labels

ETA, ETA_V, DECAY, NOISE, ALPHA = sp.symbols(r"\eta \eta_v \gamma \sigma \alpha", positive=True)


@dataclasses.dataclass(frozen=True)
class Fields:
    """Symbols of one problem's structure; fields are numbered students first, then latents."""

    shape: tuple[int, int, int]
    names: tuple[str, ...]  # of the fields, as in LaTeX
    gram: tuple[sp.Matrix, ...]  # Omega^b, with 0 where the teacher sees nothing
    variances: tuple[sp.Expr, ...]  # Delta_b of one level; 1 if that is what all of them are
    fractions: tuple[sp.Expr, ...]  # rho_b
    student_readout: tuple[sp.Symbol, ...]
    teacher_readout: tuple[sp.Symbol, ...]
    covariance: sp.Matrix  # C: symbols of its own, unless it is Omega itself

    def definitions(self) -> dict[sp.Symbol, sp.Expr]:
        """Return what C stands for."""
        symbols = [symbol for symbol in dict.fromkeys(self.covariance) if symbol not in self.gram[0]]
        return {symbol: sp.Add(*(a * b for a, b in self.sum_over_blocks(symbol))) for symbol in symbols}

    def sum_over_blocks(self, symbol: sp.Symbol) -> tuple[tuple[sp.Expr, sp.Expr], ...]:
        """Return the pairs (Delta_b, Omega^b_ij) of an entry of C, and () for another symbol."""
        if symbol not in self.covariance:
            return ()
        i, j = divmod(list(self.covariance).index(symbol), self.covariance.cols)
        pairs = zip(self.variances, (gram[i, j] for gram in self.gram), strict=True)
        return tuple((variance, entry) for variance, entry in pairs if entry != 0)

    def values(self, problem: Problem, overlaps: Overlaps, level: int, readout: Any) -> dict[sp.Symbol, float]:
        """Return the number that each symbol stands for. Arguments: readout: the teacher's."""
        sgd, inputs = problem.sgd, problem.inputs
        numbers: dict[Any, Any] = dict(zip(self.student_readout, overlaps.readout, strict=True))
        numbers |= dict(zip(self.teacher_readout, np.asarray(readout), strict=True))
        numbers |= dict(zip(self.variances, inputs.variances[level], strict=True))
        numbers |= dict(zip(self.fractions, inputs.fractions, strict=True))
        for symbols, entries in zip(self.gram, overlaps.gram, strict=True):
            numbers |= dict(zip(symbols, np.asarray(entries).ravel(), strict=True))
        numbers |= {ETA: sgd.learning_rate, ETA_V: sgd.readout_learning_rate, DECAY: sgd.weight_decay}
        numbers[NOISE] = require_linear_labels(problem.at_level(level)).noise
        return {symbol: float(number) for symbol, number in numbers.items() if symbol.is_Symbol}


def fields(problem: Problem) -> Fields:
    """Return the symbols of a problem's structure. Its numbers count only as far as they are 0 or 1."""
    B, K, M = problem.shape
    blocks = [name.replace("_", r"\_") for name in problem.inputs.block_names]
    tags = [rf"^{{\mathrm{{{name}}}}}" if B > 1 else "" for name in blocks]
    lows = [rf"_{{\mathrm{{{name}}}}}" if B > 1 else "" for name in blocks]
    variances = problem.inputs.variances
    plain = not is_schedule(variances) and bool(np.all(np.asarray(variances) == 1))
    names = (*(_indexed(r"\lambda", k) for k in range(K)), *(_indexed(r"\nu", m) for m in range(M)))
    gram = tuple(_gram(tag, K, M, seen) for tag, seen in zip(tags, problem.task.seen_blocks, strict=True))
    covariance = sp.Matrix(K + M, K + M, lambda i, j: _symbol(f"C_{{{names[min(i, j)]} {names[max(i, j)]}}}", i == j))
    return Fields(
        problem.shape,
        names,
        gram,
        tuple(sp.Integer(1) if plain else sp.Symbol(rf"\Delta{low}", positive=True) for low in lows),
        tuple(sp.Integer(1) if B == 1 else sp.Symbol(rf"\rho{low}", positive=True) for low in lows),
        tuple(sp.Symbol(_indexed("v", k), real=True) for k in range(K)),
        tuple(sp.Symbol(_indexed(r"\tilde{v}", m), real=True) for m in range(M)),
        gram[0] if B == 1 and plain else covariance,
    )


def _gram(tag: str, K: int, M: int, seen: bool) -> sp.Matrix:
    def entry(i: int, j: int) -> sp.Expr:
        i, j = min(i, j), max(i, j)
        letter, first, second = ("Q", i, j) if j < K else ("R", i, j - K) if i < K else ("T", i - K, j - K)
        if letter != "Q" and not seen:
            return sp.Integer(0)
        comma = "," if max(K, M) > 9 else ""
        return _symbol(f"{letter}{tag}_{{{first + 1}{comma}{second + 1}}}", letter != "R" and first == second)

    return sp.Matrix(K + M, K + M, entry)


def _indexed(letter: str, index: int) -> str:
    return f"{letter}_{index + 1}" if index < 9 else f"{letter}_{{{index + 1}}}"


def _symbol(name: str, positive: bool) -> sp.Symbol:
    return sp.Symbol(name, positive=True) if positive else sp.Symbol(name, real=True)
