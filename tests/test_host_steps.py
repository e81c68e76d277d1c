"""A solve that is stepped from the host and one that is compiled whole are the same solve."""

import itertools
from typing import Any

import diffrax
import jax
import numpy as np
import pytest

import ode
import teacher_student as ts
from ode._host_steps import Bounds, StepTolerances, integrate_from_host
from ode._method import Tolerances
from ode._packed_expansion import step_tolerances

from . import build

pytestmark = pytest.mark.slow  # most of its time is compilation

SWITCH = ts.Curriculum.phases(("easy", 1.0), ("hard", 1.5))
RAMP = ts.Curriculum.single("easy", 0.4) + ts.Curriculum.ramp("easy", "hard", 2.1)
POINTS = ode.Sampled(2**8, 2)
CASES: dict[str, tuple[ts.Problem, Any]] = {
    "closed form": (build.problem(curriculum=SWITCH), None),
    "a ramp": (build.problem(curriculum=RAMP), None),
    "levels in random order": (build.problem(), None),
    "a polynomial": (build.problem(student="x**2", teacher="x**2", learning_rate=0.05, K=2), None),
    "sampled, smooth": (build.problem(curriculum=SWITCH), POINTS),
    "sampled, with jumps": (build.problem(student="relu", labels="sign", curriculum=SWITCH), POINTS),
    "products alone sampled": (build.problem(curriculum=SWITCH), ode.Sampled(2**8, 2, products_only=True)),
    "a mixture": (build.mixture(), POINTS),
}
ALPHAS = [0.0, 0.3, 1.0, 1.7, 2.5]


@pytest.mark.long(*(name for name in CASES if name not in ("closed form", "a ramp")))
@pytest.mark.parametrize("name", CASES)
def test_both_ways_agree_within_their_tolerances(name: str) -> None:
    """At tolerances far tighter than the deviation that is allowed; sampled averages over the same points."""
    problem, averages = CASES[name]
    start = build.overlaps(problem, 1, scale=0.3 if name == "a polynomial" else 0.6)
    # A sampled slope of units or labels that jump is itself full of jumps, each of which costs rejected steps: there
    # the usual tolerance has to do, and the two integrators meet the jumps at different places. What is allowed there
    # is an eighth of the error that these few points have.
    allowed, rtol = (1e-3, 1e-5) if name in ("sampled, with jumps", "a mixture") else (1e-6, 1e-8)
    options: dict[str, Any] = {"averages": averages, "rtol": rtol, "atol": rtol / 100}
    host, whole = (ode.solve(problem, start, ALPHAS, **options, compiled=how) for how in (False, True))
    assert host.source.integrator != whole.source.integrator
    assert (host.status, float(host.reached)) == (whole.status, float(whole.reached)) == (ts.Status.OK, 2.5)
    for a, b in zip(jax.tree.leaves(host.observables), jax.tree.leaves(whole.observables), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=allowed)
    assert (host.sampling_error is None) == (averages is None)
    for a, b in zip(jax.tree.leaves(host.sampling_error), jax.tree.leaves(whole.sampling_error), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=allowed)
    assert set(host.error) == set(problem.inputs.level_names)


def test_both_ways_diverge_alike() -> None:
    problem = build.problem(student="linear", learning_rate=8.0, readout_learning_rate=0.0, weight_decay=0.0)
    start, alphas = build.overlaps(problem), np.linspace(0.05, 10, 200)
    host, whole = (ode.solve(problem, start, alphas, compiled=how) for how in (False, True))
    assert host.status == whole.status == ts.Status.DIVERGED
    assert float(host.reached) == pytest.approx(float(whole.reached), abs=0.1)  # each ends with the step that left
    for trajectory in (host, whole):
        beyond = trajectory.alphas > trajectory.reached
        assert np.array_equal(np.isnan(trajectory.overlaps.Q[:, 0, 0, 0]), beyond)
        assert np.array_equal(np.isnan(trajectory.error["hard"]), beyond)


def test_the_error_follows_the_tolerance() -> None:
    """Ten times tighter, and the deviation from a much tighter solve falls at least fivefold, over five decades."""
    problem = build.problem(curriculum=SWITCH)
    start = build.overlaps(problem, 1)

    def final(rtol: float) -> np.ndarray:
        return np.asarray(ode.solve(problem, start, [2.5], rtol=rtol, atol=rtol / 100).overlaps.Q[-1])

    exact, tolerances = final(1e-13), 10.0 ** np.arange(-9, -3)
    errors = np.array([np.max(np.abs(final(rtol) - exact)) for rtol in tolerances])
    slope = np.polyfit(np.log10(tolerances), np.log10(errors), 1)[0]
    assert slope > np.log10(5)
    assert np.all(errors < 100 * tolerances)


