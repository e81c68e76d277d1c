"""Laws of the inputs' components: Gaussian, or another one of the same mean and variance, to see what depends on it."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from teacher_student import InputError
from teacher_student.internal import first_line, require_name

DRAWN = 2**16  # numbers on which a user's own law is checked
# A standard error of mean or variance above which the draw says nothing of it, as for heavy tails. That of a Gaussian
# is 0.006; Student's t with 5 degrees of freedom has 0.011.
VAGUE = 0.1
LIMIT = 6  # standard errors: a right one is refused once in 10^9 times


def _uniform(key: jax.Array, shape: tuple[int, ...], dtype: Any) -> jax.Array:
    return jax.random.uniform(key, shape, dtype, -np.sqrt(3.0), np.sqrt(3.0))


NAMED: dict[str, Callable[..., jax.Array]] = {
    "gaussian": jax.random.normal,
    "rademacher": jax.random.rademacher,
    "uniform": _uniform,
}


Law = str | Callable[..., jax.Array]  # as a user gives it: a name, or a function (key, shape, dtype) -> numbers


@dataclasses.dataclass(frozen=True)
class Distribution:
    """Independent numbers of mean 0 and variance 1, `draw(key, shape, dtype)`, and what files call them."""

    name: str
    draw: Callable[..., jax.Array]


def as_distribution(law: Law) -> Distribution:
    """Return the law that `law` names, or that a user's own function draws from.

    The function takes (key, shape, dtype), and its numbers have mean 0 and variance 1.

    Raises InputError if a draw of 2^16 numbers has the wrong shape or dtype, is not finite, or if its mean or variance
    is off by more than 6 standard errors.
    """
    if not callable(law):
        require_name(law, NAMED, "distribution of the inputs (or a function (key, shape, dtype) -> numbers)")
        return Distribution(law, NAMED[law])
    return _checked(law)


@functools.lru_cache(maxsize=64)  # the check compiles the function, so it is done once for each
def _checked(law: Callable[..., jax.Array]) -> Distribution:
    name = getattr(law, "__qualname__", type(law).__name__)
    with jax.enable_x64(False):
        try:
            draw = jax.jit(lambda key: law(key, (DRAWN,), jnp.float32))
            numbers, others = (draw(jax.random.key(seed, impl="threefry2x32")) for seed in (0, 1))
        except Exception as error:  # whatever the user's function raises is the message
            raise InputError("a function (key, shape, dtype) -> numbers", f"{name}: {first_line(error)}") from error
        if getattr(numbers, "shape", None) != (DRAWN,) or getattr(numbers, "dtype", None) != jnp.float32:
            received = f"{getattr(numbers, 'dtype', type(numbers).__name__)} of shape {np.shape(numbers)}"
            raise InputError(f"float32 numbers of shape ({DRAWN},) from the inputs' distribution", received)
        if np.array_equal(numbers, others):
            raise InputError("other inputs from another key", f"the same ones from {name}", "draw them with jax.random")

        _check_moments(np.asarray(numbers, np.float64), name)
    return Distribution(name, law)


def _check_moments(numbers: np.ndarray, name: str) -> None:
    if not np.all(np.isfinite(numbers)):
        raise InputError("finite inputs", f"NaN or infinite ones from {name}")
    for moment, values, wanted in (("mean", numbers, 0.0), ("variance", numbers**2, 1.0)):
        # 1e-6 is for laws such as +-1, whose squares are all equal: their error is 0, and rounding is not.
        error = values.std() / np.sqrt(values.size) + 1e-6
        if error > VAGUE:
            raise InputError(
                "inputs of finite variance",
                f"a {moment} that {values.size} numbers from {name} leave open (+- {error:.2g})",
                "take lighter tails",
            )
        if abs(values.mean() - wanted) > LIMIT * error:
            raise InputError(
                f"inputs of {moment} {wanted:g} (blocks and levels give them theirs)",
                f"{values.mean():.4g} +- {error:.1g} from {name}",
                "scale or shift them",
            )
