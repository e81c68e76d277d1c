"""Random starts have exactly the law of random weights, and are drawn without compiling."""

import dataclasses
import itertools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import teacher_student as ts
from teacher_student import internal

from . import build
from .compilations import counted

DRAWS, SCALE = 3000, 0.7
FALSE_ALARM = 0.01  # of each test here, over all that it compares (Bonferroni)


def keys_of_seeds(count: int) -> jax.Array:
    """The keys of the seeds 0, 1, 2, ...: neighbours, which a poor generator would not keep apart."""
    words = np.stack([np.zeros(count, np.uint32), np.arange(count, dtype=np.uint32)], axis=1)
    keys: jax.Array = jax.random.wrap_key_data(jnp.asarray(words), impl="threefry2x32")
    return keys


def one_block(K: int, M: int) -> ts.Problem:
    task = ts.Committee(ts.Inputs({"all": 1.0}), M)
    return ts.Problem(task, ts.Student(K), ts.SGD(0.1), ts.Curriculum.single("all", 1.0))


@dataclasses.dataclass(frozen=True)
class Case:
    """A problem, N, and the kind of teacher."""

    make: Callable[[], ts.Problem]
    dim: int
    teacher: Any = "random"


GIVEN = np.array([[[1.0, 0.4], [0.4, 0.5]], [[0.3, 0.3], [0.3, 0.3]], [[0.0, 0.0], [0.0, 0.0]]])
CASES = {
    "one weight each": Case(lambda: one_block(1, 1), 1),
    "fewer dimensions than vectors": Case(lambda: build.problem(blocks=2), 6),  # 2 for 5 vectors, and 4
    "three blocks": Case(lambda: build.problem(blocks=3), 25),
    "orthonormal teacher": Case(lambda: build.problem(blocks=3), 25, "orthonormal"),
    "given teacher": Case(lambda: build.problem(blocks=3), 25, GIVEN),
    "mixture": Case(build.mixture, 12),
    "many units": Case(lambda: one_block(8, 4), 200),
}


def of_weights(case: Case, extra: int = 0) -> list[np.ndarray]:
    """Gram matrices (draws, K + M, K + M) / N of actual weights in every block of N_b + `extra` dimensions."""
    problem, rng = case.make(), np.random.default_rng(6)
    _, K, M = problem.shape
    found = []
    for b, size in enumerate(np.array(problem.inputs.sizes(case.dim, M)) + extra):
        w = SCALE * rng.normal(size=(DRAWS, K, size))
        u = rng.normal(size=(DRAWS, M, size))
        if not isinstance(case.teacher, str):
            eigenvalues, vectors = np.linalg.eigh(case.teacher[b])
            u = np.zeros((M, size))
            u[:, :M] = vectors * np.sqrt(np.maximum(eigenvalues, 0) * case.dim)
        elif problem.inputs.fractions[b] == 0:
            u = np.sqrt(case.dim) * np.eye(M, size)
        elif case.teacher == "orthonormal":
            u = np.sqrt(size) * np.eye(M, size)
        rows = np.concatenate([w, np.broadcast_to(u * problem.task.seen_blocks[b], (DRAWS, M, size))], axis=1)
        found.append(rows @ rows.swapaxes(-1, -2) / case.dim)
    return found


def statistics(gram: np.ndarray) -> np.ndarray:
    """(count, draws) of every entry, and, because entries alone do not tell how they hang together, eigenvalues."""
    above = np.triu_indices(gram.shape[-1])
    return np.concatenate([gram[:, above[0], above[1]].T, np.linalg.eigvalsh(gram).T])


def p_value(case: Case, extra: int = 0) -> float:
    """Bonferroni p-value of two-sample Kolmogorov-Smirnov tests; numbers that do not vary must be equal."""
    starts = ts.random_overlaps(case.make(), case.dim, keys_of_seeds(DRAWS), scale=SCALE, teacher=case.teacher)
    values: list[float] = []
    for b, expected in enumerate(of_weights(case, extra)):
        for mine, theirs in zip(statistics(np.asarray(starts.gram)[:, b]), statistics(expected), strict=True):
            if np.std(theirs) < 1e-7:
                np.testing.assert_allclose(mine, theirs, atol=1e-7)
            else:
                values.append(stats.ks_2samp(mine, theirs).pvalue)
    return float(min(1.0, len(values) * min(values)))


@pytest.mark.parametrize("name", CASES)
def test_starts_have_the_law_of_random_weights(name: str) -> None:
    assert p_value(CASES[name]) > FALSE_ALARM


