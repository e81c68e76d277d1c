"""Predicted spread and mean shift of finite students, against simulations, and derivatives of sampled averages.

Family-wise false-alarm rates are stated at each test; keys are fixed.
"""

import dataclasses
import functools
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ode
import simulations
import teacher_student as ts
from ode import _expansion
from ode._derivatives import half_hessian, jacobian
from ode._diffusion import diffusion
from ode.averages import ClosedForm, FixedSample, Reweighted
from teacher_student import internal

from . import build
from .test_step_law import without_eta_squared

LONG = pytest.mark.long
pytestmark = pytest.mark.slow  # most of its time is compilation

RUNS, DIM, ALPHAS = 1000, 200, [1.0, 2.0, 4.0]


def switched() -> tuple[ts.Problem, ts.Overlaps]:
    """Relevant and irrelevant dimensions, easy samples first."""
    levels = {"easy": {"relevant": 1.0, "irrelevant": 0.1}, "hard": {"relevant": 1.0, "irrelevant": 1.5}}
    task = ts.Committee(ts.Inputs(build.BLOCKS[2], levels), 2, support="relevant")
    problem = ts.Problem(task, ts.Student(2), ts.SGD(0.8), ts.Curriculum.phases(("easy", 2.0), ("hard", 2.0)))
    return problem, ts.random_overlaps(problem, 1000, 3)


def sign_mixed() -> tuple[ts.Problem, ts.Overlaps]:
    """A sign teacher, levels in random order."""
    levels = {"easy": {"relevant": 1.0, "irrelevant": 0.1}, "hard": {"relevant": 1.0, "irrelevant": 4.0}}
    task = ts.Committee(ts.Inputs(build.BLOCKS[2], levels), 1, "sign", support="relevant", labels="sign")
    problem = ts.Problem(task, ts.Student(2), ts.SGD(1.5), ts.Curriculum.mixed({"easy": 0.5, "hard": 0.5}, 4.0))
    return problem, ts.random_overlaps(problem, 1000, 5, readout=1.0)


def both_layers() -> tuple[ts.Problem, ts.Overlaps]:
    """Both layers trained, with output noise and decay, levels in random order."""
    problem = build.problem(K=2, M=2, readout_learning_rate=0.5)
    return problem, build.overlaps(problem, seed=4)


def xor() -> tuple[ts.Problem, ts.Overlaps]:
    """The XOR mixture: relu units, both layers trained."""
    problem = build.mixture(K=2)
    R = np.array([[[0.5, 0.3], [-0.2, 0.6]], np.zeros((2, 2))])
    start = ts.Overlaps([R[0] @ R[0].T, [[0.4, 0.1], [0.1, 0.3]]], R, [np.eye(2), np.zeros((2, 2))], [0.7, -0.7])
    return problem, start


PROBLEMS = {each.__name__: each for each in (switched, sign_mixed, both_layers, xor)}
SAMPLES: dict[str, dict[str, Any]] = {"xor": {"averages": ode.Sampled(2**11, 4)}}
_theory: dict[str, ts.Trajectory] = {}


def theory_of(name: str) -> ts.Trajectory:
    if name not in _theory:
        options = SAMPLES.get(name, {"sample": ode.Sampled(2**13, 4)})
        _theory[name] = ode.fluctuations(*PROBLEMS[name](), ALPHAS, **options)
    return _theory[name]


@functools.cache
def runs_of(name: str) -> ts.Trajectory:
    problem, start = PROBLEMS[name]()
    return simulations.run(problem, DIM, RUNS, ALPHAS, 1, start=start, progress=False)


@pytest.mark.long("switched")
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=LONG) if name in ("xor", "sign_mixed") else name for name in PROBLEMS]
)
def test_runs_spread_and_shift_as_predicted(name: str) -> None:
    """Every quantity at every alpha, means and variances each at a family-wise level of 1 %."""
    verdict = simulations.agreement(theory_of(name), runs_of(name), spread="predicted", significance=0.02)
    assert verdict.agrees, verdict.verdict
    spread = build.given(verdict.spread)
    assert spread.p > 0.01
    assert spread.low < 1 < spread.high


