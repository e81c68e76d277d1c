"""What the Python interface refuses: one line that says what was required, what was got and what to do."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import numpy as np
import pytest

import ode
import simulations
import teacher_student as ts

from . import build
from .build import unchecked as wrong

PROBLEM = build.problem()
START = build.overlaps(PROBLEM)
XOR = build.mixture()
NOISY = build.problem(M=1, readout=(1.0,), labels="sign")
QUIET: dict[str, Any] = {"progress": False, "test_samples": 16}


def one(problem: ts.Problem, averages: ode.Sampled) -> Any:
    return jax.tree.map(lambda x: x[0], averages.draw(problem))


def with_teacher_in(block: int, start: ts.Overlaps) -> ts.Overlaps:
    more = 0.1 * np.eye(start.T.shape[0])[block][:, None, None] * np.eye(2)
    changed: ts.Overlaps = eqx.tree_at(lambda s: s.T, start, start.T + more)
    return changed


def drift(problem: Any = PROBLEM, averages: Any = None, alpha: Any = 0.0, state: Any = START) -> Any:
    return ode.drift(problem, ode.ClosedForm() if averages is None else averages, alpha, state)


def state_of(problem: ts.Problem) -> ts.Overlaps:
    return build.overlaps(problem)


def closed(**given: Any) -> Callable[[], Any]:
    problem = build.problem(**given)
    return lambda: drift(problem, state=state_of(problem))


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "drift: noisy signs": (lambda: drift(NOISY, state=state_of(NOISY)), "closed-form averages; got: sign labels with"),
    "drift: sign teacher": (closed(student="x**2", teacher="sign"), "closed-form averages; got: a polynomial student"),
    "drift: relu teacher": (closed(teacher="relu"), "closed-form averages; got: teacher activation 'relu'"),
    "drift: logistic": (closed(M=1, readout=(1.0,), labels="sign", loss="logistic"), "got: the logistic loss"),
    "drift: XOR": (lambda: drift(XOR, state=state_of(XOR)), "closed-form averages; got: a XorMixture"),
    "drift: not drawn": (lambda: drift(averages=ode.Sampled()), "a drawn sample; got: Sampled; of a sample take one"),
    "drift: all scramblings": (lambda: drift(averages=ode.Sampled().draw(PROBLEM)), "one scrambling of a sample"),
    "drift: other's sample": (lambda: drift(averages=one(XOR, ode.Sampled())), "a sample for this problem"),
    "drift: no averages": (lambda: drift(averages=3), "a drawn sample; got: int"),
    "drift: no problem": (lambda: drift(3), "a ts.Problem; got: int"),
    "drift: other width": (lambda: drift(build.problem(K=2)), r"overlaps Q of shape \(2, 2, 2\)"),
    "drift: several": (lambda: drift(state=jax.tree.map(lambda x: x[None], START)), "one state; got: leading axes"),
    "drift: no alpha": (lambda: drift(alpha="a"), "numbers for alphas"),
    "drift: NaN": (lambda: drift(alpha=np.nan), "finite numbers for alphas"),
    "drift: early": (lambda: drift(alpha=-1.0), "alphas >= 0"),
    "drift: late": (lambda: drift(alpha=11.0), "curriculum's end, 10"),
    "observe: none": (lambda: ode.observe(PROBLEM, jax.tree.map(lambda x: x[None][:0], START)), "at least one state"),
    "solve: no start": (
        lambda: ode.solve(PROBLEM, wrong(None), [1.0]),
        "ts.Overlaps; got: NoneType; see ts.random_overlaps",
    ),
    "solve: no problem": (lambda: ode.solve(wrong(None), START, [1.0]), "a ts.Problem; got: NoneType"),
    "solve: rtol": (lambda: ode.solve(PROBLEM, START, [1.0], rtol=wrong("a")), "rtol between 0 and 1; got: 'a'"),
    "solve: useless atol": (lambda: ode.solve(PROBLEM, START, [1.0], atol=np.inf), "atol between 0 and 1; got: inf"),
    "solve: bound": (lambda: ode.solve(PROBLEM, START, [1.0], bound=np.nan), "a bound > 0"),
    "solve: max_steps": (lambda: ode.solve(PROBLEM, START, [1.0], max_steps=wrong(1.5)), "an integer max_steps"),
    "solve: endless": (lambda: ode.solve(PROBLEM, START, [1.0], max_steps=wrong(np.inf)), "an integer max_steps"),
    "solve: adjoint": (lambda: ode.solve(PROBLEM, START, [1.0], adjoint=wrong("x")), "a diffrax adjoint"),
    "solve: accuracy": (
        lambda: ode.solve(PROBLEM, START, [1.0], with_accuracy=wrong("x")),
        "with_accuracy=True, False or",
    ),
    "solve: teacher where blind": (lambda: ode.solve(PROBLEM, with_teacher_in(1, START), [1.0]), "block 'irrelevant'"),
    "solve: outside the plane": (
        lambda: ode.solve(XOR, eqx.tree_at(lambda s: s.Q, state_of(XOR), state_of(XOR).Q + np.eye(3)), [1.0]),
        "block 'plane', which the teacher's directions span",
    ),
    "many: no starts": (lambda: ode.solve_many([PROBLEM], wrong(None), [1.0]), "starts as ts.Overlaps, or a list"),
    "many: no problem": (lambda: ode.solve_many([PROBLEM, wrong(3)], START, [1.0]), "a ts.Problem; got: int"),
    "many: text": (lambda: ode.solve_many(wrong("ab"), START, [1.0]), "a list of problems, or one"),
    "many: teacher where blind": (
        lambda: ode.solve_many([PROBLEM] * 2, [START, with_teacher_in(1, START)], [1.0]),
        "block 'irrelevant'",
    ),
    "fastest_averages": (lambda: ode.fastest_averages(wrong(3)), "a ts.Problem; got: int"),
    "run: teacher where blind": (
        lambda: simulations.run(PROBLEM, 50, 2, [1.0], 0, start=with_teacher_in(1, START), **QUIET),
        "block 'irrelevant'",
    ),
    "run: bound": (lambda: simulations.run(PROBLEM, 50, 2, [1.0], 0, bound=-1, **QUIET), "a bound > 0"),
    "run: no step": (lambda: simulations.run(PROBLEM, 50, 2, [0.001], 0, **QUIET), "a last alpha of one step, 1/N"),
    "memory: runs": (lambda: simulations.memory(PROBLEM, 50, runs=-1), "number of runs >= 1; got: -1"),
    "memory: workers": (lambda: simulations.memory(PROBLEM, 50, workers=0), "number of workers >= 1; got: 0"),
    "memory: inputs": (lambda: simulations.memory(PROBLEM, 50, inputs="x"), "kind of inputs"),
    "memory: precision": (lambda: simulations.memory(PROBLEM, 50, precision="x"), "a known precision"),
    "memory: problem": (lambda: simulations.memory(wrong(3), 50), "a ts.Problem; got: int"),
    "agreement": (
        lambda: simulations.agreement(wrong(1), wrong(2)),
        r"a Trajectory as theory; got: int; agreement\(theory, runs\)",
    ),
    "Overlaps": (lambda: ts.Overlaps(np.ones((2, 3)), np.ones((2, 1)), np.ones((1, 1))), r"Q \(\.\.\., K, K\)"),
    "random_overlaps: T": (
        lambda: ts.random_overlaps(build.problem(blocks=1), 50, 0, teacher=-np.eye(2)[None]),
        "positive semidefinite T",
    ),
    "random_overlaps: T where blind": (
        lambda: ts.random_overlaps(PROBLEM, 50, 0, teacher=np.stack([np.eye(2)] * 2)),
        "T = 0 in block 'irrelevant'",
    ),
    "Curriculum": (lambda: ts.Curriculum(wrong(3)), r"each phase as \(initial, final, duration\); got: 3; or use"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_is_refused_in_one_line(case: str) -> None:
    call, text = REFUSED[case]
    with pytest.raises(ts.InputError, match=text) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_traced_noise_does_not_hide_what_has_a_closed_form() -> None:
    """Inside jit the noise cannot be looked at; outside it was."""
    problem = build.problem(M=1, readout=(1.0,), labels="sign", noise=0.0)
    with jax.enable_x64(True):
        inside = jax.jit(lambda p: ode.drift(p, ode.ClosedForm(), 0.0, state_of(problem)))(problem)
        outside = ode.drift(problem, ode.ClosedForm(), 0.0, state_of(problem))
    for a, b in zip(jax.tree.leaves(inside), jax.tree.leaves(outside), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