@pytest.mark.parametrize("name", ["one weight each", "fewer dimensions than vectors", "many units"])
def test_a_degree_of_freedom_too_many_is_found(name: str) -> None:
    case = dataclasses.replace(CASES[name], teacher="random")
    assert p_value(case, extra=1) < 1e-6 if case.dim < 100 else p_value(case, extra=4) < 1e-3


def test_starts_of_neighbouring_seeds_and_blocks_are_independent() -> None:
    """Correlations of all off-diagonal overlaps and signs between blocks, and with the next seed's start."""
    starts = ts.random_overlaps(build.problem(), 50, keys_of_seeds(DRAWS), readout="signs")
    assert starts.readout.shape == (DRAWS, 3)
    numbers = [starts.R[:, 0].reshape(DRAWS, -1), starts.Q[:, 1][:, *np.triu_indices(3, 1)], starts.readout]
    values = np.concatenate(numbers, axis=1)
    values = (values - values.mean(axis=0)) / values.std(axis=0)
    others = np.concatenate([values[:-1], values[1:]], axis=1)
    z = np.sqrt(DRAWS - 1) * (values[:-1].T @ others) / (DRAWS - 1)
    z = z[~np.eye(z.shape[0], z.shape[1], dtype=np.bool_)]
    assert np.max(np.abs(z)) < stats.norm.isf(FALSE_ALARM / 2 / z.size)
    plus = np.sum(starts.readout > 0, axis=0)
    assert min(stats.binomtest(int(n), DRAWS).pvalue for n in plus) > FALSE_ALARM / 3


@pytest.mark.parametrize("name", ["three blocks", "given teacher", "mixture"])
def test_every_start_of_a_batch_is_that_of_its_key(name: str) -> None:
    case = CASES[name]
    keys = jax.random.split(jax.random.key(3), 5)
    batch = ts.random_overlaps(case.make(), case.dim, keys, teacher=case.teacher, readout="signs")
    for i, key in enumerate(keys):
        alone = ts.random_overlaps(case.make(), case.dim, key, teacher=case.teacher, readout="signs")
        for mine, theirs in zip(jax.tree.leaves(batch), jax.tree.leaves(alone), strict=True):
            np.testing.assert_array_equal(mine[i], theirs)
            assert theirs.dtype == np.float64


def test_a_seed_is_the_key_that_jax_makes_of_it() -> None:
    for seed in (0, 7, 2**31, 2**32 - 1):
        key = jax.random.key(seed, impl="threefry2x32")
        np.testing.assert_array_equal(jax.random.key_data(internal.as_key(seed)), jax.random.key_data(key))
        mine, theirs = (ts.random_overlaps(one_block(2, 2), 50, each) for each in (seed, key))
        np.testing.assert_array_equal(mine.Q, theirs.Q)


def test_readouts_leave_the_weights_as_they_are() -> None:
    ones, signs, normal = (
        ts.random_overlaps(build.problem(), 50, 1, readout=each) for each in ("ones", "signs", "normal")
    )
    np.testing.assert_array_equal(ones.gram, signs.gram)
    np.testing.assert_array_equal(ones.gram, normal.gram)
    np.testing.assert_array_equal(ones.readout, np.ones(3))


def test_a_normal_readout_is_normal_and_independent_of_the_weights() -> None:
    K = 3
    starts = ts.random_overlaps(build.problem(), 50, keys_of_seeds(DRAWS), readout="normal", readout_scale=0.1)
    levels = [stats.kstest(starts.readout[:, k], stats.norm(scale=0.1).cdf).pvalue for k in range(K)]
    others = np.concatenate([starts.readout, starts.Q[:, 0, :, 0], starts.R[:, 0, :, 0]], axis=1)
    z = np.arctanh(np.corrcoef(others, rowvar=False)[:K, K:]) * np.sqrt(DRAWS - 3)
    levels += [2 * float(stats.norm.sf(np.max(np.abs(z)))) * z.size]
    assert min(levels) > FALSE_ALARM / len(levels)
    wrong = stats.kstest(starts.readout[:, 0], stats.norm(scale=0.1 / np.sqrt(K)).cdf).pvalue
    assert wrong < 1e-6  # with the 1/sqrt(K) that the literature's start does not have


@pytest.mark.parametrize(("readout", "usual"), [("ones", 1.0), ("signs", 1 / np.sqrt(3)), ("normal", 1 / np.sqrt(3))])
def test_the_scale_of_a_readout_multiplies_it(readout: str, usual: float) -> None:
    scaled, same, as_usual = (
        ts.random_overlaps(build.problem(), 50, 1, readout=readout, readout_scale=scale) for scale in (2.5, usual, None)
    )
    np.testing.assert_array_equal(same.readout, as_usual.readout)
    np.testing.assert_allclose(scaled.readout, as_usual.readout * 2.5 / usual, rtol=1e-15)
    np.testing.assert_array_equal(scaled.gram, as_usual.gram)


