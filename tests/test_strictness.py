"""Tests are stricter than users' programs: shapes in types are checked, and JAX repairs nothing."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.dtypes import TypePromotionError
from jax.errors import KeyReuseError
from jaxtyping import TypeCheckError

from ode.averages import Reweighted
from ode.averages._gradient_products import gradient_products
from ode.averages._matrix_roots import field_root, symmetric_sqrt
from teacher_student import Activation

from . import build

ERF = build.problem().student.activation


def products(fields: int, readouts: int, activation: Activation = ERF) -> None:
    one = jnp.ones(())
    gradient_products((activation, activation), jnp.eye(fields), jnp.ones(readouts), jnp.ones(3), one)


def test_a_matrix_that_is_not_square_is_no_gram_matrix() -> None:
    with pytest.raises(TypeCheckError, match="A"):
        symmetric_sqrt(jnp.ones((2, 3)))
    with pytest.raises(TypeCheckError):
        field_root(jnp.ones((2, 2, 2)), 1)


def test_readouts_that_are_fewer_than_the_fields_are_found() -> None:
    products(3, 2)
    with pytest.raises(TypeCheckError, match="s"):
        products(4, 2)


def test_numbers_of_another_kind_are_found() -> None:
    with pytest.raises(TypeCheckError):
        symmetric_sqrt(jnp.ones((2, 2), int))


def test_a_field_of_a_module_is_checked_like_an_argument() -> None:
    Reweighted(np.ones((4, 8)), build.overlaps(build.problem()))
    with pytest.raises(TypeCheckError, match="normals"):
        Reweighted(np.ones(8), build.overlaps(build.problem()))


def test_outside_tests_nothing_is_checked() -> None:
    code = "import sys; from ode.averages._matrix_roots import field_root as f; "
    code += "print(hasattr(f, '__wrapped__'), 'beartype' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "False"]
    assert hasattr(field_root, "__wrapped__")


def test_jax_neither_adds_axes_nor_changes_numbers_nor_draws_twice_from_a_key() -> None:
    with pytest.raises(ValueError, match="rank_promotion"):
        jnp.ones((2, 2)) * jnp.ones(2)
    with pytest.raises(TypePromotionError):
        jnp.ones(2) + jnp.ones(2, int)
    key = jax.random.key(0)
    jax.random.normal(key)
    with pytest.raises(KeyReuseError):
        jax.random.normal(key)


@pytest.mark.slow
def test_slow_tests_have_jax_as_users_have_it_in_every_thread() -> None:
    def add() -> float:
        return float(jnp.sum(jnp.ones((2, 2)) + jnp.ones(2, int)))

    with ThreadPoolExecutor(1) as pool:
        assert add() == pool.submit(add).result() == 8
    symmetric_sqrt(jnp.ones((2, 2), int))


def test_users_have_jax_as_they_set_it() -> None:
    code = "import jax, ode, simulations, teacher_student as ts; ts.Student(2); ode.ClosedForm(); "
    code += "print(jax.config.jax_numpy_rank_promotion, jax.config.jax_numpy_dtype_promotion)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["allow", "standard"]
