"""Where a trajectory comes from."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Source:
    """Where a trajectory comes from: engine "ode" or "sgd", method, precision, dimension, seed, and the samples.

    integrator: of theory, and whether it was stepped from the host or compiled whole.
    inputs: "shared" if all runs saw the same samples. distribution: of the inputs, where it is not Gaussian.
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
