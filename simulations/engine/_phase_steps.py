"""The curriculum in steps: when phases begin and end in a run of N dimensions."""

from typing import Any

import equinox as eqx
import numpy as np
from jaxtyping import Float, Int

from teacher_student import Problem

MOST_STEPS = 2**31 - 1  # of a run: steps are counted in 32 bits


class PhaseSteps(eqx.Module):
    """The curriculum in steps.

    begins, ends: steps at which phases begin and end, none beyond those that a run can have. lengths: steps of the
    phases. last: index of the last phase that has a step. Phases without steps, such as those that a
    curriculum is filled up with, have no sample.
    """

    begins: Int[Any, "*batch P"]
    ends: Int[Any, "*batch P"]
    lengths: Float[Any, "*batch P"]
    last: Int[Any, "*batch"]


def phase_steps(problem: Problem, dim: int) -> PhaseSteps:
    """Return the curriculum of `problem` in steps of 1/N.

    Its arrays are NumPy's: JAX's would be compiled for, number of phases by number of phases.
    """
    ends = np.rint(np.asarray(problem.curriculum.switches) * dim)
    begins = np.concatenate([[0.0], ends[:-1]])
    # A curriculum may be longer than any run: its later steps would overflow 32 bits and become negative.
    first, end = (np.minimum(steps, MOST_STEPS).astype(np.int32) for steps in (begins, ends))
    last = np.max(np.flatnonzero(ends > begins), initial=0)
    return PhaseSteps(first, end, ends - begins, np.int32(last))
