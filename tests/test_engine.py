"""The full-weight engine: shared samples, paired problems, other distributions, exact starts, devices, memory."""

import hashlib
import os
import subprocess
import sys
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
from benchmarks import memory
from simulations.engine import _samples, _weights
from simulations.engine._coordinates import FullWeights
from teacher_student import _usable_memory, internal

from . import build
from .as_users import HANGS, HERE, files_warned_of

pytestmark = pytest.mark.slow  # most of its time is compilation

QUIET: dict[str, Any] = {"progress": False, "test_samples": 64}


def overlaps_of(found: ts.Trajectory) -> np.ndarray:
    Q = np.asarray(found.overlaps.Q)
    return np.concatenate([Q.reshape(build.given(found.runs), -1), np.asarray(found.error["hard"])], 1)


def test_inputs_block_by_block_are_those_of_the_sample() -> None:
    """`make_input` and the public `make_sample` make one input from the same normals, means of clusters included."""
    for problem in (build.problem(blocks=3), build.mixture()):
        space = FullWeights.of(problem, 40)
        latents, normal = (
            jax.random.normal(jax.random.key(i), s) for i, s in ((0, (problem.task.latents, 40)), (1, (40,)))
        )
        blocks = jnp.repeat(jnp.arange(len(space.counts)), jnp.array(space.counts), total_repeat_length=40)
        for level in (0, 1):
            cluster = len(problem.task.cluster_probabilities) - 1
            expected = simulations.make_sample(problem, latents, blocks, normal, level, cluster, 0.0).input
            found = _samples.make_input(problem, latents, space, normal, level, cluster)
            np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.long
def test_shared_runs_see_one_stream() -> None:
    problem = build.problem()
    start = build.overlaps(problem, 1)
    same = simulations.run(problem, 100, 3, [0.5, 1.0], 0, start=start, inputs="shared", **QUIET)
    np.testing.assert_allclose(overlaps_of(same)[1:], overlaps_of(same)[:1].repeat(2, 0), rtol=1e-5, atol=1e-6)
    first = simulations.run(problem, 100, 1, [0.5, 1.0], 0, start=start, **QUIET)
    np.testing.assert_allclose(overlaps_of(same)[:1], overlaps_of(first), rtol=1e-4, atol=1e-5)  # run 0's samples
    own = simulations.run(problem, 100, 3, [0.5, 1.0], 0, start=start, **QUIET)
    assert np.min(np.ptp(overlaps_of(own)[:, :4], axis=0)) > 1e-3
    assert same.source.inputs == "shared"
    with pytest.raises(ts.InputError, match="share their samples"):
        simulations.agreement(ode.solve(problem, start, [0.5, 1.0], with_accuracy=False), same)


def test_paired_problems_are_each_as_alone_and_their_differences_spread_less() -> None:
    """Three learning rates, one of them with another schedule: as `run`, and differences of sd below a fifth."""
    orders = [ts.Curriculum.mixed({"easy": share, "hard": 1 - share}, 2.0) for share in (0.4, 0.4, 0.7)]
    problems = [
        build.problem(learning_rate=rate, curriculum=o) for rate, o in zip((0.5, 0.55, 0.5), orders, strict=True)
    ]
    start = build.overlaps(problems[0], 1)
    found = simulations.run_many(problems, 200, 12, [1.0, 2.0], 3, start=start, **QUIET)
    for problem, each in zip(problems, found, strict=True):
        alone = simulations.run(problem, 200, 12, [1.0, 2.0], 3, start=start, **QUIET)
        np.testing.assert_allclose(overlaps_of(each), overlaps_of(alone), rtol=1e-3, atol=1e-4)
        assert each.source == alone.source
    other = simulations.run(problems[1], 200, 12, [1.0, 2.0], 4, start=start, **QUIET)
    paired = np.std(overlaps_of(found[1]) - overlaps_of(found[0]), axis=0)[:6]
    independent = np.std(overlaps_of(other) - overlaps_of(found[0]), axis=0)[:6]
    assert np.median(paired / independent) < 0.2
    for bad, message in (
        ([], "at least one problem"),
        (problems[0], "a list of problems"),
        ([problems[0], build.problem(K=2)], "differ in numbers only"),
        ([problems[0], build.problem(curriculum=ts.Curriculum.phases(("easy", 1.0), ("hard", 1.0)))], "of shapes"),
    ):
        with pytest.raises(ts.InputError, match=message):
            simulations.run_many(build.unchecked(bad), 200, 2, [1.0], 0, **QUIET)


