"""The simulator: exact starts, reproducibility, divergence, memory bounds and interruption."""

import os
import signal
import threading
import time
import warnings
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import ode
import simulations
import teacher_student as ts
from simulations.engine._phase_steps import phase_steps
from simulations.engine._samples import draw_level

from . import build

pytestmark = pytest.mark.slow  # most of its time is compilation


def run(
    problem: ts.Problem, dim: int = 100, runs: int = 4, alphas: Any = (0.0, 1.0, 2.0), key: int = 0, **options: Any
) -> Any:
    return simulations.run(problem, dim, runs, alphas, key, test_samples=32, progress=False, **options)


@pytest.mark.parametrize(("precision", "blocks"), [("float32", 1), ("float32", 2), ("float32", 3), ("float64", 3)])
def test_start_weights_have_exactly_the_overlaps(precision: str, blocks: int) -> None:
    problem = build.problem(blocks=blocks)
    start = build.overlaps(problem, 1)
    runs = run(problem, start=start, precision=precision, alphas=[0.0, 0.1])
    tolerance = 50 * float(np.finfo(precision).eps)
    for name in ("Q", "R", "T", "readout"):
        found = getattr(runs.overlaps, name)[:, 0]
        np.testing.assert_allclose(found, np.broadcast_to(getattr(start, name), found.shape), atol=tolerance)


def test_more_units_than_dimensions_need_a_start_of_low_rank() -> None:
    problem = build.problem(K=30, blocks=1)
    with pytest.raises(ts.InputError, match="at least 32 dimensions in block 'all'"):
        run(problem, dim=20, start=build.overlaps(problem, 1))


def test_same_key_same_numbers_whatever_else_runs() -> None:
    """Run r is a function of the key and r: not of the number of runs, of workers, or of other recorded alphas."""
    problem = build.problem()
    start = build.overlaps(problem, 2)
    first = run(problem, start=start, runs=3, workers=1)
    second = run(problem, start=start, runs=14, workers=2, alphas=[0.0, 0.37, 1.0, 1.5, 2.0])
    np.testing.assert_array_equal(first.overlaps.Q, second.overlaps.Q[:3, [0, 2, 4]])
    other = run(problem, start=start, runs=3, key=1)
    assert not np.any(other.overlaps.Q[:, 1:] == first.overlaps.Q[:, 1:])


def test_runs_are_independent() -> None:
    """Correlation of neighbouring runs is compatible with 0 (two-sided level 1e-3)."""
    problem = build.problem(K=1, M=1)
    runs = run(problem, runs=200, start=build.overlaps(problem, 2), alphas=[1.0])
    values = runs.overlaps.Q[:, 0, 0, 0, 0]
    correlation = np.corrcoef(values[:-1], values[1:])[0, 1]
    assert abs(correlation) * np.sqrt(199) < stats.norm.isf(0.0005)


def test_float32_and_float64_agree_in_law_and_theory_precision_is_untouched() -> None:
    problem = build.problem()
    start = build.overlaps(problem, 2)
    samples = [run(problem, start=start, runs=64, precision=p, alphas=[2.0], key=k).overlaps.Q[:, 0]
               for k, p in enumerate(("float32", "float64"))]  # fmt: skip
    difference = samples[0].mean(axis=0) - samples[1].mean(axis=0)
    error = np.sqrt(sum(s.var(axis=0, ddof=1) / 64 for s in samples))
    moving = error > 1e-6
    assert np.max(np.abs(difference[moving] / error[moving])) < stats.t.isf(0.001 / 2 / moving.sum(), 126)
    assert not build.unchecked(jax.config).jax_enable_x64


def test_levels_are_drawn_with_their_shares() -> None:
    """A ramp's level frequencies in ten bins of steps equal its shares (chi-square, level 1e-3)."""
    problem = build.problem(curriculum=ts.Curriculum.ramp("easy", {"easy": 0.2, "hard": 0.8}, 1.0))
    steps = 20_000
    steps_of_phases = phase_steps(problem, steps)
    uniforms = jax.random.uniform(jax.random.key(3), (steps,))
    levels = jax.vmap(lambda n, u: draw_level(problem, steps_of_phases, n, u))(jnp.arange(steps), uniforms)
    hard = np.asarray(levels).reshape(10, -1).sum(axis=1)
    expected = (np.arange(10) + 0.5) / 10 * 0.8 * steps / 10
    variance = expected * (1 - expected / (steps / 10))
    assert np.sum((hard - expected) ** 2 / variance) < stats.chi2.isf(1e-3, 10)


