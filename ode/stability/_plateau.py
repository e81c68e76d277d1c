"""The symmetric plateau that a start runs into: its height, the rate of escape, and when it ends."""

import dataclasses

import numpy as np

from teacher_student import InputError, Overlaps, Problem
from teacher_student.internal import PublicRecord, check_at_least, check_overlaps, level_index, make_room

from ._escape import LARGE, Rest, Tangent, asymmetry, rest_from, tangent, way_out
from ._field import Field, entries, errors, field_of, linearised
from ._fixed_point import FixedPoint, fixed_point_at
from ._symmetry import projector

POINTS = 201  # along the symmetric trajectory
ASYMMETRIC = 0.4  # norm of a start's asymmetry over its own, beyond which linearising around the symmetric part is void


@dataclasses.dataclass(frozen=True)
class Plateau(PublicRecord):
    """A plateau, by the linearised drift around the symmetric trajectory.

    Fields:
      fixed_point: the symmetric one. Its `growth` is the rate of escape of a trajectory that waits for ever.
      alphas: (A,) times along the symmetric trajectory.
      error: level -> (A,), the error of the symmetric trajectory.
      log_amplitude: (A,) log a, where a is the norm to which the start's asymmetry has grown in the unstable
        directions. It is -inf throughout for a start without asymmetry that grows.
      saturation: the log a at which the error has fallen to the given share of the plateau's, on the way out of the
        point. It is nan for a start without asymmetry that grows: no direction leads out.
      escape_time: the alpha at which log a gets there. It is inf for a start without asymmetry that grows, and finite
        for any other, however small its asymmetry is.
      height: per level, the error on the symmetric trajectory at half the escape time, or the fixed point's where that
        time is inf.
      rate: in 1 / alpha, the largest eigenvalue of J at the same time.
    """

    fixed_point: FixedPoint
    alphas: np.ndarray
    error: dict[str, np.ndarray]
    log_amplitude: np.ndarray
    saturation: float
    escape_time: float
    height: dict[str, float]
    rate: float

    def describe(self) -> str:
        """Describe the plateau in one line: its errors, its escape rate (per alpha) and when it ends."""
        height = ", ".join(f"{level} {max(value, 0.0):.4g}" for level, value in self.height.items())
        when = f"escape at alpha = {self.escape_time:.4g}"
        if not np.isfinite(self.escape_time):
            when = "no escape: the start has no asymmetry that grows"
        return f"plateau: error {height}, escape rate {self.rate:.4g}, {when}"


def plateau(
    problem: Problem, start: Overlaps, *, share: float = 0.5, level: str | None = None, alpha: float | None = None
) -> Plateau:
    """Return the height, the escape rate and the escape time of the symmetric plateau, from eigenvalues and the start.

    Let S(alpha) be the trajectory from the start's symmetric part (its average over permutations of hidden units), and
    delta the start's asymmetry, carried along by the linearised drift:

      dS/dalpha = f(S),   d(delta)/dalpha = J(S) delta,   a(alpha) = |Pi delta(alpha)|,

    where Pi is the projector on the unstable eigenvectors of the symmetric fixed point S*. In the end a grows with the
    eigenvalue lambda of J(S*), and until then with that of J(S(alpha)). These differ as long as S has not come to rest:
    for K = M = 2, eta = 0.2 by 14 % half way to the escape, because S has a mode that decays at lambda / 24. The
    plateau ends when a is no longer small. How large it is then, a*, follows from the way out, the nonlinear trajectory
    from S* + epsilon v: if its error falls to `share` times that of S* after a time t, then log a* = log epsilon +
    lambda t, for every start. So

      a(escape_time) = a*,   which at rest is   escape_time = log(a* / a(0)) / lambda.

    What dies out has no part in this: units of random weights differ in Q_kk by far more than in R, and those of Saad &
    Solla by 0.1 and 1e-12. Only rounding is left out. With Pi delta(100 / eta) = W delta(0), an entry of delta(0)
    counts if its column of W exceeds 1e-13 of the largest column. Among those that count, the asymmetry is zero, and
    the escape time inf, if no component of W delta(0) exceeds 1e-13 of the sum of its terms' magnitudes. Linearising
    neglects changes of J by r = |delta| / |S|, so that a is right up to a factor of 1 - r or so, and the escape time up
    to -log(1 - r) / lambda.

    Arguments:
      problem: of known numbers, with two or more hidden units.
      start: the overlaps at alpha = 0, near a symmetric state.
      share: of the plateau's error, in (0, 1), to which the error falls at the escape.
      level: whose error. None is for inputs with one level.
      alpha: the time at which shares and schedules are frozen for as long as it takes. None means its end.

    Raises InputError for a student with one unit or unequal fixed readouts, a start far from symmetric, a symmetric
    trajectory that does not lead to a fixed point with an unstable direction, an asymmetry that is beyond a* at the
    start or has not reached it after 1.5 times as long as it should take, or an error that does not fall that far on
    the way out.
    Source: Saad & Solla 1995; Biehl, Riegler & Woehler 1996 (escape time and the start's overlap with the mode).
    """
    make_room()
    check_overlaps(start, problem)
    check_at_least(share, 0.0, "share of the plateau's error", strict=True)
    if share >= 1:
        raise InputError("a share of the plateau's error below 1", share)
    readout = np.asarray(start.readout, float)
    if problem.student.width < 2 or np.ptp(readout) != 0:
        raise InputError("two or more hidden units of equal readout, for a symmetric plateau", readout.tolist())
    index = level_index(problem, level)
    field = field_of(problem, start, alpha)
    x = entries(field, start)
    share_of_asymmetry = float(np.linalg.norm(x - projector(field) @ x) / np.linalg.norm(x))
    if share_of_asymmetry > ASYMMETRIC:
        raise InputError(
            f"a start near the symmetric state (an asymmetry of at most {ASYMMETRIC:g} of its norm)",
            f"{share_of_asymmetry:.2g}",
            "integrate it with ode.solve: it need not see the plateau",
        )
    rest = rest_from(field, x)
    grows = asymmetry(field, x, rest)
    large = float(np.log(LARGE * np.linalg.norm(rest.x)))
    early = tangent(field, x, rest, grows, max(large, grows.log_size))
    if not np.isfinite(grows.log_size):
        return _result(field, rest, early, np.nan, np.inf)
    direction = early.growing(early.end)
    saturation = way_out(field, rest, direction / np.linalg.norm(direction), share, index)
    path = tangent(field, x, rest, grows, saturation)
    return _result(field, rest, path, saturation, path.end)


def _result(field: Field, rest: Rest, path: Tangent, saturation: float, time: float) -> Plateau:
    point = fixed_point_at(field, rest.x)
    names = field.problem.inputs.level_names
    alphas = np.linspace(0.0, path.end, POINTS)
    error = np.array([errors(field, x) for x in path.symmetric(alphas).T])
    height, rate = point.error, point.growth
    if np.isfinite(time):
        half = path.symmetric(time / 2)
        height = dict(zip(names, errors(field, half).tolist(), strict=True))
        rate = float(np.linalg.eigvals(linearised(field, half)[1]).real.max())
    along = dict(zip(names, error.T, strict=True))
    return Plateau(point, alphas, along, path.log_amplitude(alphas), saturation, time, height, rate)
