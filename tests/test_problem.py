"""Problems: every bad number or name is one clear line, before any computation; tables read back what they wrote."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ode
import teacher_student as ts
from teacher_student import internal

from . import build

INPUTS: dict[str, Any] = {"fractions": {"a": 0.4, "b": 0.6}, "levels": {"easy": {"a": 1.0, "b": 0.1}}}
NAN = float("nan")
ONE_BLOCK = ts.Inputs({"all": 1.0})


class Mislabelled(build.SignOfTwo):
    labels = "signs"


def of_own(task: ts.Task, loss: str) -> ts.Problem:
    return ts.Problem(task, ts.Student(2), ts.SGD(0.1, loss=loss), ts.Curriculum.single("all", 1.0))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ts.Inputs({"a": 0.4, "b": 0.5}), "fractions that sum to 1; got: a sum of 0.9 of {'a': 0.4, 'b': 0.5}"),
        (lambda: ts.Inputs({"a": 1.4, "b": -0.4}), "fractions >= 0"),
        (lambda: ts.Inputs({"a": 1.0}, {"easy": {"a": -1.0}}), "variance >= 0 of block 'a' in level 'easy'; got: -1.0"),
        (lambda: ts.Inputs({"a": 1.0}, {"easy": {"a": NAN}}), "finite numbers"),
        (lambda: ts.Inputs({"a": 1.0}, {"easy": {"aa": 1.0}}), "did you mean 'a'"),
        (lambda: ts.Inputs({"a": 0.5, "b": 0.5}, {"easy": {"a": 1.0}}), "a variance of block 'b' in level 'easy'"),
        (lambda: ts.Inputs({}), "fractions as block name"),
        (lambda: ts.Committee(ts.Inputs(**INPUTS), 0), "width M of the teacher >= 1; got: 0"),
        (lambda: ts.Committee(ts.Inputs(**INPUTS), 2, "erff"), "did you mean 'erf'"),
        (lambda: ts.Committee(ts.Inputs(**INPUTS), 2, readout=(1.0, 1.0, 1.0)), "2 readout weights"),
        (lambda: ts.Committee(ts.Inputs(**INPUTS), 2, support="c"), "known block in the teacher's support"),
        (lambda: ts.Committee(ts.Inputs(**INPUTS), 2, noise=-0.1), "noise"),
        (lambda: ts.Committee(ts.Inputs(**INPUTS), 2, labels="signs"), "did you mean 'sign'"),
        (lambda: ts.Student(0), "width K of the student >= 1; got: 0"),
        (lambda: ts.Student(build.unchecked(2.5)), "integer width K"),
        (lambda: ts.Student(2, "sign"), "differentiable"),
        (lambda: ts.Student(2, lambda x: x.sum()), "keeps its argument's shape"),
        (lambda: ts.Student(2, build.unchecked(np.linalg.inv)), "elementwise JAX function"),
        (lambda: ts.SGD(-0.1), "learning rate >= 0"),
        (lambda: ts.SGD(NAN), "finite numbers for learning rate"),
        (lambda: ts.SGD("0.5"), "numbers for learning rate; got: '0.5'"),
        (lambda: ts.SGD("fast"), "numbers for learning rate; got: 'fast'"),
        (lambda: ts.SGD(0.1, loss="logistics"), "did you mean 'logistic'"),
        (lambda: ts.Curriculum.single("easy", 0.0), "durations of phases > 0"),
        (lambda: ts.Curriculum.mixed({"easy": 0.5, "hard": 0.6}, 1.0), "shares of levels that sum to 1"),
        (lambda: ts.Curriculum.phases(), "at least one phase"),
        (lambda: ts.Curriculum.phases(build.unchecked("easy")), "each phase as"),
        (lambda: build.problem(curriculum=ts.Curriculum.single("esay", 1.0)), "did you mean 'easy'"),
        (lambda: build.problem(loss="logistic"), "labels \\+1 and -1 for the logistic loss"),
        (
            lambda: of_own(build.SignOfTwo(ONE_BLOCK), "logistic"),
            "labels='value'; declare labels = \"sign\" in the task",
        ),
        (
            lambda: of_own(Mislabelled(ONE_BLOCK), "squared"),
            "kind of labels of Mislabelled; got: 'signs'; did you mean",
        ),
        (
            lambda: ts.Activation("tanh", jnp.tanh, smooth=build.unchecked("yes")),
            "smooth=True or False of an activation; got: 'yes'",
        ),
        (lambda: ts.random_overlaps(build.problem(), 2, 0), "at least 2 dimensions"),
        (lambda: ts.random_overlaps(build.problem(), 100, 0, scale=-1.0), "scale"),
        (lambda: ts.random_overlaps(build.problem(), 100, 0, readout="one"), "did you mean 'ones'"),
        (lambda: ts.random_overlaps(build.problem(), 100, "zero"), "a seed"),
    ],
)
def test_bad_input_is_one_clear_line(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(ts.InputError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)
    assert "required: " in str(caught.value)
    assert "got: " in str(caught.value)


def test_a_task_of_the_users_own_that_declares_signs_takes_the_logistic_loss() -> None:
    assert of_own(build.DeclaredSigns(ONE_BLOCK, 0.1), "logistic").task.labels == "sign"
    assert of_own(build.SignOfTwo(ONE_BLOCK), "squared").task.labels == "value"


@pytest.mark.parametrize("blocks", [1, 2, 3])
def test_tables_read_back_what_they_wrote(blocks: int) -> None:
    order = ts.Curriculum.ramp("easy", "hard", 2.0) + ts.Curriculum.mixed({"easy": 0.3, "hard": 0.7}, 4.0)
    problem = build.problem(blocks=blocks, student=jnp.tanh, curriculum=order)
    tables = ts.problem_to_tables(problem)
    again = ts.problem_from_tables(tables)
    assert ts.problem_to_tables(again) == tables
    assert again.student.activation.function is jnp.tanh
    assert build.structure(problem) == build.structure(again)


def test_shares_of_a_curriculum() -> None:
    order = ts.Curriculum.ramp("easy", "hard", 2.0) + ts.Curriculum.mixed({"easy": 0.3, "hard": 0.7}, 4.0)
    assert order.phase_names() == ("easy to hard", "0.3 easy + 0.7 hard")
    np.testing.assert_allclose(order.shares(jnp.asarray(0.5)), [0.75, 0.25], atol=1e-6)
    np.testing.assert_allclose(order.shares(jnp.asarray(2.0)), [0.3, 0.7], atol=1e-6)
    np.testing.assert_allclose(order.shares(jnp.asarray(9.0)), [0.3, 0.7], atol=1e-6)
    assert order.end == 6.0


def test_sizes_of_blocks_sum_to_the_dimension() -> None:
    for dim in (10, 101, 997):
        assert sum(build.inputs(3).sizes(dim, 2)) == dim
    assert build.inputs(3).sizes(1000, 2) == (2, 399, 599)
    assert build.inputs(2).sizes(1000, 2) == (300, 700)


def test_problems_are_pytrees_of_numbers() -> None:
    """Every number may be traced: a batch of problems is made by vmap over any of them."""

    def make(rate: Any, noise: Any, variance: Any, duration: Any) -> ts.Problem:
        task = ts.Committee(ts.Inputs({"a": 1.0}, {"easy": {"a": variance}}), 1, noise=noise)
        return ts.Problem(task, ts.Student(1), ts.SGD(rate), ts.Curriculum.single("easy", duration))

    batch = jax.vmap(make)(*(jnp.array([0.1, 0.2]) for _ in range(4)))
    assert batch.sgd.learning_rate.shape == (2,)
    assert batch.task.inputs.variances.shape == (2, 1, 1)
    with pytest.raises(ts.InputError, match="not a batch"):
        ts.problem_to_tables(batch)


TWO = np.array([1.0, 0.5])
LEVELS = {"easy": {"separation": 1.0, "plane_variance": 0.1, "rest_variance": 0.1}}
ONE_NUMBER: dict[str, Callable[[Any], Any]] = {
    "learning rate": lambda x: ts.SGD(x),
    "readout learning rate": lambda x: ts.SGD(1.0, x),
    "weight decay": lambda x: ts.SGD(1.0, 0.0, x),
    "noise": lambda x: ts.Committee(ts.Inputs({"a": 1.0}), 2, noise=x),
    "fractions": lambda x: ts.Inputs({"a": x, "b": x}),
    "variances of level 'easy'": lambda x: ts.Inputs({"a": 1.0}, {"easy": {"a": x}}),
    "separations": lambda x: ts.XorMixture({"easy": LEVELS["easy"] | {"separation": x}}),
    "variances of level 'easy'; ": lambda x: ts.XorMixture({"easy": LEVELS["easy"] | {"rest_variance": x}}),
    "durations of phases": lambda x: ts.Curriculum.single("easy", x),
    "durations of phases; ": lambda x: ts.Curriculum.phases(("easy", 1.0), ("hard", x)),
    "shares of levels": lambda x: ts.Curriculum.mixed({"easy": x, "hard": x}, 1.0),
    "shares of levels; ": lambda x: ts.Curriculum.ordered("mixed", {"easy": x, "hard": x}, 1.0),
    "the budget's duration": lambda x: ts.Curriculum.ordered(("easy", "hard"), {"easy": 0.5, "hard": 0.5}, x),
}


@pytest.mark.parametrize("what", ONE_NUMBER)
@pytest.mark.parametrize("several", [TWO, TWO[:1], TWO.reshape(1, 2)], ids=["two", "one in a list", "a table"])
def test_what_is_one_number_refuses_any_other_shape_also_under_jit(what: str, several: np.ndarray) -> None:
    make = ONE_NUMBER[what]
    for attempt in (make, lambda x: make(x.tolist()), jax.jit(lambda x: jax.tree.leaves(make(x)))):
        with pytest.raises(ts.InputError, match="one number for " + what.partition(";")[0]) as error:
            attempt(several)
        assert "\n" not in str(error.value)


def test_one_number_of_a_batch_is_one_number() -> None:
    rates = jax.vmap(lambda x: ts.SGD(x, x, x).learning_rate)(TWO)
    np.testing.assert_allclose(rates, TWO)
    durations = jax.vmap(lambda x: ts.Curriculum.ordered("mixed", {"easy": 0.5, "hard": 0.5}, x).durations)(TWO)
    np.testing.assert_allclose(durations[:, 0], TWO)


SWITCH = ts.Curriculum.phases(("easy", 10.0), ("hard", 10.1))


@pytest.mark.parametrize("make", [np.float32, jnp.float32], ids=["NumPy", "JAX"])
def test_alphas_of_single_precision_may_end_with_the_curriculum(make: Any) -> None:
    """20.1 in single precision is 20.1000004: moved to the end, as no level is defined beyond it."""
    problem = build.problem(curriculum=SWITCH)
    alphas = make([1.0, 20.1])
    internal.check_alphas(alphas, problem)
    times = internal.to_times(alphas, problem)
    assert times.dtype == np.float64
    assert times[-1] == SWITCH.end < float(alphas[-1])
    assert times[0] == 1.0
    np.testing.assert_array_equal(internal.to_times([0.5, 20.0], problem), [0.5, 20.0])


@pytest.mark.parametrize(
    "alphas",
    [
        np.array([1.0, 20.1], np.float16),
        np.array([1.0, 20.1], np.longdouble),
        jnp.array([1.0, 20.1], jnp.bfloat16),
        [1.0, np.float32(20.1)],
        (np.float32(1.0), jnp.float32(20.1)),
        [1.0, 10.0 + 10.1 * (1 + 1e-15)],
        [1, 20],
    ],
    ids=["float16", "longdouble", "bfloat16", "one float32", "all float32", "a sum", "integers"],
)
def test_alphas_of_any_type_may_end_with_the_curriculum_and_are_found_again(alphas: Any) -> None:
    problem = build.problem(curriculum=SWITCH)
    start = ts.random_overlaps(problem, dim=1000, key=0)
    theory = ode.solve(problem, start, alphas)
    assert theory.alphas[-1] <= SWITCH.end
    assert theory.at(alphas).alphas.tolist() == theory.alphas.tolist()
    assert theory.at(alphas[-1:]).alphas.tolist() == theory.alphas[-1:].tolist()
    [one] = ode.solve_many([problem], start, alphas)
    assert one.alphas.tolist() == theory.alphas.tolist()


@pytest.mark.parametrize("kind", [np.float16, np.float32, jnp.float32, np.float64, np.longdouble])
def test_a_curriculum_of_any_type_may_be_recorded_at_its_end(kind: Any) -> None:
    for durations, end in (([0.7], 0.7), ([0.4, 0.3], 0.7), ([10.0, 10.1], 20.1)):
        curriculum = ts.Curriculum.phases(*(("easy", kind(duration)) for duration in durations))
        problem = build.problem(curriculum=curriculum)
        internal.check_alphas([end / 2, end] if kind is not np.float16 else np.array([end / 2, end], kind), problem)
        assert internal.to_times([end], problem)[0] <= max(float(curriculum.end), end)


def test_alphas_beyond_rounding_are_refused_with_digits_that_differ() -> None:
    problem = build.problem(curriculum=SWITCH)
    alphas: Any
    for alphas, got in (([20.1000004], "20.1000004"), (np.array([20.1001], np.float32), "20.100099563598633")):
        with pytest.raises(ts.InputError, match=f"the curriculum's end, 20.1; got: {got}"):
            internal.check_alphas(alphas, problem)
    with pytest.raises(ts.InputError, match="increasing alphas"):  # two that are the end
        internal.check_alphas([20.1, 20.1 * (1 + 5e-13)], problem)


def test_traced_alphas_are_left_alone() -> None:
    times = jax.jit(lambda alphas: internal.to_times(alphas, build.problem(curriculum=SWITCH)))(np.array([1.0, 30.0]))
    np.testing.assert_allclose(times, [1.0, 30.0])