def test_phases_switch_at_the_right_step() -> None:
    problem = build.problem(curriculum=ts.Curriculum.phases(("hard", 1.0), ("easy", 1.0)))
    steps_of_phases = phase_steps(problem, 100)
    levels = [int(draw_level(problem, steps_of_phases, jnp.int32(n), jnp.float32(0.999999))) for n in (0, 99, 100, 199)]
    assert levels == [1, 1, 0, 0]


def test_phases_longer_than_any_run_keep_their_lengths() -> None:
    """N = 1e9 and a ramp over alpha = 10, which is 1e10 steps: at alpha = 2 a share of 0.2 is hard."""
    problem = build.problem(curriculum=ts.Curriculum.ramp("easy", "hard", 10.0))
    steps_of_phases = phase_steps(problem, 10**9)
    levels = [int(draw_level(problem, steps_of_phases, jnp.int32(2 * 10**9), jnp.float32(u))) for u in (0.79, 0.81)]
    assert levels == [0, 1]


def test_a_diverging_run_is_marked_and_the_others_go_on() -> None:
    problem = build.problem(student="linear", learning_rate=30.0, readout_learning_rate=0.0)
    runs = run(problem, dim=50, alphas=[0.1, 5.0, 10.0])
    assert np.all(runs.status == ts.Status.DIVERGED)
    assert np.all(runs.reached < 10)
    assert "diverged" in runs.describe()
    assert np.all(np.isnan(runs.overlaps.Q[:, -1]))
    for r in range(4):
        assert np.array_equal(np.isfinite(runs.overlaps.Q[r, :, 0, 0, 0]), runs.alphas <= runs.reached[r])
        for found in (*runs.error.values(), *runs.accuracy.values()):
            assert np.array_equal(np.isfinite(found[r]), runs.alphas <= runs.reached[r])


def test_random_starts_differ_between_runs() -> None:
    runs = run(build.problem(), alphas=[0.0, 0.5])
    assert np.unique(runs.overlaps.Q[:, 0, 0, 0, 0]).size == 4


def test_one_start_per_run() -> None:
    problem = build.problem()
    starts = ts.random_overlaps(problem, 100, jax.random.split(jax.random.key(4), 4))
    runs = run(problem, start=starts, alphas=[0.0, 0.5])
    np.testing.assert_allclose(runs.overlaps.Q[:, 0], starts.Q, atol=1e-6)
    with pytest.raises(ts.InputError, match="one per run"):
        run(problem, start=starts, runs=3)


def test_random_overlaps_have_the_law_of_random_weights() -> None:
    """Two-sample Kolmogorov-Smirnov on every overlap against Gram matrices of actual weights (family-wise 1 %)."""
    problem = build.problem(blocks=3)
    dim, draws = 25, 3000
    theirs = ts.random_overlaps(problem, dim, jax.random.split(jax.random.key(5), draws), scale=0.7)
    sizes = problem.inputs.sizes(dim, 2)
    rng = np.random.default_rng(6)
    pairs = []
    for b, (name, size) in enumerate(zip(problem.inputs.block_names, sizes, strict=True)):
        w = 0.7 * rng.normal(size=(draws, 3, size))
        u = rng.normal(size=(draws, 2, size)) * problem.task.seen_blocks[b]
        if name == "plane":
            u = np.broadcast_to(np.sqrt(dim) * np.eye(2), (draws, 2, 2))
        Q, R, T = (np.einsum("dki,dli->dkl", *each) / dim for each in ((w, w), (w, u), (u, u)))
        pairs += [(Q[:, k, l], theirs.Q[:, b, k, l]) for k in range(3) for l in range(k, 3)]
        pairs += [(R[:, k, m], theirs.R[:, b, k, m]) for k in range(3) for m in range(2)]
        pairs += [(T[:, 0, 1], theirs.T[:, b, 0, 1]), (T[:, 0, 0], theirs.T[:, b, 0, 0])]
    values = [stats.ks_2samp(*pair).pvalue for pair in pairs if np.std(pair[0]) > 0]
    assert min(values) > 0.01 / len(values)
    for mine, other in pairs:
        if np.std(mine) == 0:
            np.testing.assert_allclose(mine, other, atol=1e-12)


