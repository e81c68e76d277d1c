"""What tasks and activations declare of themselves: labels, smoothness, ties. What is not declared does not hold."""

import itertools
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import ode
import teacher_student as ts
from ode.averages._law_derivatives import is_smooth

from . import build
from .build import each_scrambling

pytestmark = pytest.mark.slow  # most of its time is compilation

ORDER = ts.Curriculum.single("all", 2.0)


class ErfMachine(ts.Task):
    """A task as a user writes it: y = sign(vt_1 erf(nu_1 / sqrt 2) + vt_2 erf(nu_2 / sqrt 2)), and nothing declared."""

    inputs: ts.Inputs
    readout: Any

    def __init__(self, readout: Any = (1.0, 1.0)):
        self.inputs, self.readout = ts.Inputs({"all": 1.0}), np.asarray(readout, float)

    latents = 2
    seen_blocks = (True,)
    cluster_probabilities = np.ones(1)
    cluster_means = np.zeros((1, 1, 2))

    def label(self, nu: jax.Array, cluster: jax.Array, noise: jax.Array) -> jax.Array:
        return self.clean_label(nu, cluster)

    def clean_label(self, nu: jax.Array, cluster: jax.Array) -> jax.Array:
        return jnp.sign(jax.lax.erf(nu / np.sqrt(2)) @ jnp.asarray(self.readout, nu.dtype))


class DeclaredSigns(ErfMachine):
    """The same, declared."""

    labels = "sign"


def made(kind: Any) -> ts.Task:
    """A task of a class that inherits its `__init__`, which type checkers take to be that of a dataclass."""
    task: ts.Task = kind()
    return task


def problem_of(task: ts.Task, student: Any = "erf", loss: str = "squared") -> ts.Problem:
    return ts.Problem(task, ts.Student(1, student), ts.SGD(0.5, loss=loss), ORDER)


def committee(unit: Any, readout: Any, **given: Any) -> ts.Committee:
    return ts.Committee(ts.Inputs({"all": 1.0}), len(readout), unit, readout, labels="sign", **given)


def test_derivatives_of_a_users_own_task_see_its_jumps() -> None:
    """d error/d T_12 of signs of sums of two erf units: that is no other than the same committee's."""
    state = build.overlaps(problem_of(ErfMachine()), 2)
    condition = jax.tree.map(lambda x: np.asarray(x)[0], ErfMachine().conditions())

    def slopes(task: ts.Task) -> np.ndarray:
        problem = problem_of(task)

        def error(t: Any, sample: Any) -> Any:
            T = jnp.asarray(state.T).at[0, [0, 1], [1, 0]].set(t)
            return sample.error_and_accuracy(problem, ts.Overlaps(state.Q, state.R, T, state.readout), condition)[0]

        at = float(state.T[0, 0, 1])
        return np.asarray(each_scrambling(lambda sample: jax.grad(error)(at, sample), problem, 2**12))

    with jax.enable_x64(True):
        known, users = slopes(committee("erf", (1.0, 1.0))), slopes(ErfMachine())
    np.testing.assert_allclose(users, known, rtol=1e-9)
    assert not is_smooth(problem_of(ErfMachine()))


def test_a_users_task_that_says_what_labels_are_the_sign_of_moves_with_its_own_numbers() -> None:
    """Its readout turns labels; without the declaration that derivative would be 0."""

    class Says(DeclaredSigns):
        def before_sign(self, nu: jax.Array, cluster: jax.Array) -> tuple[jax.Array, Any]:
            return jax.lax.erf(nu / np.sqrt(2)) @ jnp.asarray(self.readout, nu.dtype), 0.0

    state = build.overlaps(problem_of(ErfMachine()), 2)
    sample = jax.tree.map(lambda x: x[0], ode.Sampled(2**8, 1).draw(problem_of(ErfMachine())))

    def slope(task: ts.Task) -> np.ndarray:
        def pull(readout: jax.Array) -> Any:
            problem = problem_of(eqx.tree_at(lambda task: task.readout, task, readout))
            return ode.drift(problem, sample, 0.0, state).R.sum()

        return np.asarray(jax.jit(jax.grad(pull))(np.array([1.0, 0.6])))

    with jax.enable_x64(True):
        known, says, silent = slope(committee("erf", (1.0, 0.6))), slope(made(Says)), slope(made(DeclaredSigns))
    np.testing.assert_allclose(says, known, rtol=1e-9)
    assert np.all(silent == 0)
    assert np.max(np.abs(known)) > 1e-3


