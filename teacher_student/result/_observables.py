"""What is recorded at each alpha, and the names under which it is compared and drawn."""

from typing import Any

import equinox as eqx
import numpy as np
from jaxtyping import Float

from .._public_module import PublicModule
from ..problem import Problem
from ..state import Overlaps, entry_name


class Observables(PublicModule):
    """Overlaps, generalisation error and accuracy at recorded alphas.

      error = E (yhat - y)^2 / 2,      accuracy = P(sign(yhat) = sign(y))

    Fields, each with the leading axes (A,) of theory or (runs, A) of a simulation:
      overlaps: the states.
      error: level -> generalisation error on fresh samples of that level, with the noiseless label y.
      accuracy: level -> share of right signs, where sign(0) = 0 counts as a sign of its own. It is empty where it was
        not asked for.
    """

    overlaps: Overlaps
    error: dict[str, Float[Any, "*batch"]]
    accuracy: dict[str, Float[Any, "*batch"]]


class Quantity(PublicModule):
    """One recorded scalar, as `ts.quantities` lists them.

    Fields:
      kind: "Q", "R", "readout", "error" or "accuracy".
      name: such as "Q[relevant][1,2]", "R[1,1]" (of a single block), "readout[1]" or "error[hard]".
      values: (..., A) at the recorded alphas.
    """

    kind: str = eqx.field(static=True)
    name: str = eqx.field(static=True)
    values: Float[np.ndarray, "*batch A"]


def quantities(observables: Observables, problem: Problem) -> list[Quantity]:
    """Return every distinct recorded scalar, each once.

    Q has its upper triangle. T is constant and left out.

    Arguments:
      observables: such as `trajectory.observables`, or its `sampling_error`.
      problem: the one that they are of, which has the names of blocks and levels.
    Returns a list of Quantity: Q, R, the readout, the errors and the accuracies, in this order.
    """
    B, K, M = problem.shape
    blocks = [name if B > 1 else None for name in problem.inputs.block_names]
    overlaps = observables.overlaps
    Q, R, readout = (np.asarray(x) for x in (overlaps.Q, overlaps.R, overlaps.readout))

    scalars = [
        Quantity("Q", entry_name("Q", blocks[b], k + 1, l + 1), Q[..., b, k, l])
        for b in range(B)
        for k in range(K)
        for l in range(k, K)
    ]
    scalars += [
        Quantity("R", entry_name("R", blocks[b], k + 1, m + 1), R[..., b, k, m])
        for b in range(B)
        for k in range(K)
        for m in range(M)
    ]
    scalars += [Quantity("readout", entry_name("readout", None, k + 1), readout[..., k]) for k in range(K)]
    for kind, values in (("error", observables.error), ("accuracy", observables.accuracy)):
        levels = [level for level in problem.inputs.level_names if level in values]
        scalars += [Quantity(kind, entry_name(kind, None, level), np.asarray(values[level])) for level in levels]
    return scalars