def test_kinds_of_teachers_and_readouts() -> None:
    problem = build.problem(blocks=3)
    start = ts.random_overlaps(problem, 1000, 0, teacher="orthonormal", readout="signs")
    np.testing.assert_allclose(start.T[1], 0.4 * np.eye(2), atol=1e-2)
    np.testing.assert_allclose(start.T[0], np.eye(2), atol=1e-12)
    np.testing.assert_allclose(np.abs(start.readout), 1 / np.sqrt(3))
    given = ts.random_overlaps(problem, 1000, 0, teacher=start.T)
    np.testing.assert_allclose(given.T, start.T, atol=1e-12)
    assert ts.psd_violation(given) < 1e-12


def test_ctrl_c_leaves_finished_runs() -> None:
    problem = build.problem()
    start = build.overlaps(problem, 1)
    full = run(problem, dim=2000, runs=6, start=start, alphas=[0.1, 4.0], workers=1)
    clock = time.perf_counter()
    run(problem, dim=2000, runs=6, start=start, alphas=[0.1, 4.0], workers=1)
    duration = time.perf_counter() - clock
    timer = threading.Timer(duration / 2, os.kill, (os.getpid(), signal.SIGINT))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        timer.start()
        part = run(problem, dim=2000, runs=6, start=start, alphas=[0.1, 4.0], workers=1)
    timer.join()
    assert 0 < part.runs < 6
    assert "interrupted" in str(caught[-1].message)
    np.testing.assert_array_equal(part.overlaps.Q, full.overlaps.Q[: part.runs])


def test_recordable_alphas_are_whole_steps_at_both_dimensions() -> None:
    found = simulations.recordable_alphas(np.geomspace(0.01, 10, 30), 1000, 250)
    np.testing.assert_allclose(found * 250, np.rint(found * 250), atol=1e-9)
    assert np.all(np.diff(found) > 0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dim": 0}, "dimension N >= 1"),
        ({"runs": 0}, "number of runs >= 1"),
        ({"precision": "float16"}, "known precision"),
        ({"dim": 3}, "at least 2 dimensions"),
        ({"alphas": [1.0, 1.0]}, "increasing alphas"),
        ({"alphas": [1.0, 11.0]}, "curriculum's end"),
        ({"key": -1}, "a seed between"),
        ({"workers": 0}, "workers >= 1"),
    ],
)
def test_bad_input(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ts.InputError, match=message):
        run(build.problem(), **options)


def test_units_that_saturate_and_cancel_are_judged_in_float64() -> None:
    """float32 rounds erf(lambda / sqrt 2) to 1 at lambda = 5.5: yhat of two opposite units would be 0, and wrong.

    Accuracy of float32 weights against the theory's points, within 4.5 standard errors (false alarm 1e-5).
    """
    task = ts.Committee(ts.Inputs({"all": 1.0}), 1, "sign", labels="sign")
    problem = ts.Problem(task, ts.Student(2), ts.SGD(0.0), ts.Curriculum.single("all", 1.0))
    start = ts.Overlaps([[6.0, -4.5], [-4.5, 6.0]], [[1.0], [0.3]], [[1.0]])
    theory = ode.solve(problem, start, [1.0], averages=ode.Sampled(2**14, 8))
    runs = simulations.run(problem, 50, 4, [1.0], 2, start=start, test_samples=50_000, progress=False)
    found, expected = runs.accuracy["all"].mean(), theory.accuracy["all"][0]
    error = np.hypot(
        np.sqrt(expected * (1 - expected) / 200_000), build.given(theory.sampling_error).accuracy["all"][0]
    )
    assert abs(found - expected) < 4.5 * error