def test_smooth_is_what_is_declared() -> None:
    """A student must not jump in its derivative, a teacher of values only in its value."""
    tanh = ts.Activation("tanh", jnp.tanh, smooth=True)
    cases: dict[tuple[Any, Any, str], bool] = {
        ("erf", "erf", "value"): True,
        ("x**2", "relu", "value"): True,
        ("relu", "erf", "value"): False,
        ("erf", "sign", "value"): False,
        ("erf", "erf", "sign"): False,
        (jnp.tanh, "erf", "value"): False,  # says nothing
        (tanh, tanh, "value"): True,
    }
    for (student, teacher, labels), smooth in cases.items():
        task = ts.Committee(ts.Inputs({"all": 1.0}), 1, teacher, labels=labels)
        assert is_smooth(problem_of(task, student)) == smooth
    assert is_smooth(build.mixture(student="erf"))
    assert not is_smooth(build.mixture(student="relu"))


def test_a_users_labels_are_values_unless_declared_to_be_signs() -> None:
    with pytest.raises(ts.InputError, match=r"labels \+1 and -1 for the logistic loss; got: labels='value'; declare"):
        problem_of(ErfMachine(), loss="logistic")
    assert problem_of(made(DeclaredSigns), loss="logistic").sgd.loss == "logistic"
    wrong = eqx.tree_at(lambda task: task.readout, type("Wrong", (ErfMachine,), {"labels": "signs"})(), np.ones(2))
    with pytest.raises(ts.InputError, match="kind of labels of Wrong; got: 'signs'; did you mean 'sign'"):
        problem_of(wrong)


def orthant(covariance: np.ndarray, signs: Any) -> float:
    """P(every field has the given sign)."""
    turned = covariance * np.outer(signs, signs)
    return float(stats.multivariate_normal(np.zeros(len(signs)), turned, abseps=1e-4).cdf(np.zeros(len(signs))))


@pytest.mark.parametrize("readout", [(1.0, 1.0), (0.5, -0.5), (1.0, 0.5), (1.0, 0.0), (1.0,), (1.0, -2.0, 1.0, 2.0)])
@pytest.mark.parametrize("unit", ["sign", "relu"])
def test_the_probability_of_a_tie_is_that_of_the_patterns_of_signs(unit: str, readout: tuple[float, ...]) -> None:
    rng = np.random.default_rng(len(readout))
    rows = rng.normal(size=(len(readout), 6))
    T = (rows @ rows.T / 6)[None]
    expected = 0.0
    for signs in itertools.product((-1, 1), repeat=len(readout)):
        output = np.dot(readout, signs) if unit == "sign" else np.abs(readout) @ (np.array(signs) > 0)
        expected += orthant(T[0], signs) if output == 0 else 0.0
    task = committee(unit, readout)
    stated = task.tie_probability(T)["all"]
    assert stated == pytest.approx(expected, abs=0.012 if len(readout) > 2 else 1e-6)
    assert ts.Task.tie_probability(task, T)["all"] == pytest.approx(expected, abs=0.012)  # as of a user's own


def test_there_are_no_ties_without_flat_units_or_signs() -> None:
    T = np.eye(2)[None]
    for task in (committee("erf", (1.0, 1.0)), committee("x**3", (1.0, -1.0)), made(DeclaredSigns)):
        assert task.tie_probability(T) == {"all": 0.0}
    assert ts.Committee(ts.Inputs({"all": 1.0}), 2, "sign").tie_probability(T) == {"all": 0.0}
    assert build.mixture().task.tie_probability(np.zeros((2, 2, 2))) == {"easy": 0.0, "hard": 0.0}


def test_two_identical_units_of_opposite_readouts_always_tie() -> None:
    assert committee("sign", (1.0, -1.0)).tie_probability(np.ones((1, 2, 2))) == {"all": 1.0}
    assert committee("sign", (1.0, 1.0)).tie_probability(np.ones((1, 2, 2))) == {"all": 0.0}


def test_an_activation_refuses_what_is_no_declaration() -> None:
    with pytest.raises(ts.InputError, match="smooth=True or False of an activation; got: 'yes'"):
        ts.Activation("tanh", jnp.tanh, smooth=build.unchecked("yes"))
    with pytest.raises(ts.InputError, match="an elementwise JAX function as activation; got: 3"):
        ts.Activation("three", build.unchecked(3))
    assert ts.Activation("tanh", jnp.tanh, smooth=True).continuous


def test_a_field_that_is_no_number_is_refused_unless_static() -> None:
    class Named(build.SignOfTwo):
        mode: str

    with pytest.raises(ts.InputError, match=r"numbers as fields of a Named; got: mode = 'x'; declare the field static"):
        ts.Problem(Named(ts.Inputs({"all": 1.0}), "x"), ts.Student(1), ts.SGD(0.1), ts.Curriculum.single("all", 1.0))
