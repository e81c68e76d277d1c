"""A user's own labels and units are tried out on a few points before anything is computed with them."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ode
import teacher_student as ts


class Own(ts.Task):
    """One latent direction, and labels that each test chooses."""

    inputs: ts.Inputs
    rule: Callable[[Any, Any], Any] = eqx.field(static=True)
    scale: Any = 1.0

    labels = "sign"
    latents = 1
    seen_blocks = (True,)
    cluster_probabilities = np.full(2, 0.5)
    cluster_means = np.zeros((1, 2, 1))

    def label(self, nu: Any, cluster: Any, noise: Any) -> Any:
        return self.clean_label(nu, cluster)

    def clean_label(self, nu: Any, cluster: Any) -> Any:
        return self.rule(self.scale * nu, cluster)


def problem(rule: Callable[[Any, Any], Any], scale: Any = 1.0) -> ts.Problem:
    task = Own(ts.Inputs({"all": 1.0}), rule, scale)
    return ts.Problem(task, ts.Student(2), ts.SGD(0.5), ts.Curriculum.phases(("all", 1.0)))


def by_cluster(nu: Any, cluster: Any) -> Any:
    return jnp.broadcast_to(jnp.where(cluster == 0, 1.0, -1.0), nu.shape[:-1])


@pytest.mark.parametrize(
    "rule",
    [
        lambda nu, cluster: jnp.sign(nu[..., 0]),
        lambda nu, cluster: jnp.sign(nu.at[..., 0].add(1.0)[..., 0]),  # what NumPy arrays do not have
        by_cluster,
    ],
)
def test_labels_that_can_be_used_are_taken(rule: Callable[[Any, Any], Any]) -> None:
    assert problem(rule).task.latents == 1


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (lambda nu, cluster: jnp.sign(nu[..., 1]), r"IndexError: index 1 .*; `latents` says how many"),
        (lambda nu, cluster: jnp.sign(nu), r"one label for each sample from label of a Own.*\(16, 1\) -> \(16, 1\)"),
        (lambda nu, cluster: 1.0 if nu[0, 0] > 0 else -1.0, r"TracerBoolConversionError.*; use jnp.where in place of"),
        (lambda nu, cluster: np.sign(nu[..., 0]), r"TracerArrayConversionError.*; use jnp, not np"),
        (lambda nu, cluster: jnp.tanh(nu[..., 0]), r'declares labels = "sign"; got: .*; take the sign, or declare'),
        (lambda nu, cluster: jnp.where(cluster == 1, 0.5, jnp.sign(nu[..., 0])), r"got: 0.5; take the sign"),
        (lambda nu, cluster: nu[..., 0] > 0, "finite numbers as labels from label of a Own; got: booleans"),
        (lambda nu, cluster: jnp.log(nu[..., 0]), "finite numbers as labels"),
        (lambda nu, cluster: jnp.sign(nu[..., 0] + nothing), "NameError"),  # type: ignore[name-defined]  # noqa: F821
    ],
)
def test_labels_that_would_end_in_something_else_are_refused_in_one_line(
    rule: Callable[[Any, Any], Any], message: str
) -> None:
    with pytest.raises(ts.InputError, match=message) as error:
        problem(rule)
    assert "\n" not in str(error.value)


class Wide(Own):
    """Its number of latent directions is a number like any other, which is traced in a solve."""

    count: Any = 1

    @property
    def latents(self) -> int:  # type: ignore[override]
        return int(self.count)


def test_a_number_that_sets_shapes_is_to_be_static() -> None:
    task = Wide(ts.Inputs({"all": 1.0}), lambda nu, cluster: jnp.sign(nu[..., 0]))
    with pytest.raises(
        ts.InputError, match=r"members of a Wide.*; a number that sets shapes is a static field"
    ) as error:
        ts.Problem(task, ts.Student(2), ts.SGD(0.5), ts.Curriculum.phases(("all", 1.0)))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("probabilities", [(0.4, 0.4), (1.5, -0.5), (np.nan, 1.0)])
def test_probabilities_of_clusters_are_probabilities(probabilities: tuple[float, float]) -> None:
    class Unlikely(Own):
        cluster_probabilities = np.array(probabilities)

    task = Unlikely(ts.Inputs({"all": 1.0}), lambda nu, cluster: jnp.sign(nu[..., 0]))
    with pytest.raises(ts.InputError, match="cluster_probabilities >= 0 of sum 1 of a Unlikely"):
        ts.Problem(task, ts.Student(2), ts.SGD(0.5), ts.Curriculum.phases(("all", 1.0)))


def test_nothing_is_tried_while_a_number_of_the_task_is_traced() -> None:
    def width(scale: Any) -> Any:
        task: Any = problem(lambda nu, cluster: jnp.sign(nu[..., 0]), scale).task
        return task.scale

    np.testing.assert_allclose(jax.vmap(width)(jnp.array([1.0, 2.0])), [1.0, 2.0])


def test_a_problem_can_be_made_within_a_traced_function() -> None:
    def rate(x: Any) -> Any:
        made = problem(lambda nu, cluster: jnp.sign(nu[..., 0]))
        return ts.SGD(x).learning_rate * made.student.width

    assert jax.jit(rate)(0.5) == 1.0


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x**2,
        lambda x: jnp.tanh(x) - 1e-3,
        lambda x: x**3 - 3 * x,  # odd, but negative where x is small: sign(phi(x)) is not sign(x)
        lambda x: -jnp.tanh(x),
    ],
)
def test_a_unit_that_is_not_odd_is_not_declared_odd(function: Callable[[Any], Any]) -> None:
    with pytest.raises(ts.InputError, match="which is declared odd; got: phi") as error:
        ts.Activation("mine", function, odd=True)
    assert "\n" not in str(error.value)
    assert not ts.Activation("mine", function).odd


def test_a_unit_that_is_odd_may_be_declared_so() -> None:
    assert ts.Activation("mine", lambda x: jnp.tanh(x) + x**3, odd=True).odd


def test_a_missing_level_or_accuracy_is_said_in_one_line() -> None:
    problem = ts.Problem(
        ts.Committee(ts.Inputs({"all": 1.0}), 1), ts.Student(1), ts.SGD(0.5), ts.Curriculum.phases(("all", 1.0))
    )
    theory = ode.solve(problem, ts.random_overlaps(problem, 100, 0), [1.0], with_accuracy=False)
    with pytest.raises(ts.InputError, match="a level of the task for the error; got: 'al'; did you mean 'all'"):
        theory.error["al"]
    with pytest.raises(ts.InputError, match="with the accuracy; got: one without; with_accuracy=True"):
        theory.accuracy["all"]
    assert theory.error.get("al") is None
    assert "al" not in theory.error
