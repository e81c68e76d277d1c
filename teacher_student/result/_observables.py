"""What is recorded at each alpha, and the names under which it is compared and drawn."""

from typing import Any

import equinox as eqx
import numpy as np
from jaxtyping import Float

from ..problem import Problem
from ..state import Overlaps


class Observables(eqx.Module):
    """Overlaps, generalisation error and accuracy at recorded alphas.

    `error[level]` is E (yhat - y)^2 / 2 on fresh samples of that level, with the noiseless label. `accuracy[level]` is
    the share of samples with sign(yhat) = sign(y), where sign(0) = 0 counts as a sign of its own. It is empty where it
    was not asked for.
    """

    overlaps: Overlaps
    error: dict[str, Float[Any, "*batch"]]
    accuracy: dict[str, Float[Any, "*batch"]]


class Quantity(eqx.Module):
    """One scalar quantity: its kind ("Q", "R", "readout", "error" or "accuracy"), its name, and its values."""

    kind: str = eqx.field(static=True)
    name: str = eqx.field(static=True)
    values: Float[np.ndarray, "*batch A"]


def quantities(observables: Observables, problem: Problem) -> list[Quantity]:
    """Return every distinct recorded scalar, each once.

    Q has its upper triangle. T is constant and left out.
    """
    B, K, M = problem.shape
    blocks = problem.inputs.block_names
    overlaps = observables.overlaps
    Q, R, readout = (np.asarray(x) for x in (overlaps.Q, overlaps.R, overlaps.readout))

    def label(kind: str, b: int, i: int, j: int) -> str:
        return f"{kind}[{blocks[b]}][{i + 1},{j + 1}]" if B > 1 else f"{kind}[{i + 1},{j + 1}]"

    scalars = [
        Quantity("Q", label("Q", b, k, l), Q[..., b, k, l]) for b in range(B) for k in range(K) for l in range(k, K)
    ]
    scalars += [
        Quantity("R", label("R", b, k, m), R[..., b, k, m]) for b in range(B) for k in range(K) for m in range(M)
    ]
    scalars += [Quantity("readout", f"readout[{k + 1}]", readout[..., k]) for k in range(K)]
    for kind, values in (("error", observables.error), ("accuracy", observables.accuracy)):
        levels = [level for level in problem.inputs.level_names if level in values]
        scalars += [Quantity(kind, f"{kind}[{level}]", np.asarray(values[level])) for level in levels]
    return scalars