def heavier(key: jax.Array, shape: tuple[int, ...], dtype: Any) -> jax.Array:
    return jax.random.normal(key, shape, dtype) * 1.02


def cauchy(key: jax.Array, shape: tuple[int, ...], dtype: Any) -> jax.Array:
    return jax.random.cauchy(key, shape, dtype)


def laplace(key: jax.Array, shape: tuple[int, ...], dtype: Any) -> jax.Array:
    drawn: jax.Array = jax.random.laplace(key, shape, dtype) / np.sqrt(2).astype(dtype)
    return drawn


@pytest.mark.long("uniform", "laplace")
@pytest.mark.parametrize("distribution", ["rademacher", "uniform", laplace])
def test_other_inputs_follow_the_same_theory(distribution: Any, tmp_path: Path) -> None:
    """Universality at N = 500: fields are sums of many independent numbers, whatever their law."""
    problem = build.problem(K=2, M=1, readout=(1.0,))
    start, alphas = ts.random_overlaps(problem, 500, 0), [1.0, 3.0]
    runs = simulations.run(problem, 500, 24, alphas, 5, start=start, distribution=distribution, **QUIET)
    verdict = simulations.agreement(ode.solve(problem, start, runs.alphas, with_accuracy=False), runs)
    assert verdict.agrees, verdict.verdict
    wrong = ode.solve(build.problem(K=2, M=1, readout=(1.0,), noise=0.6), start, runs.alphas, with_accuracy=False)
    assert not simulations.agreement(eqx.tree_at(lambda each: each.problem, wrong, problem), runs).agrees
    loaded = ts.Trajectory.load(runs.save(tmp_path / "runs.nc"))
    assert loaded.source.distribution == getattr(distribution, "__qualname__", distribution)


