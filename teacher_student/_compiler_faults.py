"""Programs that a release of XLA compiles wrongly, and the flag that makes them right.

On CPUs, XLA of jaxlib 0.10.2 hands a sum and what surrounds it to YNNPACK as one piece, and some of these pieces give
wrong numbers: where the sum goes through a product of matrices into another one (of the means of fields into the fields
of points, for 36 fields and 500 points, say), and where products of many rows are summed (jax-ml/jax#39103). Releases
before and after it are right. Any program may hold such a piece, users' own too, so that the whole process goes without
them, and those that it starts.
"""

import os
import warnings

from ._compiler import jax_has_started

WRONG = {"0.10.2"}  # releases of jaxlib
FLAG = "xla_cpu_experimental_ynn_fusion_type"
WITHOUT_SUMS = f"--{FLAG}=-reduce"


def leave_out_wrong_pieces() -> None:
    """Tell XLA by XLA_FLAGS, in a release that needs it. What the user says there of the same stays.

    Packages call it when they are imported: XLA reads its flags once, before the first computation. A warning says if
    that was before.
    """
    from jaxlib.version import __version__  # imports nothing of JAX

    flags = os.environ.get("XLA_FLAGS", "")
    if __version__ not in WRONG or FLAG in flags:
        return
    if jax_has_started():
        text = (
            f"results may be wrong: jaxlib {__version__} compiles some sums wrongly on CPUs, unless XLA_FLAGS has "
            f"{WITHOUT_SUMS} before JAX computes anything; import teacher_student first, which sets it, or install "
            "another jaxlib"
        )
        warnings.warn(text, RuntimeWarning, stacklevel=3)
        return
    os.environ["XLA_FLAGS"] = f"{flags} {WITHOUT_SUMS}".strip()
