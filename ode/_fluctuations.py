"""`ode.fluctuations`: how runs of finite N spread around the ODE, and where their mean lies."""

import dataclasses
from typing import Any

import jax
import numpy as np

from teacher_student import (
    DIVERGENCE_BOUND,
    Fluctuations,
    InputError,
    Overlaps,
    Problem,
    Status,
    Trajectory,
)
from teacher_student.internal import (
    ALWAYS_THERE,
    as_numbers,
    ending,
    is_known,
    number_of_entries,
    refuse_fork,
    remedy_of,
    require_memory,
    to_host,
)

from ._host_expansion import expand_from_host
from ._method import Tolerances, method_for
from ._refine_points import require_given_points
from ._solve import check_solve, solve, with_integrator_error
from .averages import Averages, ClosedForm, FixedSample, Sampled, missing_closed_form

TOLERANCES = {True: (1e-4, 1e-6), False: (1e-3, 1e-5)}  # of Sigma and m1, by whether the drift's averages are exact
SINGULAR = 1e-10  # smallest eigenvalue of the fields' covariance, in units of the largest, to differentiate averages


def fluctuations(
    problem: Problem,
    start: Overlaps,
    alphas: Any,
    *,
    averages: Averages | Sampled | None = None,
    sample: Sampled | None = None,
    start_covariance: Any | None = None,
    with_accuracy: bool | None = None,
    rtol: float | None = None,
    atol: float | None = None,
    max_steps: int = 100_000,
    bound: float = DIVERGENCE_BOUND,
) -> Trajectory:
    """Solve, and add the integrator's error and the spread and the mean shift of runs of finite N.

      overlaps of a run = ODE + N^(-1/2) xi + m1 / N,      Sigma = Cov(xi),      m1 = 0 at the start
      dSigma/dalpha = A Sigma + Sigma A^T + D,      dm1/dalpha = A m1 + (1/2) Hessian(f) : Sigma + c - (1/2) A f

    This holds for runs that all start from the overlaps `start` (Sigma = 0 there), or from random ones whose law
    `ts.start_law` gives. The result's `fluctuations` has Sigma, the variance and the shift of every quantity, the joint
    law of a run at all alphas (`law`), and the derivative of the trajectory in every number of problem and start
    (`responses`). Its `integrator_error` is twice the change when both tolerances are halved. `Trajectory.breakdown`
    says from which alpha on the expansion does not hold at an N. Blocks have rho_b N dimensions and switches fall on
    whole steps. At an N where these are rounded, that shifts the mean by order 1/N too, which is not part of m1.

    Arguments:
      problem, start, alphas, with_accuracy, rtol, atol, max_steps, bound: as in `solve`.
      averages: as in `solve`, those of the drift f and its derivatives.
      sample: the points for what has no closed form, above all the covariance D of one step (averages over four units).
        None means `averages` if these are sampled, and Sampled(2**13) else. The spread over its scramblings gives the
        errors of variance and shift.
      start_covariance: (n, n) N times the covariance of the entries at alpha = 0, where `start` is their mean. None
        means that all runs start from `start`.

    It takes some seconds for K = 3, most of them compiling. With sampled averages it takes a minute or more.
    Raises InputError where the solve stops before its last alpha, where averages are sampled and units are linearly
    dependent at the start (averages then have no derivative in the law of the fields), and where the covariances do not
    fit into memory.
    Source: van Kampen's expansion in the system size; for committees Barber, Saad & Sollich 1996.
    """
    refuse_fork()
    if not is_known((problem, start, alphas, averages)):
        raise InputError("plain numbers for ode.fluctuations", "traced ones", "call it outside jit, grad and vmap")
    if isinstance(start, Overlaps) and np.ndim(start.readout) > 1:
        remedy = "for runs with a start each: mean, covariance = ts.start_law(...), and start_covariance=covariance"
        raise InputError("one start for ode.fluctuations", f"{np.shape(start.readout)[0]} of them", remedy)
    if sample is not None and not isinstance(sample, Sampled):
        raise InputError("sample=ode.Sampled(...) or None", type(sample).__name__)
    check_solve(problem, start, alphas)
    for supplier in (averages, sample):
        require_given_points(supplier, "ode.fluctuations", fields=True)
    if averages is None and missing_closed_form(problem) is None:
        averages = ClosedForm()  # at any width: derivatives of averages are wanted
    Sigma = None if start_covariance is None else _checked_covariance(start_covariance, problem)
    method = method_for(problem, averages, with_accuracy, rtol, atol, max_steps, bound)
    points = sample or (averages if isinstance(averages, Sampled) else Sampled(2**13 if method.exact else 2**12))
    _require_room(problem, np.size(alphas), points.replicates)
    rtol, atol = float(method.tolerances.rtol), float(method.tolerances.atol)

    def solved(part: float) -> Trajectory:
        return solve(
            problem,
            start,
            alphas,
            averages=averages,
            with_accuracy=with_accuracy,
            rtol=rtol * part,
            atol=atol * part,
            max_steps=max_steps,
            bound=bound,
        )

    theory = solved(1.0)
    if theory.status != Status.OK:
        remedy = remedy_of(theory) or "end the alphas before that"
        raise InputError("a solve that reaches its last alpha, to expand around", ending(theory), remedy)
    if not method.exact:
        _require_independent(problem, start)
    tolerances = Tolerances(*TOLERANCES[method.exact], bound, max_steps)
    with jax.enable_x64(True):
        samples = points.draw(problem)
        assert isinstance(samples, FixedSample)
        expansion = expand_from_host(problem, to_host(start), Sigma, theory.alphas, samples, method, tolerances)
    _require_finite(expansion, theory)
    return with_integrator_error(dataclasses.replace(theory, fluctuations=expansion), solved(0.5))