def without_half_of_the_levels(problem: ts.Problem, sample: Any, alpha: Any, state: ts.Overlaps) -> Any:
    """D of the levels one by one, as if their order were fixed."""
    parts = []
    for level in problem.inputs.level_names:
        single = ts.Problem(problem.task, problem.student, problem.sgd, ts.Curriculum.single(level, 4.0))
        parts.append(diffusion(single, sample, alpha, state))
    return jax.tree.map(lambda a, b: (a + b) / 2, *parts)


@pytest.mark.parametrize(
    ("name", "slip"),
    [
        ("switched", without_eta_squared),
        pytest.param("sign_mixed", without_half_of_the_levels, marks=LONG),
    ],
)
@pytest.mark.usefixtures("traced_anew")
def test_a_wrong_spread_is_caught(name: str, slip: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_expansion, "diffusion", slip)
    problem, start = PROBLEMS[name]()
    wrong = ode.fluctuations(problem, start, ALPHAS, sample=ode.Sampled(2**12, 2))
    verdict = simulations.agreement(wrong, runs_of(name), spread="predicted", significance=0.02)
    assert not verdict.agrees
    assert build.given(verdict.spread).p < 0.01


# The mean shift


@pytest.mark.long
def test_the_mean_at_N_70_is_the_ode_plus_its_shift_and_not_the_ode() -> None:
    """8,000 runs of the overlap chain: within z = 4.5 of ODE + m1 / N (30 comparisons; false alarm 2e-4), and some
    quantity more than 5 standard errors from the ODE alone."""
    problem, start = switched()
    theory, dim = theory_of("switched"), 70
    runs = simulations.run(
        problem, dim, 8_000, ALPHAS, 4, start=start, method="overlaps", test_samples=1, progress=False
    )
    predicted = build.given(theory.fluctuations)
    shift, shift_error = predicted.mean_shift(dim), predicted.shift_error
    alone, corrected = [], []
    measured = eqx.tree_at(lambda o: o.accuracy, runs.observables, {})  # as in theory, which was not asked for them
    for ode_value, x, m1, m1_error in zip(
        *(ts.quantities(each, problem) for each in (theory.observables, measured, shift, shift_error)),
        strict=True,
    ):
        if x.kind not in ("Q", "R") or x.values.std() < 1e-9:
            continue
        error = np.sqrt(x.values.var(axis=0) / runs.runs + (m1_error.values / dim) ** 2)
        alone.append((x.values.mean(axis=0) - ode_value.values) / error)
        corrected.append((x.values.mean(axis=0) - ode_value.values - m1.values) / error)
    assert np.max(np.abs(corrected)) < 4.5
    assert np.max(np.abs(alone)) > 5


# Derivatives of sampled averages


def derivatives(
    problem: ts.Problem, state: ts.Overlaps, make: Any, samples: FixedSample
) -> tuple[np.ndarray, np.ndarray]:
    """Jacobian of the drift and half its Hessian contracted with a covariance, one after the other, per scrambling."""
    n = len(ts.entry_names(problem))
    root = np.random.default_rng(3).normal(size=(n, n)) / n
    Sigma = jnp.asarray(root @ root.T)

    def one(sample: FixedSample) -> jax.Array:
        averages = make(problem, sample, state)

        def f(x: jax.Array) -> jax.Array:
            return ts.to_vector(ode.drift(problem, averages, 0.0, ts.from_vector(x, state)))

        x = ts.to_vector(state)
        hessian = half_hessian(f, x, Sigma, one_by_one=True)
        return jnp.concatenate([jacobian(f, x, one_by_one=True).ravel(), hessian])

    found = np.asarray(jax.jit(lambda s: jax.lax.map(one, s))(samples))
    return found.mean(axis=0), found.std(axis=0, ddof=1) / np.sqrt(len(found))


def test_reweighted_derivatives_are_those_of_the_closed_form() -> None:
    """First and second derivatives of the erf drift, within 6 standard errors of 16 scramblings (Student t of 15
    degrees of freedom, some 400 entries: false alarm 1 %)."""
    problem = build.problem(K=2, M=2)
    state = build.overlaps(problem, seed=1)
    with jax.enable_x64(True):
        inputs = internal.to_float((problem, state), jnp.float64)
        samples = ode.Sampled(2**11, 16, key=2).draw(problem)
        assert isinstance(samples, FixedSample)
        mean, error = derivatives(inputs[0], inputs[1], reweighted_at, samples)
        exact, _ = derivatives(inputs[0], inputs[1], lambda *_: ClosedForm(), samples)
    moving = error > 1e-12
    assert np.max(np.abs(mean - exact)[moving] / error[moving]) < 6
    np.testing.assert_allclose(mean[~moving], exact[~moving], atol=1e-10)