def test_a_readout_of_numbers_has_no_scale_beside_it() -> None:
    with pytest.raises(ts.InputError, match=r"no scale beside the numbers.*got: 0\.1; multiply"):
        ts.random_overlaps(build.problem(), 50, 1, readout=[1.0, 2.0, 3.0], readout_scale=0.1)
    with pytest.raises(ts.InputError, match="scale of the readout >= 0"):
        ts.random_overlaps(build.problem(), 50, 1, readout="normal", readout_scale=-0.1)
    with pytest.raises(ts.InputError, match="did you mean 'normal'"):
        ts.random_overlaps(build.problem(), 50, 1, readout="norma")
    with pytest.raises(ts.InputError, match="spherical as True or False"):
        ts.random_overlaps(build.problem(), 50, 1, spherical="yes")  # type: ignore[arg-type]


def of_spheres(problem: ts.Problem, dim: int, scale: float) -> ts.Overlaps:
    """Overlaps of actual vectors of length scale sqrt(N), with a teacher of normal weights."""
    rng, (_, K, M) = np.random.default_rng(8), problem.shape
    w = rng.standard_normal((DRAWS, K, dim))
    w *= scale * np.sqrt(dim) / np.linalg.norm(w, axis=-1, keepdims=True)
    u = rng.standard_normal((DRAWS, M, dim))
    ends = np.cumsum([0, *problem.inputs.sizes(dim, problem.task.latents)])
    blocks = [slice(*pair) for pair in itertools.pairwise(ends)]
    Q, R, T = (
        np.stack([np.einsum("nki,nmi->nkm", a[..., b], c[..., b]) / dim for b in blocks], axis=1)
        for a, c in ((w, w), (w, u), (u, u))
    )
    return ts.Overlaps(Q, R * np.array(problem.task.seen_blocks)[:, None, None], T, np.ones((DRAWS, K)))


def test_spherical_starts_have_the_law_of_vectors_on_a_sphere() -> None:
    problem, dim = build.problem(blocks=3), 25
    drawn = ts.random_overlaps(problem, dim, keys_of_seeds(DRAWS), scale=SCALE, spherical=True)
    np.testing.assert_allclose(np.einsum("nbkk->nk", drawn.Q), SCALE**2, rtol=1e-12)
    actual, gaussian = (
        of_spheres(problem, dim, SCALE),
        ts.random_overlaps(problem, dim, keys_of_seeds(DRAWS), scale=SCALE),
    )
    seen = [(o.Q[:, 0, 0, 0], o.Q[:, 1, 0, 1], o.Q[:, 2, 1, 1], o.R[:, 1, 2, 1]) for o in (drawn, actual)]
    levels = [stats.ks_2samp(mine, theirs).pvalue for mine, theirs in zip(*seen, strict=True)]
    assert min(levels) > FALSE_ALARM / len(levels)
    assert stats.ks_2samp(gaussian.Q[:, 2, 1, 1], actual.Q[:, 2, 1, 1]).pvalue < 1e-6


def test_the_law_of_starts_is_that_of_the_draws() -> None:
    """Mean and covariance of `start_law` against many starts at large N, spherical or not."""
    dim, fractions = 4000, ts.Inputs({"a": 0.3, "b": 0.7})
    problem = ts.Problem(ts.Committee(fractions, 2), ts.Student(2), ts.SGD(0.1), ts.Curriculum.single("all", 1.0))
    T = np.array([[[0.3, 0.1], [0.1, 0.4]], [[0.7, 0.0], [0.0, 0.5]]])
    for spherical in (False, True):
        mean, covariance = ts.start_law(problem, teacher=T, scale=SCALE, readout_scale=2.0, spherical=spherical)
        starts = ts.random_overlaps(
            problem, dim, keys_of_seeds(DRAWS), scale=SCALE, teacher=T, readout_scale=2.0, spherical=spherical
        )
        np.testing.assert_array_equal(mean.readout, starts.readout[0])
        rows, columns = np.triu_indices(2)
        entries = np.concatenate([starts.Q[..., rows, columns].reshape(DRAWS, -1), starts.R.reshape(DRAWS, -1)], axis=1)
        exact = np.concatenate([mean.Q[..., rows, columns].ravel(), mean.R.ravel()])
        n = exact.size
        variance = np.diag(covariance)[:n]
        z = (entries.mean(axis=0) - exact) / np.sqrt(np.maximum(variance, 1e-9) / dim / DRAWS)
        measured = dim * np.cov(entries, rowvar=False)
        # Of Gaussian entries: Var(s_ij) = (s_ii s_jj + s_ij^2) / (n - 1).
        spread = np.sqrt((np.outer(variance, variance) + covariance[:n, :n] ** 2) / (DRAWS - 1))
        apart = (measured - covariance[:n, :n]) / np.maximum(spread, 1e-9)
        level = stats.norm.isf(FALSE_ALARM / 4 / (n + n**2))
        assert np.max(np.abs(z)) < level, spherical
        assert np.max(np.abs(apart)) < level, spherical
        _, wrong = ts.start_law(problem, teacher=T, scale=SCALE, spherical=not spherical)
        assert np.max(np.abs((measured - wrong[:n, :n]) / np.maximum(spread, 1e-9))) > level