def test_steps_land_on_recorded_alphas_and_restart_at_switches() -> None:
    """dy/dalpha = shares: exact for a piecewise linear slope if, and only if, no step crosses a switch."""
    curriculum = ts.Curriculum.phases(("a", 1.0), ("b", 2.0), ("a", "b", 1.0))
    seen: list[np.ndarray] = []

    def slope(alpha: float, shares: np.ndarray, y: np.ndarray) -> np.ndarray:
        seen.append(shares)
        return shares

    alphas = np.array([0.0, 0.5, 1.0, 2.0, 3.5, 4.0])
    bounds = Bounds(np.inf, lambda y: 0.0, 1000)
    path = integrate_from_host(slope, curriculum, np.zeros(2), alphas, StepTolerances(1e-3, 1e-3), bounds)
    expected = np.array([[0, 0], [0.5, 0], [1, 0], [1, 1], [1.375, 2.125], [1.5, 2.5]])
    np.testing.assert_allclose(path.states, expected, atol=1e-14)
    assert path.attempted == path.accepted == path.stats["num_steps"] < 20
    assert len({tuple(shares) for shares in seen}) > 2


def test_a_slope_that_is_no_number_ends_the_integration_where_it_is() -> None:
    """At the start, where SciPy would shorten a first step of length NaN for ever, and later."""
    curriculum, bounds = ts.Curriculum.single("a", 2.0), Bounds(np.inf, lambda y: 0.0, 1000)
    for first, status in ((0.0, ts.Status.DIVERGED), (0.7, ts.Status.TOO_STIFF)):

        def slope(alpha: float, shares: np.ndarray, y: np.ndarray, first: float = first) -> np.ndarray:
            return np.where(y < first, 1.0, np.nan)

        path = integrate_from_host(slope, curriculum, np.zeros(1), np.ones(1), StepTolerances(1e-6, 1e-6), bounds)
        assert path.status == status
        assert path.reached == pytest.approx(first, abs=1e-3)
        assert np.all(np.isnan(path.states))


def test_each_part_of_the_expansion_is_held_to_its_tolerance() -> None:
    """An error that fills one part alone up to its tolerance has a root mean square of 1 over all entries."""
    sizes = (4, 400, 20)
    tolerances = step_tolerances(Tolerances(1e-3, 1e-5, 1e3, 10), sizes)
    edges = np.cumsum((0, *sizes))
    for first, last in itertools.pairwise(edges):
        error = np.zeros(sum(sizes))
        error[first:last] = 1e-5
        assert np.sqrt(np.mean((error / tolerances.atol) ** 2)) == pytest.approx(1.0)


def test_what_cannot_be_stepped_from_the_host_is_refused() -> None:
    problem = build.problem()
    start = build.overlaps(problem)
    with pytest.raises(ts.InputError, match="compiled=True or None with an adjoint"):
        ode.solve(problem, start, [1.0], adjoint=diffrax.ForwardMode(), compiled=False)
    with pytest.raises(ts.InputError, match="compiled=True or None with numbers that JAX traces"):
        jax.vmap(lambda rate: ode.solve(build.problem(learning_rate=rate), start, [1.0], compiled=False))(np.ones(2))
    with pytest.raises(ts.InputError, match="compiled=True, False or None"):
        ode.solve(problem, start, [1.0], compiled=build.unchecked("yes"))
    with pytest.raises(ts.InputError, match="with_accuracy=True, False or None"):
        ode.solve(problem, start, [1.0], with_accuracy=build.unchecked("no"))


def test_accuracies_are_there_where_labels_are_signs_or_where_they_cost_nothing() -> None:
    def accuracies(with_accuracy: bool | None = None, **changes: Any) -> set[str]:
        problem = build.problem(**changes)
        return set(ode.solve(problem, build.overlaps(problem), [0.1], with_accuracy=with_accuracy).accuracy)

    assert accuracies() == accuracies(False) == accuracies(False, labels="sign", K=1, M=1) == set()
    assert accuracies(True) == accuracies(labels="sign", K=1, M=1, noise=0.0) == {"easy", "hard"}
    assert accuracies(student="linear", teacher="linear") == {"easy", "hard"}
