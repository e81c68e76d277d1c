"""Integration stepped from the host: SciPy chooses the steps, and each slope is one call of a small compiled function.

A solve that is compiled whole takes seconds until its first curve, because the integrator is compiled in. Here only the
right-hand side is, for its structure alone: any times, any number of phases, any tolerances run through one program.
"""

import dataclasses
from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from teacher_student import Curriculum, Problem, Status

# From alpha, the shares of the levels there and a state y to dy/dalpha.
Slope = Callable[[float, Float[np.ndarray, "L"], Float[np.ndarray, "n"]], Float[np.ndarray, "n"]]


NONE = np.zeros(0)


@dataclasses.dataclass(frozen=True)
class StepTolerances:
    """The tolerances per step, in the root mean square over all entries.

    Each is one number, or one for each entry.
    """

    rtol: float | Float[np.ndarray, "n"]
    atol: float | Float[np.ndarray, "n"]


@dataclasses.dataclass(frozen=True)
class Bounds:
    """Where an integration stops.

    It stops where the largest Q_kk, which `norm_of` reads off a state, is beyond `norm`, and after `steps` steps.
    """

    norm: float
    norm_of: Callable[[np.ndarray], float]
    steps: int


@dataclasses.dataclass(frozen=True)
class HostPath:
    """States at the recorded alphas (NaN after a stop), Status, the time it stopped at, and step counts."""

    states: Float[np.ndarray, "A n"]
    status: Status
    reached: float
    accepted: int
    attempted: int

    @property
    def stats(self) -> dict[str, np.ndarray]:
        """Step counts under the names that compiled solves give them."""
        rejected = self.attempted - self.accepted
        counts = {"num_steps": self.attempted, "num_accepted_steps": self.accepted, "num_rejected_steps": rejected}
        return {name: np.asarray(count) for name, count in counts.items()}


@dataclasses.dataclass(frozen=True)
class _Progress:
    """Where an integration stands: time, state, size of the next step (None: to be chosen), counts and status."""

    alpha: float
    y: Float[np.ndarray, "n"]
    step: float | None = None
    accepted: int = 0
    attempted: int = 0
    status: Status = Status.OK


def integrate_from_host(
    slope: Slope,
    curriculum: Curriculum,
    y: Float[np.ndarray, "n"],
    alphas: Float[np.ndarray, "A"],
    tolerances: StepTolerances,
    bounds: Bounds,
    *,
    high_order: bool = True,
    go_on_from: Callable[[np.ndarray], np.ndarray] | None = None,
    jumps: Float[np.ndarray, "J"] = NONE,
) -> HostPath:
    """Integrate dy/dalpha = slope(alpha, shares(alpha), y) from alpha = 0, and record y at `alphas`.

    Steps end on every recorded alpha, because dense output is less accurate than the steps where a plateau is left, and
    on every switch and every one of the `jumps` of schedules, where the slope jumps.

    Arguments: curriculum: known numbers; y: the state at alpha = 0; alphas: increasing.
    high_order: DOP853 for slopes that are smooth; else RK45, as the error estimate of a high order has no meaning for
      averages over points, whose slopes have kinks.
    go_on_from: the state from which the integration goes on, of the one that is recorded; None: the same. It must not
      change what `bounds` look at.
    """
    records = np.full((alphas.size, y.size), np.nan)
    progress = _Progress(0.0, np.asarray(y, np.float64))
    targets = _targets(curriculum, alphas, jumps)
    next_record = 0
    after_record = go_on_from or (lambda y: y)
    if alphas[0] == 0:
        records[0], next_record = y, 1
        progress = dataclasses.replace(progress, y=after_record(progress.y))
    for phase, target in targets:
        progress = _advance(slope, curriculum, phase, target, progress, tolerances, bounds, high_order)
        # A state that leaves its bound exactly at a recorded alpha is recorded: it is what was reached.
        if next_record < alphas.size and progress.alpha >= alphas[next_record]:
            records[next_record], next_record = progress.y, next_record + 1
            progress = dataclasses.replace(progress, y=after_record(progress.y))
        if progress.status != Status.OK:
            break
    return HostPath(records, progress.status, progress.alpha, progress.accepted, progress.attempted)


