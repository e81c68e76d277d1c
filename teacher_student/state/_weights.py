"""The weights of finite-size students and of what their teacher sees: what a simulation steps, and may keep."""

from typing import Any

import numpy as np
from jaxtyping import Array, Float

from .._public_module import PublicModule
from ._pruning import units_that_stay


class Weights(PublicModule):
    """The state of one run, or of many with a leading axis of runs.

    student: weights w of the hidden units. latents: directions u that the teacher sees. readout: v.
    Fields are w . x / sqrt(N), so that entries are of order 1. Input dimensions are ordered by block, with sizes
    `problem.inputs.sizes(N, M)`.
    """

    student: Float[Array, "*runs K N"]
    latents: Float[Array, "*runs M N"]
    readout: Float[Array, "*runs K"]

    def prune(self, units: Any) -> "Weights":
        """Return the weights that are left when only `units` stay, in that order; the twin of `ts.Overlaps.prune`.

        Arguments: units: (n,) distinct indices of hidden units, the same for all runs.
        Raises InputError for none, repeated ones, or units that the student does not have.
        """
        kept = units_that_stay(units, np.shape(self.readout)[-1])
        return Weights(self.student[..., kept, :], self.latents, self.readout[..., kept])
