"""The branch-free arcsin: its error, its derivative, its coefficients."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

from ode.moments import _arcsin


def points() -> np.ndarray:
    """All of [-1, 1]: evenly, near the ends, near the switch at 1/2, tiny ones and the ends themselves."""
    rng = np.random.default_rng(0)
    ends = 1 - 10.0 ** -rng.uniform(0, 16, 4000)
    middle = 0.5 + np.arange(-200, 200) * 2.0**-54
    tiny = 10.0 ** -rng.uniform(0, 300, 1000)
    positive = np.concatenate([np.linspace(0, 1, 10001), ends, middle, tiny, [0.5, 1.0, 5e-324]])
    return np.concatenate([positive, -positive])


def error(found: np.ndarray, x: np.ndarray) -> float:
    with mpmath.workdps(40):
        exact = [mpmath.asin(mpmath.mpf(float(each))) for each in x]
        return max(abs(float(mpmath.mpf(float(a)) - b)) for a, b in zip(found, exact, strict=True))


def test_the_error_is_below_3e_16_everywhere() -> None:
    x = points()
    with jax.enable_x64(True):
        found = np.asarray(jax.jit(_arcsin.arcsin)(x))
    assert error(found, x) < 3e-16
    assert np.array_equal(found[-1:], -found[len(x) // 2 - 1 : len(x) // 2])  # odd, to the last bit
    assert found[x == 1][0] == np.pi / 2
    assert np.signbit(found[x == 0]).any()  # -0 stays -0


def test_a_wrong_coefficient_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = list(_arcsin.P)
    wrong[6] *= 1 + 1e-9
    monkeypatch.setattr(_arcsin, "P", tuple(wrong))
    x = points()
    with jax.enable_x64(True):
        assert error(np.asarray(_arcsin.arcsin(x)), x) > 3e-16


def test_coefficients_are_the_interpolation_that_the_docstring_says() -> None:
    def function(z: mpmath.mpf) -> mpmath.mpf:
        s = mpmath.sqrt(z)
        return (mpmath.asin(s) / s - 1) / z

    with mpmath.workdps(50):
        found = mpmath.chebyfit(function, [0, mpmath.mpf(1) / 4], len(_arcsin.P))
        assert tuple(float(c) for c in found) == _arcsin.P


def test_derivatives_are_exact_and_infinite_at_the_ends_as_they_are() -> None:
    x = np.linspace(-0.999999, 0.999999, 2001)
    with jax.enable_x64(True):
        first = jax.vmap(jax.grad(_arcsin.arcsin))(x)
        second = jax.vmap(jax.grad(jax.grad(_arcsin.arcsin)))(x)
        tangent = jax.jvp(_arcsin.arcsin, (jnp.asarray(x),), (jnp.ones_like(x),))[1]
        ends = jax.vmap(jax.grad(_arcsin.arcsin))(np.array([-1.0, 1.0]))
        beyond = _arcsin.arcsin(np.array([-1.0000001, 1.0000001]))
    exact = 1 / np.sqrt((1 - x) * (1 + x))
    np.testing.assert_allclose(first, exact, rtol=1e-15)
    np.testing.assert_allclose(tangent, exact, rtol=1e-15)
    np.testing.assert_allclose(second, x * exact**3, rtol=1e-13, atol=1e-15)
    assert np.all(np.isinf(ends))
    assert np.all(np.isnan(beyond))