def _require_room(problem: Problem, alphas: int, scramblings: int) -> None:
    """Raise InputError if covariances, propagators and innovations of all scramblings do not fit into memory."""
    n = number_of_entries(problem)
    # Each of them twice: of the scrambling that is integrated and of those that are done, and put together at the end.
    need = 8 * 2 * 3 * n**2 * alphas * (1 + scramblings)
    if need > ALWAYS_THERE:
        purpose = f"the covariances of {n:,} entries at {alphas:,} alphas and {scramblings:,} scramblings"
        require_memory(need, purpose, "record at fewer alphas, or take fewer units or replicates")


def _checked_covariance(covariance: Any, problem: Problem) -> np.ndarray:
    """Return the covariance of a start's entries. Raises InputError unless it is one."""
    n = number_of_entries(problem)
    Sigma: np.ndarray = as_numbers(covariance, "start_covariance")
    if Sigma.shape != (n, n):
        raise InputError(f"start_covariance of shape (n, n) = {(n, n)}, of the entries", f"shape {Sigma.shape}")
    if not np.all(np.isfinite(Sigma)) or not np.allclose(Sigma, Sigma.T, atol=1e-12):
        raise InputError("a symmetric start_covariance of finite numbers", "one that is not", "take ts.start_law")
    smallest = float(np.linalg.eigvalsh(Sigma)[0])
    if smallest < -1e-9 * max(1.0, float(np.max(np.abs(Sigma)))):
        raise InputError("a start_covariance without negative variances", f"a smallest eigenvalue of {smallest:.2g}")
    return Sigma


def _require_independent(problem: Problem, start: Overlaps) -> None:
    """Raise InputError if sampled averages would have to be differentiated at a singular law of the fields."""
    variances = np.asarray(problem.at(0.0).task.conditions().variances)
    covariances = np.einsum("cb,bij->cij", variances, np.asarray(start.gram))
    values = np.linalg.eigvalsh(covariances)
    smallest = float(np.min(values[:, 0] / values[:, -1]))
    if smallest < SINGULAR:
        raise InputError(
            "linearly independent students and latents at the start, to differentiate sampled averages",
            f"a smallest eigenvalue of their fields' covariance of {smallest:.1g} times the largest",
            "start from units that differ",
        )


def _require_finite(expansion: Fluctuations, theory: Trajectory) -> None:
    """Raise InputError if the expansion broke down where the ODE did not."""
    finite = np.isfinite(expansion.covariance).all(axis=(1, 2))
    if not finite.all():
        raise InputError(
            "a covariance that stays finite up to the last alpha",
            f"none at alpha {theory.alphas[np.argmin(finite)]:g}",
            "end the alphas before that (units may have become linearly dependent there)",
        )