def test_laws_that_cannot_be_are_refused() -> None:
    problem = build.problem()
    options: dict[str, Any]
    for options, message in (
        ({"distribution": heavier}, "inputs of variance 1"),
        ({"distribution": cauchy}, "inputs of finite variance"),
        ({"distribution": lambda key, shape, dtype: jnp.zeros(3, dtype)}, "numbers of shape"),
        ({"distribution": lambda key: key}, "a function"),
        (
            {"distribution": lambda key, *law: jax.random.normal(jax.random.key(0), *law)},
            "other inputs from another key",
        ),
        (
            {"distribution": lambda key, s, d: jnp.asarray(np.random.default_rng().normal(size=s), d)},
            "other inputs from",
        ),
        ({"distribution": "rademaher"}, "did you mean 'rademacher'"),
        ({"distribution": "uniform", "method": "overlaps"}, 'Gaussian inputs with method="overlaps"'),
        ({"inputs": "shared", "method": "overlaps"}, 'inputs="own" with method="overlaps"'),
        ({"inputs": "common"}, "a known kind of inputs"),
        ({"devices": 99}, "99 devices; got: "),
        ({"devices": 0}, "an integer number of devices >= 1"),
    ):
        with pytest.raises(ts.InputError, match=message) as caught:
            simulations.run(problem, 100, 2, [1.0], 0, **QUIET, **options)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_starts_have_their_overlaps_exactly(dtype: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whitened Gaussian rows, in chunks (here 1000 columns, the last one shorter), in blocks of 720 and 1680."""
    problem = build.problem()
    start = build.overlaps(problem, 1)
    monkeypatch.setattr(_weights, "CHUNK_NUMBERS", 5000)
    sizes = problem.inputs.sizes(2400, 2)
    with jax.enable_x64(True):
        weights = _weights.weights_with(internal.to_float(start, jnp.float64), sizes, jax.random.key(0), dtype)
        found = simulations.measure_overlaps(internal.to_float(weights, jnp.float64), sizes)
        again = _weights.weights_with(internal.to_float(start, jnp.float64), sizes, jax.random.key(1), dtype)
    for mine, theirs in zip(jax.tree.leaves(found), jax.tree.leaves(start), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=20 * np.finfo(dtype).eps)
    assert weights.student.dtype == dtype
    columns = np.abs(np.asarray(weights.student)).sum(axis=0)
    assert np.min(columns) > 0  # every dimension is filled
    assert np.max(np.abs(np.corrcoef(np.asarray(weights.student)[0], np.asarray(again.student)[0])[0, 1])) < 0.1


def test_memory_is_said_before_it_is_allocated(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = build.problem(K=3)
    need = simulations.memory(problem, 10**6, workers=2, runs=8)
    assert need > 2 * 2 * 5 * 10**6 * 4
    four, two = (simulations.memory(problem, 10**7, workers=n, runs=8) for n in (4, 2))
    assert four > 1.5 * two
    few = [simulations.memory(problem, 10**7, workers=n, runs=2) for n in (4, 2)]
    assert few[0] == few[1]  # no more threads than runs
    kept = 2 * 8 * 5 * 10**6 * 8  # twice, in float64: decay is 7e-8 a step
    assert simulations.memory(problem, 10**6, workers=2, runs=8, keep="weights") == need + kept
    monkeypatch.setattr(_usable_memory, "usable_memory", lambda: 10**8)
    with pytest.raises(ts.InputError, match=r"0\.[0-9]+ GB of memory for these runs; got: 0\.1 GB available; lower"):
        simulations.run(problem, 10**6, 2, [1e-6], 0, start=build.overlaps(problem, 1), workers=2, **QUIET)
    monkeypatch.setattr(_usable_memory, "usable_memory", lambda: None)  # a system that does not say
    simulations.run(problem, 1000, 1, [1e-3], 0, **QUIET)


@pytest.mark.long("long", "kept", "wide", "chain")
@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells the peak memory of a process")
@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=name)
        for name, case in {
            "long": {"dim": 4 * 10**6, "runs": 4, "workers": 2, "steps": 4, "test_samples": 1},
            "kept": {"dim": 10**6, "runs": 16, "workers": 2, "keep": "weights", "test_samples": 1},
            "wide": {"dim": 2 * 10**4, "runs": 1, "K": 512, "workers": 1, "records": 20, "test_samples": 1},
            "shared": {"dim": 1000, "runs": 64, "workers": 2, "inputs": "shared"},
            "chain": {"dim": 10**6, "runs": 16, "method": "overlaps"},
        }.items()
    ],
)
def test_a_fresh_process_takes_the_memory_that_is_said_within_a_factor(case: dict[str, Any]) -> None:
    stated, measured = memory.in_fresh_process(case)
    assert 1 / memory.FACTOR < stated / measured < memory.FACTOR


SPREAD = """
import hashlib
import jax, numpy as np
import simulations
from tests import build
problem = build.problem()
start = build.overlaps(problem, 1)
found = []
for method, dim, alphas in (("weights", 120, [0.3, 0.5]), ("overlaps", 10**6, [1e-4])):
    options = dict(start=start, method=method, test_samples=64, progress=False)
    found.append(simulations.run(problem, dim, 6, alphas, 3, **options))
many = [build.problem(learning_rate=rate) for rate in (0.1, 0.2, 0.3, 0.4)]
paired = simulations.run_many(many, 120, 2, [0.3], 3, start=start, test_samples=64, progress=False)
leaves = jax.tree.leaves([each.observables for each in found])
print(jax.device_count(), hashlib.sha256(b"".join(np.asarray(x).tobytes() for x in leaves)).hexdigest())
print(*(float(x) for each in paired for x in each.error["hard"].ravel()))
"""


@pytest.mark.long
def test_four_devices_give_the_bits_of_one() -> None:
    """Forced host devices, in processes of their own: full weights and the chain; paired problems to rounding."""
    digests: dict[int, str] = {}
    paired: dict[int, list[str]] = {}
    for count in (1, 4):
        flags = f"--xla_force_host_platform_device_count={count}"
        environment = {**os.environ, "XLA_FLAGS": flags}
        root = Path(__file__).parent.parent
        command = [sys.executable, "-c", SPREAD]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=root, timeout=HANGS)
        assert done.returncode == 0, done.stderr
        seen, digests[count], *paired[count] = done.stdout.split()
        assert int(seen) == count
    assert digests[1] == digests[4]
    np.testing.assert_allclose(np.array(paired[1], float), np.array(paired[4], float), rtol=1e-4)
    assert len(digests[1]) == hashlib.sha256().digest_size * 2


@pytest.mark.parametrize("eta_v", [0.0, 0.02])
def test_slow_decay_and_slow_readouts_are_not_rounded_away(eta_v: float) -> None:
    """Steps of 2e-7 of weights without inputs, and of readouts: with the precision that is taken for them, exactly."""
    inputs = ts.Inputs({"seen": 0.5, "silent": 0.5}, {"all": {"seen": 1.0, "silent": 0.0}})
    task = ts.Committee(inputs, 1, "erf", support="seen")
    gamma = 2e-4 if eta_v == 0 else 0.0
    dim, rate = 100, eta_v * 1e-3
    problem = ts.Problem(task, ts.Student(1, "erf"), ts.SGD(0.1, rate, gamma), ts.Curriculum.single("all", 30.0))
    start = ts.random_overlaps(problem, dim, 0)
    assert simulations.usual_precision(problem, dim) == "float64"
    run = simulations.run(problem, dim, 4, [30.0], 1, start=start, **QUIET)
    assert run.source.precision == "float64"
    if eta_v == 0:
        expected = start.Q[1, 0, 0] * (1 - 0.1 * gamma / dim) ** (2 * 30 * dim)
        np.testing.assert_allclose(run.overlaps.Q[:, -1, 1, 0, 0], expected, rtol=1e-12)
        assert expected < start.Q[1, 0, 0] * (1 - 1e-4)
    else:
        assert np.all(np.abs(run.overlaps.readout[:, -1, 0] - 1) > 1e-6)
    with pytest.warns(UserWarning, match="float32 rounds away part of a step of 2e-07"):
        simulations.run(problem, dim, 1, [0.1], 1, start=start, precision="float32", **QUIET)


def test_warnings_of_rounding_name_the_line_of_the_call() -> None:
    code = """
        problem = build.problem(weight_decay=1e-4)
        start = build.overlaps(problem, 1)
        options = dict(start=start, precision="float32", test_samples=32, progress=False)
        simulations.run(problem, 100, 1, [0.1], 1, **options)
        simulations.run_many([problem], 100, 1, [0.1], 1, **options)
    """
    assert files_warned_of(code) == [HERE, HERE]


def test_single_precision_decays_without_bias() -> None:
    """By c = 168.5 x 2^-24 a step, which 1 - c in float32 would round by half of 2^-24, for all weights alike."""
    dim, c = 100_000, 168.5 * 2.0**-24
    problem = build.problem(blocks=1, K=1, M=1, readout=(1.0,), learning_rate=1.0, weight_decay=c * dim)
    weights = jax.random.uniform(jax.random.key(0), (1, dim), jnp.float32, 0.5, 2.0)
    before = _weights.Weights(weights, jnp.zeros((1, dim), jnp.float32), jnp.ones(1, jnp.float32))
    sample = simulations.Sample(0, 0, jnp.zeros(dim, jnp.float32), jnp.float32(0.0))
    after = simulations.sgd_step(internal.to_float(problem, jnp.float32), before, sample)
    found = 1 - np.asarray(after.student, float) / np.asarray(weights, float)
    assert abs(found.mean() - c) < 5 * found.std(ddof=1) / np.sqrt(dim)