def reweighted_at(problem: ts.Problem, sample: FixedSample, state: ts.Overlaps) -> Any:
    return Reweighted.of(problem, sample.normals, state)


def test_relu_is_differentiated_through_the_law_and_not_through_the_points(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jacobian of the mixture's drift against central differences of sampled averages with many points; derivatives
    of the points themselves, which do not see the kink, are more than 6 standard errors off."""
    problem, state = xor()
    with jax.enable_x64(True):
        inputs = internal.to_float((problem, state), jnp.float64)
        x, R = ts.to_vector(inputs[1]), np.array(state.R)
        turn = np.where(R != 0, 0.5, 0.0)
        moved = np.einsum("bkm,blm->bkl", R, turn)  # in the plane Q = R R^T; in the rest more noise on every unit
        Q = moved + moved.swapaxes(1, 2) + np.array([0.0, 1.0])[:, None, None]
        direction = ts.to_vector(ts.Overlaps(Q, turn, state.T, np.zeros(2)))

        def drift(averages: Any, x: jax.Array) -> jax.Array:
            return ts.to_vector(ode.drift(inputs[0], averages, 0.0, ts.from_vector(x, inputs[1])))

        def along(averages: Any) -> Any:
            return jax.jvp(lambda x: drift(averages, x), (x,), (direction,))[1]

        def each(f: Any, points: int) -> tuple[np.ndarray, np.ndarray]:
            samples = ode.Sampled(points, 16, key=6).draw(problem)
            found = np.asarray(jax.jit(lambda s: jax.lax.map(f, s))(samples))
            return found.mean(axis=0), found.std(axis=0, ddof=1) / 4

        step = 0.01
        difference = each(
            lambda s: (drift(s, x + step * direction) - drift(s, x - step * direction)) / (2 * step), 2**15
        )
        law = each(lambda s: along(Reweighted.of(inputs[0], s.normals, inputs[1])), 2**13)
        drawn = each(along, 2**13)  # differentiated like those of the law
        monkeypatch.setattr(FixedSample, "mean_step", FixedSample.mean_step_of_points)
        points = each(along, 2**13)

    def worst(found: tuple[np.ndarray, np.ndarray]) -> float:
        error = np.sqrt(found[1] ** 2 + difference[1] ** 2)
        return float(np.max(np.abs(found[0] - difference[0])[error > 1e-9] / error[error > 1e-9]))

    assert worst(law) < 6
    assert worst(drawn) < 6
    assert worst(points) > 6


# Predicted agreement, with few runs


def made_up(theory: ts.Trajectory, runs: int, rng: np.random.Generator, stretch: float = 1.0) -> ts.Trajectory:
    """Runs that are drawn from exactly the predicted law (deviations times `stretch`), with 256 test samples."""
    return build.drawn_runs(theory, DIM, runs, rng, stretch)


@pytest.mark.long
def test_predicted_agreement_is_calibrated_with_four_runs() -> None:
    """At level 20 %, 200 repeats: as many false alarms as a binomial of 20 % has but with probability 1e-3."""
    theory, rng = theory_of("switched"), np.random.default_rng(0)
    verdicts = [
        simulations.agreement(theory, made_up(theory, 4, rng), spread="predicted", significance=0.2).agrees
        for _ in range(200)
    ]
    assert 40 - 18 < 200 - sum(verdicts) < 40 + 18


@pytest.mark.parametrize("stretch", [0.3, 2.5])
def test_a_wrong_spread_is_seen_with_few_runs(stretch: float) -> None:
    theory = theory_of("switched")
    runs = made_up(theory, 8, np.random.default_rng(1), stretch)
    verdict = simulations.agreement(theory, runs, spread="predicted")
    assert not verdict.agrees
    assert (build.given(verdict.spread).ratio > 1) == (stretch > 1)
    assert verdict.to_json()


# Budget, files, bad input


@pytest.mark.long
def test_the_integrator_error_bounds_what_a_tight_solve_says() -> None:
    """At tolerances of 1e-4 to 1e-7: the true error is at most 4 times the stated one, and at least a tenth of it."""
    problem, start = switched()
    exact = ode.solve(problem, start, ALPHAS, rtol=1e-12, atol=1e-14, with_accuracy=False)
    for rtol in (1e-4, 1e-7):
        found = ode.fluctuations(
            problem, start, ALPHAS, rtol=rtol, atol=rtol / 100, with_accuracy=False, sample=ode.Sampled(2**6, 2)
        )
        stated, true = (
            max(float(np.max(np.abs(x))) for x in jax.tree.leaves(each.overlaps))
            for each in (
                build.given(found.integrator_error),
                jax.tree.map(lambda a, b: a - b, found.observables, exact.observables),
            )
        )
        assert stated / 10 < true < 4 * stated, (rtol, stated, true)


def test_budget_names_the_largest_part_and_what_is_missing() -> None:
    theory = theory_of("switched")
    budget = theory.budget(1000)
    assert list(budget.parts) == ["integrator", "averages", "mean shift", "spread"]
    part, name, size = budget.largest
    assert part == "spread"
    spread = {q.name: q.values for q in ts.quantities(build.given(theory.fluctuations).spread(1000), theory.problem)}
    assert size == pytest.approx(np.max(spread[name]))
    assert f"largest: spread, {size:.2e} of {name}" in repr(budget)
    plain = ode.solve(*switched(), ALPHAS, with_accuracy=False).budget()
    assert "not computed: integrator (ode.solve(..., with_error=True) and ode.fluctuations state it)" in repr(plain)


def test_files_and_picking_alphas_keep_fluctuations(tmp_path: Path) -> None:
    theory = theory_of("both_layers")
    back = ts.Trajectory.load(theory.save(tmp_path / "theory.nc"))
    for mine, theirs in zip(jax.tree.leaves(theory), jax.tree.leaves(back), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert build.given(back.at([2.0]).fluctuations).covariance.shape == (1, 16, 16)
    assert theory.to_xarray()["covariance"].sel(entry="Q[relevant][1,2]", entry_2="readout[2]").shape == (3,)


def test_no_fluctuations_without_learning() -> None:
    problem, start = switched()
    still = ts.Problem(problem.task, problem.student, ts.SGD(0.0), problem.curriculum)
    theory = ode.fluctuations(still, start, ALPHAS, with_accuracy=False, sample=ode.Sampled(2**6, 2))
    found = build.given(theory.fluctuations)
    assert not np.any(found.covariance)
    assert not any(np.any(x) for x in jax.tree.leaves(found.shift))


def test_bad_input() -> None:
    problem, start = switched()
    theory = theory_of("switched")
    runs = made_up(theory, 4, np.random.default_rng(0))
    linear = ts.Problem(problem.task, ts.Student(2, "linear"), ts.SGD(9.0), problem.curriculum)
    with pytest.raises(ts.InputError, match=r"reaches its last alpha.*diverged.*end the alphas before that"):
        ode.fluctuations(linear, start, ALPHAS)
    with pytest.raises(ts.InputError, match=r"N >= 16, the number of overlaps.*; got: 15"):
        theory.budget(15)
    with pytest.raises(ts.InputError, match="N >= 16, the number of overlaps"):
        build.given(theory.fluctuations).spread(3)
    with pytest.raises(ts.InputError, match=r"a theory with fluctuations.*take theory = ode.fluctuations"):
        simulations.agreement(dataclasses.replace(theory, fluctuations=None), runs, spread="predicted")
    with pytest.raises(ts.InputError, match="leave them out"):
        simulations.agreement(theory, runs, dataclasses.replace(runs), spread="predicted")
    with pytest.raises(ts.InputError, match="known spread"):
        simulations.agreement(theory, runs, spread="predictd")
    with pytest.raises(ts.InputError, match="a theory trajectory for an error budget"):
        runs.budget()
    twins = ts.Overlaps([np.zeros((2, 2)), np.ones((2, 2))], np.zeros((2, 2, 2)), [np.eye(2), np.zeros((2, 2))])
    mixture, _ = xor()
    with pytest.raises(ts.InputError, match=r"linearly independent.*start from units that differ"):
        ode.fluctuations(mixture, twins, [0.1], averages=ode.Sampled(2**4, 2))