def test_nothing_is_compiled_for_one_start_a_thousand_blocks_or_ten_thousand_starts() -> None:
    names = [str(b) for b in range(1000)]
    blocks = ts.Inputs(dict.fromkeys(names, 1e-3))
    many = ts.Problem(ts.Committee(blocks, 2), ts.Student(3), ts.SGD(0.1), ts.Curriculum.single("all", 1.0))
    few, keys = one_block(7, 3), keys_of_seeds(10_000)  # of no width that another test has compiled anything for
    with counted() as count:
        for problem, dim, key in ((few, 500, 3), (many, 10_000, 3), (one_block(2, 2), 500, keys)):
            assert np.all(np.isfinite(ts.random_overlaps(problem, dim, key).Q))
    assert count == [0]


def test_numbers_may_be_traced_but_not_keys() -> None:
    problem = one_block(2, 2)
    numbers: dict[str, Any] = {"scale": 0.7, "T": np.array([[[1.0, 0.3], [0.3, 0.8]]]), "readout": np.array([0.3, 2.0])}
    numbers |= {"readout_scale": 0.4}

    def total(scale: Any, T: Any, readout: Any, readout_scale: Any) -> Any:
        start = ts.random_overlaps(problem, 50, 0, scale=scale, teacher=T, readout=readout)
        other = ts.random_overlaps(problem, 50, 0, readout="normal", readout_scale=readout_scale)
        return start.Q.sum() + start.R[..., 0].sum() + (start.readout**2).sum() + (other.readout**2).sum()

    with jax.enable_x64(True):
        expected = float(total(**numbers))
        assert float(jax.jit(total)(**numbers)) == pytest.approx(expected, rel=1e-12)
        for name, value in numbers.items():  # each alone: the others stay NumPy's

            def alone(x: Any, name: str = name) -> Any:
                return total(**{**numbers, name: x})

            slope = jax.jit(jax.grad(alone))(jnp.asarray(value))
            step = 1e-5 * np.ones(np.shape(value))
            difference = (alone(value + step) - alone(value - step)) / 2e-5
            assert float(slope.sum()) == pytest.approx(float(difference), rel=1e-6)
    known = ts.random_overlaps(problem, 50, 0, scale=0.7)
    traced = jax.jit(lambda scale: ts.random_overlaps(problem, 50, 0, scale=scale))(0.7)  # at JAX's usual 32 bits too
    np.testing.assert_allclose(traced.gram, known.gram, rtol=1e-5)
    with pytest.raises(ts.InputError, match="one that jit or vmap traces; pass an array of n keys for n starts"):
        jax.vmap(lambda key: ts.random_overlaps(problem, 50, key))(keys_of_seeds(3))


@pytest.mark.parametrize("scale", [[0.5], np.ones((2, 2)), jnp.ones(3)])
def test_a_scale_is_one_number(scale: Any) -> None:
    message = "required: one number as scale of the student's weights; got: shape"
    with pytest.raises(ts.InputError, match=message):
        ts.random_overlaps(one_block(2, 2), 50, 0, scale=scale)
    with pytest.raises(ts.InputError, match=message):
        jax.jit(lambda x: ts.random_overlaps(one_block(2, 2), 50, 0, scale=x).Q)(jnp.asarray(scale))


def test_arrays_of_keys_have_one_axis() -> None:
    with pytest.raises(ts.InputError, match=r"an array \(n,\) of keys; got: shape \(2, 3\)"):
        ts.random_overlaps(one_block(2, 2), 50, keys_of_seeds(6).reshape(2, 3))
