"""The chain of the overlaps has the law of full-weight SGD, at every N, and sabotaged chains are found out."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import ode
import simulations
import teacher_student as ts
from simulations.engine import _chain, _plan, _samples
from simulations.engine._chi_square import chi_square
from teacher_student import internal

from . import build

pytestmark = pytest.mark.slow  # most of its time is compilation

RUNS = 2000


def committee() -> ts.Problem:
    """Three blocks (one of fraction 0), a ramp of levels, output noise, trained readout, weight decay."""
    return build.problem(blocks=3, curriculum=ts.Curriculum.ramp({"easy": 0.8, "hard": 0.2}, "hard", 2.0))


def cramped() -> ts.Problem:
    """N = 6: a block of 2 dimensions for 5 vectors, and one of 4 for 3, whose rest is a single direction."""
    return build.problem(labels="sign", loss="logistic", student="linear", teacher="relu")


LONG, SHORT = (0.3, 1.0, 2.0), (0.1, 0.3, 0.5)
PROBLEMS: dict[str, tuple[Callable[[], ts.Problem], int, tuple[float, ...]]] = {  # with N and the recorded alphas
    "committee": (committee, 50, LONG),
    "mixture": (build.mixture, 50, LONG),
    "cramped": (cramped, 6, LONG),
    "large": (committee, 1000, SHORT),
}


def run(problem: ts.Problem, dim: int, runs: int, alphas: Any, key: int, **options: Any) -> ts.Trajectory:
    options = {"test_samples": 8, "progress": False, "method": "overlaps", **options}
    found: ts.Trajectory = simulations.run(problem, dim, runs, alphas, key, **options)
    return found


def sample(name: str, method: str) -> list[ts.Quantity]:
    """Every recorded number of `RUNS` runs from one start (or, where N is small, one start each)."""
    make, dim, alphas = PROBLEMS[name]
    problem = make()
    if name == "cramped":
        start = ts.random_overlaps(problem, dim, jax.random.split(jax.random.key(8), RUNS))
    else:
        start = build.overlaps(problem, 1)
    runs = run(problem, dim, RUNS, alphas, len(method), start=start, method=method)
    return ts.quantities(runs.observables, problem)


reference = functools.cache(functools.partial(sample, method="weights"))


def distance(name: str, found: list[ts.Quantity]) -> float:
    """Bonferroni p-value of the largest Kolmogorov-Smirnov distance from full-weight SGD, over overlaps and alphas."""
    pairs = [
        (mine.values[:, a], theirs.values[:, a])
        for mine, theirs in zip(found, reference(name), strict=True)
        for a in range(mine.values.shape[1])
        if mine.kind in ("Q", "R", "readout")
    ]
    p = [stats.ks_2samp(*pair).pvalue for pair in pairs if np.std(pair[1]) > 1e-5]
    assert len(p) > 40
    return float(min(1.0, len(p) * min(p)))


@pytest.mark.long("large", "cramped")
@pytest.mark.parametrize("name", PROBLEMS)
def test_the_chain_has_the_law_of_full_weight_sgd(name: str) -> None:
    """Two-sample Kolmogorov-Smirnov on every overlap and readout, and the means of errors and accuracies; each 1 %."""
    found = sample(name, "overlaps")
    assert distance(name, found) > 0.01
    z = []
    for mine, theirs in zip(found, reference(name), strict=True):
        difference = mine.values.mean(axis=0) - theirs.values.mean(axis=0)
        error = np.sqrt((mine.values.var(axis=0) + theirs.values.var(axis=0)) / RUNS)
        z += (difference[error > 1e-6] / error[error > 1e-6]).tolist()
    assert max(np.abs(z)) < stats.norm.isf(0.005 / len(z))


class WithoutRest(_chain.OverlapChain):
    """Sabotage: the part of the input outside the span is forgotten."""

    def draw(self, key: jax.Array, steps: int, dtype: Any) -> jax.Array:
        beyond = np.cumsum(self.counts)[np.array(self.beside)] - 1
        return super().draw(key, steps, dtype).at[:, beyond].set(0)


class WholeBlock(_chain.OverlapChain):
    """Sabotage: the rest has N_b degrees of freedom."""

    def draw(self, key: jax.Array, steps: int, dtype: Any) -> jax.Array:
        whole = self.free + jnp.array(self.counts) - 1
        return _chain.OverlapChain(self.counts, self.dim, whole, self.beside, self.latents).draw(key, steps, dtype)


class OneLevel(_chain.OverlapChain):
    """As it is, but compiled anew: the sabotage is in `draw_level`."""


@pytest.mark.long("WithoutRest-large")
@pytest.mark.parametrize(
    ("sabotage", "name"),
    [(WithoutRest, "committee"), (WithoutRest, "large"), (WholeBlock, "committee"), (OneLevel, "committee")],
)
def test_sabotaged_chains_are_found_out(
    sabotage: type[_chain.OverlapChain], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoilt(problem: ts.Problem, start: ts.Overlaps, dim: int) -> _chain.OverlapChain:
        space = _chain.span_of(problem, start, dim)
        return sabotage(space.counts, space.dim, space.free, space.beside, space.latents)

    monkeypatch.setattr(_plan, "span_of", spoilt)
    if sabotage is OneLevel:
        monkeypatch.setattr(_samples, "draw_level", lambda *_: jnp.int32(1))
    assert distance(name, sample(name, "overlaps")) < 1e-6


def test_same_key_same_numbers_whatever_else_runs() -> None:
    """Run r is a function of the key and r: not of the number of runs, of workers, or of other recorded alphas."""
    problem = build.problem()
    start = build.overlaps(problem, 2)
    first = run(problem, 100, 3, [0.0, 1.0, 2.0], 0, start=start, workers=1)
    second = run(problem, 100, 70, [0.0, 0.37, 1.0, 1.5, 2.0], 0, start=start, workers=2)
    np.testing.assert_array_equal(first.overlaps.Q, second.overlaps.Q[:3, [0, 2, 4]])
    np.testing.assert_array_equal(first.error["hard"][:, 1:], second.error["hard"][:3, [2, 4]])
    assert np.unique(second.overlaps.Q[:, -1, 0, 0, 0]).size == 70
    assert second.source == ts.Source("sgd", "overlaps", "float64", 100, "0" * 16, 64)


def test_increments_survive_at_n_of_1e9() -> None:
    """Mean overlaps after 64 steps at N = 1e9 are those of the ODE's drift (1 %), in as many coordinates as at 1e3."""
    problem = build.problem()
    start, dim, steps, runs = build.overlaps(problem, 2), 10**9, 64, 640
    found = run(problem, dim, runs, [steps / dim], 3, start=start)
    with jax.enable_x64(True):
        drift = internal.to_host(ode.drift(problem, ode.ClosedForm(), 0.0, internal.to_float(start, jnp.float64)))
    assert _chain.span_of(problem, start, dim).counts == _chain.span_of(problem, start, 1000).counts
    z = []
    for name in ("Q", "R", "readout"):
        speed = (getattr(found.overlaps, name)[:, 0] - getattr(start, name)) * dim / steps
        error = speed.std(axis=0, ddof=1) / np.sqrt(runs)
        z += ((speed.mean(axis=0) - getattr(drift, name))[error > 1e-6] / error[error > 1e-6]).tolist()
    assert len(z) > 20
    assert max(np.abs(z)) < stats.t.isf(0.005 / len(z), runs - 1)


