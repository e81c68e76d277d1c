"""Where a trajectory comes from."""

import dataclasses

from .._public_record import PublicRecord


@dataclasses.dataclass(frozen=True)
class Source(PublicRecord):
    """Where a trajectory comes from.

    Fields:
      engine: "ode" or "sgd".
      method: how averages were computed, or how the simulation was run.
      precision: of the arithmetic.
      dim: the dimension N of a simulation.
      seed: the words of the key in hexadecimal.
      test_samples: the number of samples on which errors and accuracies were measured.
      inputs: "shared" if all runs saw the same samples.
      distribution: of the inputs, where it is not Gaussian.
      integrator: of theory, and whether it was stepped from the host or compiled whole.
    """

    engine: str
    method: str
    precision: str
    dim: int | None = None
    seed: str | None = None  # the key's words in hexadecimal
    test_samples: int | None = None
    inputs: str | None = None
    distribution: str | None = None
    integrator: str | None = None