def _targets(
    curriculum: Curriculum, alphas: Float[np.ndarray, "A"], jumps: Float[np.ndarray, "J"]
) -> list[tuple[int, float]]:
    """Return the times to land on, each with the phase that leads to it.

    They are the recorded alphas > 0, and the switches and jumps before the last of these.
    """
    switches = np.asarray(curriculum.switches, float)
    times = np.union1d(alphas[alphas > 0], ends_before(alphas[-1], switches, jumps))
    times = times[times > 0]
    # The phase that ends at a switch leads to it. Beyond the last switch by rounding, the last phase goes on.
    phases = np.minimum(np.searchsorted(switches, times, side="left"), switches.size - 1)
    return list(zip(phases.tolist(), times.tolist(), strict=True))


def ends_before(last: float, switches: Float[np.ndarray, "P"], jumps: Float[np.ndarray, "J"]) -> Float[np.ndarray, "E"]:
    """Return the switches and jumps before the last alpha, in order."""
    times = np.union1d(switches, jumps)
    return times[times < last]


def jumps_of(problem: Problem) -> Float[np.ndarray, "J"]:
    """Return the times at which the schedules of a problem jump, of known numbers."""
    return np.concatenate([NONE, *(np.asarray(schedule.jumps, float) for schedule in problem.schedules.values())])


def _advance(
    slope: Slope,
    curriculum: Curriculum,
    phase: int,
    target: float,
    progress: _Progress,
    tolerances: StepTolerances,
    bounds: Bounds,
    high_order: bool,
) -> _Progress:
    """Return the progress at `target`, within one phase, or where the integration stopped before."""
    # Importing scipy.integrate takes half as long as importing JAX: nobody pays for it who does not integrate.
    from scipy.integrate import DOP853, RK45

    shares = shares_of_phase(curriculum, phase)
    span, just_before = target - progress.alpha, float(np.nextafter(target, 0.0))

    def field(alpha: float, y: np.ndarray) -> np.ndarray:
        # A step that ends on a jump is still one before it.
        return slope(min(alpha, just_before), shares(alpha), y)

    with np.errstate(all="ignore"):  # it tries a first step, which may be far outside too
        solver = (DOP853 if high_order else RK45)(
            field,
            progress.alpha,
            progress.y,
            target,
            rtol=tolerances.rtol,
            atol=tolerances.atol,
            first_step=None if progress.step is None else min(progress.step, span),
        )
    if not np.isfinite(solver.h_abs):  # SciPy would shorten a step of length NaN for ever
        return dataclasses.replace(progress, status=Status.DIVERGED)
    wanted = max(solver.h_abs, progress.step or 0.0)
    accepted, attempted, status = progress.accepted, progress.attempted, Status.OK
    while solver.status == "running" and status == Status.OK:
        evaluations = solver.nfev
        with np.errstate(all="ignore"):  # a trial step far outside overflows, and is rejected
            solver.step()
        attempted += (solver.nfev - evaluations) // solver.n_stages
        if solver.status == "failed":
            status = Status.TOO_STIFF if np.all(np.isfinite(field(solver.t, solver.y))) else Status.DIVERGED
            break
        accepted += 1
        # The last step is cut short by the target, which says nothing about the size that the error allows.
        wanted = max(solver.h_abs, wanted) if solver.status == "finished" else solver.h_abs
        if not bounds.norm_of(solver.y) < bounds.norm:  # true also for NaN
            status = Status.DIVERGED
        elif attempted >= bounds.steps and solver.status == "running":
            status = Status.TOO_STIFF
    return _Progress(float(solver.t), solver.y, float(wanted), accepted, attempted, status)


def shares_of_phase(curriculum: Curriculum, phase: int) -> Callable[[float], Float[np.ndarray, "levels"]]:
    """Return the shares of the levels as a function of alpha within one phase, its ends included."""
    initial, final = (np.asarray(side, float)[phase] for side in (curriculum.initial_shares, curriculum.final_shares))
    if np.array_equal(initial, final):
        return lambda alpha: initial
    end, duration = float(curriculum.switches[phase]), float(curriculum.durations[phase])

    def ramp(alpha: float) -> np.ndarray:
        shares: np.ndarray = initial + np.clip((alpha - (end - duration)) / duration, 0.0, 1.0) * (final - initial)
        return shares

    return ramp
