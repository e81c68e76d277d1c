"""What simulations are compiled for is structure only: after a first run, none of these changes compiles anything."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import simulations
import teacher_student as ts
from simulations.engine._phase_steps import phase_steps
from simulations.engine._samples import draw_level
from teacher_student import internal

from . import build
from .compilations import compiled_programs

pytestmark = pytest.mark.slow  # most of its time is compilation

FULL = 10.0


def small(
    curriculum: ts.Curriculum | None = None, names: tuple[str, ...] = ("easy", "hard"), **options: Any
) -> ts.Problem:
    """K = M = 2 on two blocks, whose levels and blocks are named as asked."""
    levels = {name: {"seen": 1.0 + i, names[-1]: 0.5} for i, name in enumerate(names)}
    inputs = ts.Inputs({"seen": 0.4, names[-1]: 0.6}, levels)
    task = ts.Committee(inputs, 2, "erf", options.pop("readout", (1.0, -0.7)), noise=options.pop("noise", 0.3))
    order = curriculum or ts.Curriculum.mixed({names[0]: 0.4, names[1]: 0.6}, FULL)
    return ts.Problem(task, ts.Student(2), ts.SGD(options.pop("rate", 0.7), 0.4, 0.1), order)


def phases(*levels: str) -> ts.Curriculum:
    return ts.Curriculum.phases(*((level, FULL / len(levels)) for level in levels))


START = build.overlaps(small(), 1)
USUAL: dict[str, Any] = {
    "problem": small(),
    "dim": 60,
    "runs": 3,
    "alphas": [0.1, 0.2],
    "key": 0,
    "start": START,
    "test_samples": 64,
    "progress": False,
}
CHANGES: dict[str, dict[str, Any]] = {
    "seed": {"key": 1},
    "a NumPy seed": {"key": np.int64(2)},
    "key": {"key": jax.random.key(3, impl="threefry2x32")},
    "one run": {"runs": 1},
    "forty runs": {"runs": 40},
    "more alphas": {"alphas": np.linspace(0.05, 0.5, 7)},
    "whole alphas in JAX numbers": {"alphas": jnp.array([0, 1])},
    "from 0 on": {"alphas": (0.0, 0.3)},
    "test samples": {"test_samples": 300},
    "bound": {"bound": 1e4},
    "names": {"problem": small(names=("simple", "difficult"))},
    "one level only": {"problem": small(ts.Curriculum.single("hard", FULL))},
    "two phases": {"problem": small(phases("easy", "hard"))},
    "their order": {"problem": small(phases("hard", "easy"))},
    "four phases": {"problem": small(phases("hard", "easy", "hard", "easy"))},
    "a ramp": {"problem": small(ts.Curriculum.ramp("hard", {"easy": 0.3, "hard": 0.7}, FULL))},
    "a longer curriculum": {"problem": small(ts.Curriculum.single("easy", 99))},
    "int numbers": {"problem": small(rate=1, noise=0, readout=[1, 1])},
    "NumPy numbers": {"problem": small(rate=np.float32(0.2), noise=np.float64(0.1), readout=np.ones(2, np.float32))},
    "JAX numbers": {"problem": small(rate=jnp.float32(0.2), noise=jnp.array(0.1), readout=jnp.ones(2))},
    "another start": {"start": build.overlaps(small(), 5)},
    "one start per run": {"start": jax.tree.map(lambda x: np.stack([x] * 3), START)},
    "workers": {"workers": 1},
}


@pytest.mark.parametrize("method", ["weights", "overlaps"])
def test_nothing_is_compiled_again_for_what_is_no_structure(method: str) -> None:
    """Twenty changes of numbers, names and lengths; of N too where it is no shape, as in the chain."""
    changes = CHANGES | ({"dimension": {"dim": 1000}, "10^9 dimensions": {"dim": 10**9, "alphas": [3e-8]}})
    if method == "weights":
        changes = CHANGES
    with compiled_programs() as compiled:
        simulations.run(**USUAL, method=method)
        assert {"jit(_advance_group)", "jit(_measure_group)", "jit(_start_weights)"} <= set(compiled)
        assert len(compiled) <= 10, compiled
        again = {}
        for what, change in changes.items():
            compiled.clear()
            simulations.run(**USUAL | change, method=method)
            again[what] = list(compiled)
    assert {what: names for what, names in again.items() if names} == {}


def test_another_structure_is_compiled_for_and_can_be_prepared() -> None:
    """The count can fail: another N of full weights is another program; `prepare` compiles it before any run."""
    with compiled_programs() as compiled:
        simulations.run(**USUAL)
        compiled.clear()
        simulations.prepare(small(), 64, start=START)
        assert {"jit(_advance_group)", "jit(_measure_group)", "jit(_start_weights)"} <= set(compiled)
        compiled.clear()
        simulations.run(**USUAL | {"dim": 64})
        assert compiled == []


def test_starts_of_any_number_of_runs_are_drawn_by_one_program() -> None:
    options = USUAL | {"start": None}
    with compiled_programs() as compiled:
        first = simulations.run(**options | {"runs": 40})
        compiled.clear()
        second = simulations.run(**options | {"runs": 2})
        assert compiled == []
    np.testing.assert_array_equal(first.overlaps.Q[:2], second.overlaps.Q)
    np.testing.assert_array_equal(first.start.Q[:2], second.start.Q)


def test_paired_problems_and_tests_of_weights_compile_once() -> None:
    def problems(first: str, second: str) -> list[ts.Problem]:
        return [small(phases(first, second), rate=rate) for rate in (0.1, 0.2)]

    options = {name: value for name, value in USUAL.items() if name not in ("problem", "runs", "alphas", "key")}
    dim = options.pop("dim")
    weights = simulations.run(**USUAL, keep="weights").weights
    one = jax.tree.map(lambda x: x[:1], weights)
    with compiled_programs() as compiled:
        simulations.run_many(problems("easy", "hard"), dim, 2, [0.1], 0, **options)
        simulations.test(small(), weights, 64, 0)
        simulations.run(**USUAL | {"start": weights})
        compiled.clear()
        simulations.run_many(problems("hard", "easy"), dim, 5, [0.1, 0.3], 1, **options | {"test_samples": 128})
        simulations.test(small(names=("a", "b"), rate=1), one, 500, 1)
        simulations.run(**USUAL | {"start": one, "runs": 1})
        assert compiled == []


def test_results_have_the_names_of_the_problem() -> None:
    problem = small(names=("simple", "difficult"))
    run = simulations.run(**USUAL | {"problem": problem}, keep="weights")
    usual = simulations.run(**USUAL)
    assert run.problem is problem
    assert set(run.error) == set(run.accuracy) == {"simple", "difficult"}
    np.testing.assert_array_equal(run.error["simple"], usual.error["easy"])
    np.testing.assert_array_equal(run.accuracy["difficult"], usual.accuracy["hard"])
    assert list(simulations.test(problem, run.weights, 64, 0).error) == ["simple", "difficult"]


def test_phases_that_fill_up_a_curriculum_have_no_sample() -> None:
    """At every step, also beyond the end, the level and its shares are those of the user's own phases."""
    problem = small(ts.Curriculum.phases(("hard", 0.3), ("easy", "hard", 0.7)))
    filled = internal.unnamed(problem)
    assert filled.curriculum.durations.size == internal.filled_length(2) > 2
    draw = jax.jit(jax.vmap(draw_level, in_axes=(None, None, 0, 0)))
    steps, uniforms = jnp.arange(1000), jax.random.uniform(jax.random.key(0), (1000,))
    for dim in (1, 2, 10, 998):
        levels = [np.asarray(draw(each, phase_steps(each, dim), steps, uniforms)) for each in (problem, filled)]
        np.testing.assert_array_equal(levels[0], levels[1])
        assert set(np.unique(levels[1])) <= {0, 1}
        assert np.all(levels[1][dim:] == 1)  # hard, as the last phase ends
    assert np.all(levels[1][:299] == 1)
    assert 0.3 < np.mean(levels[1][299:998]) < 0.7


def test_a_phase_that_rounds_to_no_step_has_no_sample() -> None:
    """Phases of 0.36 and 0.36 steps: the one step there is belongs to the second, whose level alone is learned."""
    curriculum = ts.Curriculum.phases(("easy", 0.006), ("hard", 0.006))
    run = simulations.run(**USUAL | {"problem": small(curriculum), "alphas": [0.012]})
    hard = simulations.run(**USUAL | {"problem": small(ts.Curriculum.single("hard", 1.0)), "alphas": [0.012]})
    assert np.all(np.isfinite(run.overlaps.Q))
    np.testing.assert_array_equal(run.overlaps.Q, hard.overlaps.Q)