def test_starts_are_exact_and_equal_units_stay_equal() -> None:
    """Gram matrices without full rank: two equal units, one of norm zero, an unseen block; no root of them is taken."""
    problem = build.problem(readout_learning_rate=0.0)
    generic = build.overlaps(problem, 2)
    pick = np.array([[1.0, 0, 0], [1.0, 0, 0], [0.0, 0, 0]])
    start = ts.Overlaps(pick @ generic.Q @ pick.T, pick @ generic.R, generic.T, [1.0, 1.0, 0.0])
    found = run(problem, 60, 5, [0.0, 3.0], 1, start=start).overlaps
    for name in ("Q", "R", "T"):
        expected = np.broadcast_to(getattr(start, name), getattr(found, name)[:, 0].shape)
        np.testing.assert_allclose(getattr(found, name)[:, 0], expected, atol=1e-12)
    np.testing.assert_allclose(found.T[:, 1], np.broadcast_to(start.T, found.T[:, 1].shape), atol=1e-12)
    np.testing.assert_allclose(found.Q[:, 1, :, 0, 0], found.Q[:, 1, :, 0, 1], rtol=1e-10)
    np.testing.assert_allclose(found.R[:, 1, :, 0], found.R[:, 1, :, 1], rtol=1e-10)
    assert np.max(np.abs(found.Q[:, 1, :, 2])) < 1e-15
    assert np.std(found.Q[:, 1, 0, 0, 0]) > 0


@pytest.mark.parametrize("rank", [0, 1, 2, 3])
def test_rotated_rows_keep_their_products(rank: int) -> None:
    rng = np.random.default_rng(rank)
    rows = rng.normal(size=(3, rank)) @ rng.normal(size=(rank, 4))
    with jax.enable_x64(True):
        found = np.asarray(_chain.lower_triangular(jnp.asarray(rows)))
    np.testing.assert_allclose(found @ found.T, rows @ rows.T, atol=1e-14)
    assert np.all(np.triu(found, 1) == 0)


def test_chi_square_numbers() -> None:
    """Kolmogorov-Smirnov against the exact law, family-wise 1 %; wrong by one degree of freedom is found out."""
    degrees = (1, 2, 3, 10, 500, 10**9)
    with jax.enable_x64(True):
        keys = jax.random.split(jax.random.key(0), len(degrees))
        draws = [np.asarray(chi_square(k, n, (40_000,), jnp.float64)) for k, n in zip(keys, degrees, strict=True)]
    p = [stats.kstest(x, stats.chi2(n).cdf).pvalue for x, n in zip(draws, degrees, strict=True)]
    assert min(p) > 0.01 / len(degrees)
    assert stats.kstest(draws[3], stats.chi2(11).cdf).pvalue < 1e-6


def test_a_diverging_run_is_marked() -> None:
    problem = build.problem(student="linear", learning_rate=30.0, readout_learning_rate=0.0)
    runs = run(problem, 50, 4, [0.1, 5.0, 10.0], 0)
    assert np.all(runs.status == ts.Status.DIVERGED)
    assert np.all(np.isnan(runs.overlaps.Q[:, -1]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "overlap"}, "known method"),
        ({"precision": "float32"}, "float64 for method"),
        ({"keep": "weights"}, "keep=None with method"),
        ({"keep": "weigths"}, "did you mean 'weights'"),
        ({"start": "weights"}, "overlaps to start from"),
    ],
)
def test_bad_input(options: dict[str, Any], message: str) -> None:
    problem = build.problem()
    if "start" in options:
        options = {"start": build.weights(np.zeros((1, 3, 9)), np.zeros((1, 2, 9)), np.ones((1, 3)))}
    with pytest.raises(ts.InputError, match=message):
        run(problem, 9, 1, [1.0], 0, **options)
