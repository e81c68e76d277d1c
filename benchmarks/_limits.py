"""What the machine allows: the part of a calculation that nothing can avoid, at the rate at which it runs alone."""

import importlib
import importlib.util
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ._loops import Repeated
from ._timing import Plan, Work, median, rounds

IN_CACHE = 4096  # numbers: arrays of more are taken in pieces of this size


def arcsin_in_use() -> Callable[[jax.Array], jax.Array]:
    """The engine's own arcsin where it has one, else JAX's."""
    for place in ("ode.moments._arcsin", "ode.averages._arcsin"):  # the second one in versions before 0.6
        if importlib.util.find_spec(place.rpartition(".")[0]) and importlib.util.find_spec(place):
            found: Callable[[jax.Array], jax.Array] = importlib.import_module(place).arcsin
            return found
    return jnp.arcsin


def arcsines(K: int, M: int) -> int:
    """Arcsines that a right-hand side needs: I4 for k <= l and i <= j, and I2 for the student's pairs."""
    J = K + M
    return (K * (K + 1) // 2) * (J * (J + 1) // 2) + K * (K + 1) // 2 + K * M


def arcsin_loop(count: int) -> tuple[Repeated, float]:
    """A loop over arcsines, and how many of its passes make `count` of them."""
    size = min(count, IN_CACHE)
    arcsin = arcsin_in_use()
    with jax.enable_x64(True):
        start = jnp.linspace(-1.0, 1.0, size)
    return Repeated(lambda _, x: 0.5 - 0.4 * arcsin(x), None, start), count / size


def normals_work(key: Any, shape: tuple[int, int], dtype: Any, least_numbers: float = 2e6) -> Work:
    """Standard normals in blocks of `shape` = (steps, numbers), a key each; units: steps."""
    blocks = max(1, round(least_numbers / (shape[0] * shape[1])))

    @jax.jit
    def draw(key: Any) -> jax.Array:
        def block(i: Any, before: jax.Array) -> jax.Array:  # written anew each time, like a run's block of inputs
            return jax.random.normal(jax.random.fold_in(key, i), shape, dtype)

        last: jax.Array = jax.lax.fori_loop(0, blocks, block, jnp.zeros(shape, dtype))
        return last

    def call() -> None:
        with jax.enable_x64(np.dtype(dtype) == np.float64):
            jax.block_until_ready(draw(key))  # type: ignore[no-untyped-call]  # JAX has no annotations there

    return Work(call, blocks * shape[0])


def product_seconds(shapes: list[tuple[int, int, int]], dtype: Any, plan: Plan) -> float:
    """Seconds of matrix products (m, n, k), each at the faster of NumPy's BLAS and XLA."""
    total = 0.0
    for m, n, k in shapes:
        rng = np.random.default_rng(0)
        a, b = (rng.normal(size=size).astype(dtype) for size in ((m, k), (k, n)))
        out = np.empty((m, n), dtype)
        with jax.enable_x64(True):
            x, y = jnp.asarray(a), jnp.asarray(b)
            product = jax.jit(jnp.matmul)

        def by_xla(x: Any = x, y: Any = y, product: Any = product) -> None:
            with jax.enable_x64(True):
                jax.block_until_ready(product(x, y))  # type: ignore[no-untyped-call]  # JAX has no annotations there

        def by_blas(a: Any = a, b: Any = b, out: Any = out) -> None:
            np.matmul(a, b, out=out)

        short = Plan(min(plan.rounds, 3), plan.least / 3, plan.quick)
        found = rounds({"blas": Work(by_blas), "xla": Work(by_xla)}, short)
        total += min(median(each) for each in found.values())
    return total


def product_precision(function: Callable[..., Any], *arguments: Any) -> np.dtype:
    """Precision of the largest matrix product in what `function` compiles to."""
    with jax.enable_x64(True):
        products = list(_products(jax.make_jaxpr(function)(*arguments).jaxpr))
    return max(products)[1] if products else np.dtype(np.float64)


def _products(jaxpr: Any) -> Iterator[tuple[int, np.dtype]]:
    """(multiplications, precision) of every matrix product, inner programs included."""
    for equation in jaxpr.eqns:
        if equation.primitive.name == "dot_general":
            left, out = equation.invars[0].aval, equation.outvars[0].aval
            contracted = equation.params["dimension_numbers"][0][0]
            yield int(np.prod(out.shape) * np.prod([left.shape[i] for i in contracted])), np.dtype(left.dtype)
        for inner in jax.tree.leaves(list(equation.params.values()), is_leaf=lambda x: hasattr(x, "eqns")):
            inner = getattr(inner, "jaxpr", inner)
            if hasattr(inner, "eqns"):
                yield from _products(inner)
