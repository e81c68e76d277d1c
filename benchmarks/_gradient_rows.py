"""Gradients through solves."""

from typing import Any

import diffrax
import jax
import jax.numpy as jnp
import numpy as np

import ode
import teacher_student as ts

from ._problems import committee, start
from ._records import Check, Row
from ._timing import Plan, Work, first_call, median, ratio, rounds


def gradient(name: str, plan: Plan, K: int, M: int, eta: float, last: float, mode: str) -> Row:
    """d(final error)/d(learning rate) (forward), or with respect to it, the decay and the start (reverse)."""
    problem, alphas = committee(K, M, eta), np.linspace(0.0, last, 6)[1:]
    begin = start(problem)
    with jax.enable_x64(True):
        numbers = {"eta": jnp.float64(eta), "decay": jnp.float64(0.0), "R": jnp.asarray(begin.R)}
    adjoint = diffrax.ForwardMode() if mode == "forward" else None

    def error(numbers: Any) -> jax.Array:
        task, student, order = problem.task, problem.student, problem.curriculum
        sgd = ts.SGD(numbers["eta"], 0.0, numbers["decay"])
        state = ts.Overlaps(begin.Q, numbers["R"], begin.T, begin.readout)
        found = ode.solve(
            ts.Problem(task, student, sgd, order),
            state,
            alphas,
            averages=ode.ClosedForm(),
            with_accuracy=False,
            adjoint=adjoint,
        )
        final: jax.Array = found.error["all"][-1]
        return final

    def along_rate(numbers: Any) -> jax.Array:
        slope: jax.Array = jax.jvp(
            lambda rate: error({**numbers, "eta": rate}), (numbers["eta"],), (jnp.ones_like(numbers["eta"]),)
        )[1]
        return slope

    differentiate = jax.jit(along_rate if mode == "forward" else jax.grad(error))
    plain = jax.jit(error)

    def called(function: Any, numbers: Any = numbers) -> Any:
        with jax.enable_x64(True):
            return jax.block_until_ready(function(numbers))  # type: ignore[no-untyped-call]  # JAX has no annotations there

    slope, compiling, memory = first_call(lambda: called(differentiate))
    found = rounds({"ours": Work(lambda: called(differentiate)), "solve": Work(lambda: called(plain))}, plan)
    slope = float(slope if mode == "forward" else slope["eta"])
    step = 1e-4 * eta
    up, down = (float(called(plain, {**numbers, "eta": np.float64(eta + sign * step)})) for sign in (1, -1))
    difference = (up - down) / (2 * step)
    costs = ratio(found["solve"], found["ours"], "one solve")
    count = 1 if mode == "forward" else 2 + K * M
    return Row(
        name,
        f"ODE, gradient, {mode}",
        f"K={K} M={M}, {count} number{'s' * (count > 1)}",
        "gradient",
        median(found["ours"]),
        costs,
        1 / 6 if mode == "reverse" else None,
        None,
        compiling - median(found["ours"]),
        memory,
        Check(abs(slope / difference - 1), 1e-3, "finite differences, relative"),
    )
