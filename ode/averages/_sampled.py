"""Randomised quasi-Monte Carlo points: how many, how often repeated, in which precision, and for which error."""

from typing import Any

import equinox as eqx
import jax
import numpy as np

from teacher_student import InputError, Problem
from teacher_student.internal import (
    PRECISIONS,
    PublicModule,
    as_count,
    as_key,
    is_integer,
    key_numbers,
    require_memory,
    require_name,
)

from ..moments import look_up, units_of
from ._fixed_sample import FixedSample, dimensions
from ._missing import require_closed_form
from ._sampled_products import SampledProducts
from ._total_sample import TotalSample

MOST_POINTS = 2**30  # of the Sobol sequence of SciPy
# Blocks up to which each has Gaussians of its own, which fluctuations need. Beyond it only the total fields are drawn:
# Sobol points of a thousand dimensions would be hardly better than random ones, and cost as many times more.
MOST_BLOCKS = 6


class Sampled(PublicModule):
    """Averages over scrambled Sobol points.

    The points are fixed for the whole integration, which is repeated with fresh scramblings.

    The integration is done once per scrambling. The result is the mean, and the scatter gives its standard error
    (`Trajectory.sampling_error`). An unstable state, such as a plateau that is being left, amplifies the error of the
    averages (about 1e-4 with 2^12 points) like any perturbation, and the stated error grows with it. A bias of second
    order in that error is not seen by the scatter. With `error` or `products_only` it is: the solve is then repeated
    with half of the points, and the change is part of the stated error.

    Arguments:
      points: points per scrambling, a power of two.
      replicates: independent scramblings. The standard error over n of them is that of Student's t with n - 1 degrees
        of freedom: with 4, a deviation of 6 such errors happens in 1 % of cases. With 1, no error is estimated (NaN),
        as for ensembles of starts, which differ by far more.
      key: a seed or JAX key of the scramblings.
      error: the standard error that every recorded generalisation error is to have at most, in units of the largest one
        of its level. `solve` and `solve_many` then repeat the integration with more points, from `points` up to
        `most_points`, until it does. A warning says where these do not suffice. None takes `points`, whatever comes of
        it.
      most_points: the largest number of points for `error`, a power of two.
      precision: "float64", or "float32" of fields, units and matrix products (sums and overlaps are float64 always).
        The latter has a rounding error of about 1e-6, far below that of sampling, and takes half the time or less where
        K is large.
      products_only: True takes closed forms of everything but E[g g^T], the one average of an erf student whose closed
        form costs K^2 (K + M)^2. That leaves much less noise, at less than half the time.

    Derivatives through a solve are those of the points where nothing jumps, as the student's activation and the task
    declare (`smooth` of ts.Activation and ts.Task: erf and polynomial students of value labels are smooth). Elsewhere,
    as for every accuracy, they go through the law of the fields, with a sampling error of their own. Those of a sign's
    readouts are smoothed by a density at 0, to a few per cent. Derivatives in what a task of your own is made of, and
    in its noise, miss where its labels jump, unless it declares `before_sign` (ts.Task). Where units are linearly
    dependent (a zero or duplicated unit, or a perfect student), a change that makes them independent is missed.

    The cost is points (K + M)^2 per block and evaluation. Of more than 6 blocks, as a spectrum has, only total fields
    are drawn, whose cost does not depend on the number of blocks.
    Raises InputError for numbers that are out of range. Source: randomised quasi-Monte Carlo, Owen 1997.
    """

    points: int = eqx.field(static=True)
    replicates: int = eqx.field(static=True)
    key: Any
    error: float | None = eqx.field(static=True)
    most_points: int = eqx.field(static=True)
    precision: str = eqx.field(static=True)
    products_only: bool = eqx.field(static=True)

    def __init__(
        self,
        points: int = 2**12,
        replicates: int = 4,
        key: Any = 0,
        *,
        error: float | None = None,
        most_points: int = 2**17,
        precision: str = "float64",
        products_only: bool = False,
    ):
        for name, number in (("points", points), ("most_points", most_points)):
            if not is_integer(number) or number < 2 or number & (number - 1):
                raise InputError(f"a power of two as {name} (Sobol points are balanced only then)", number)
            if number > MOST_POINTS:
                raise InputError(f"at most 2^30 as {name} (Sobol points have 30 bits)", number)
        as_count(replicates, "number of replicates", "with 1 no error is estimated")
        if error is not None:
            if not isinstance(error, (float, int, np.floating)) or not 0 < error < 1:
                raise InputError("an error between 0 and 1, of the largest generalisation error", repr(error))
            error = float(error)
            if replicates < 2:
                raise InputError("replicates >= 2, to estimate the error that is asked for", replicates)
            if most_points < points:
                raise InputError(f"most_points >= points = {points}", most_points)
        require_name(precision, PRECISIONS, "precision")
        if not isinstance(products_only, bool):
            raise InputError("products_only=True or False", repr(products_only))
        self.points, self.replicates = int(points), int(replicates)
        with jax.ensure_compile_time_eval():
            self.key = as_key(key)
        self.error, self.most_points, self.precision = error, int(most_points), precision
        self.products_only = products_only

    @property
    def name(self) -> str:
        """What `Source.method` says of trajectories that come from these averages: how many points, and which part."""
        part = "closed form, E[g g] sampled" if self.products_only else "sampled"
        asked = "" if self.error is None else f", for an error of {self.error:g}"
        rounded = "" if self.precision == "float64" else f", {self.precision}"
        return f"{part}, {self.replicates} x {self.points} points{asked}{rounded}"

    def draw(self, problem: Problem) -> FixedSample | SampledProducts:
        """Return the points of every scrambling, standard normal, with the leading axis `replicates`.

        One scrambling, `jax.tree.map(lambda x: x[0], sampled.draw(problem))`, serves as averages of `ode.drift`.

        Arguments: problem: gives the number of Gaussians, one for each block's fields (or, of many blocks, each total
        field) and one for the label's noise.
        Raises InputError for `products_only` where the problem's units have no closed forms of the rest.
        """
        if self.products_only:
            require_closed_form(problem)
            if look_up("sampled products", *units_of(problem)) is None:
                unit = problem.student.activation.name
                raise InputError("an erf student with products_only=True", repr(unit), "use averages=ode.ClosedForm()")
        fields, many = problem.student.width + problem.task.latents, problem.shape[0] > MOST_BLOCKS
        # The last one is for label noise.
        count = fields if self.products_only else 1 + (fields if many else sum(dimensions(problem)))
        # All scramblings as they are drawn and put together, and one of them as uniform numbers beside.
        need = 8 * self.points * count * (2 * self.replicates + 2)
        name = f"{self.replicates:,} x {self.points:,} points of {count} numbers"
        require_memory(need, name, "take fewer points or replicates")
        seeds = np.random.SeedSequence(key_numbers(self.key)).spawn(self.replicates)
        drawn = np.stack([_normals(self.points, count, seed).astype(self.precision) for seed in seeds])
        if self.products_only:
            return SampledProducts(drawn)
        return TotalSample(drawn) if many else FixedSample(drawn)


def _normals(points: int, dimensions: int, seed: np.random.SeedSequence) -> np.ndarray:
    from scipy.special import ndtri
    from scipy.stats import qmc  # a second to import: only what is sampled needs it

    # A Sobol point can be 0, whose normal number would be minus infinity: points are clipped.
    sobol = qmc.Sobol(dimensions, scramble=True, rng=np.random.default_rng(seed))
    return np.ascontiguousarray(ndtri(np.clip(sobol.random(points), 2.0**-33, 1 - 2.0**-33)).T)
