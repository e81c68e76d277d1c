"""Predicted spread and mean shift of finite students, against simulations, and derivatives of sampled averages.

Family-wise false-alarm rates are stated at each test; keys are fixed.
"""

from typing import Any

import jax
import numpy as np
import pytest

import ode
import simulations
import teacher_student as ts
from ode import _expansion

from . import build
from .test_step_law import without_eta_squared

RUNS, DIM, ALPHAS = 2000, 200, [1.0, 2.0, 4.0]


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
SAMPLES = {"xor": {"averages": ode.Sampled(2**11, 4)}}
_theory: dict[str, ts.Trajectory] = {}


def theory_of(name: str) -> ts.Trajectory:
    if name not in _theory:
        options = SAMPLES.get(name, {"sample": ode.Sampled(2**13, 4)})
        _theory[name] = ode.fluctuations(*PROBLEMS[name](), ALPHAS, **options)
    return _theory[name]


def runs_of(name: str, dim: int = DIM, runs: int = RUNS, key: int = 1) -> ts.Trajectory:
    problem, start = PROBLEMS[name]()
    return simulations.run(problem, dim, runs, ALPHAS, key, start=start, progress=False)


@pytest.mark.parametrize("name", PROBLEMS)
def test_runs_spread_and_shift_as_predicted(name: str) -> None:
    """Every quantity at every alpha, means and variances each at a family-wise level of 1 %."""
    verdict = simulations.agreement(theory_of(name), runs_of(name), spread="predicted", level=0.02)
    assert verdict.agrees, verdict.verdict
    assert verdict.spread.p > 0.01
    assert verdict.spread.low < 1 < verdict.spread.high


def without_half_of_the_levels(problem: ts.Problem, sample: Any, alpha: Any, state: ts.Overlaps) -> Any:
    """D of the levels one by one, as if their order were fixed."""
    parts = []
    for level in problem.inputs.level_names:
        single = ts.Problem(problem.task, problem.student, problem.sgd, ts.Curriculum.single(level, 4.0))
        parts.append(_expansion_diffusion(single, sample, alpha, state))
    return jax.tree.map(lambda a, b: (a + b) / 2, *parts)


_expansion_diffusion = _expansion.diffusion


@pytest.mark.parametrize(
    ("name", "slip"), [("switched", without_eta_squared), ("sign_mixed", without_half_of_the_levels)]
)
def test_a_wrong_spread_is_caught(name: str, slip: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_expansion, "diffusion", slip)
    problem, start = PROBLEMS[name]()
    wrong = ode.fluctuations(problem, start, ALPHAS, sample=ode.Sampled(2**12, 2), max_steps=99_999)  # traced anew
    verdict = simulations.agreement(wrong, runs_of(name), spread="predicted", level=0.02)
    assert not verdict.agrees
    assert verdict.spread.p < 0.01
