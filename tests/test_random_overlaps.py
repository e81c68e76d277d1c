"""Random starts have exactly the law of random weights, and are drawn without compiling."""

import dataclasses
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
    ones, signs = (ts.random_overlaps(build.problem(), 50, 1, readout=each) for each in ("ones", "signs"))
    np.testing.assert_array_equal(ones.gram, signs.gram)
    np.testing.assert_array_equal(ones.readout, np.ones(3))


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

    def total(scale: Any, T: Any, readout: Any) -> Any:
        start = ts.random_overlaps(problem, 50, 0, scale=scale, teacher=T, readout=readout)
        return start.Q.sum() + start.R[..., 0].sum() + (start.readout**2).sum()

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
