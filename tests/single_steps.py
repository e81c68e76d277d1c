"""Many single steps of the simulator from the same weights."""

from typing import Any

import jax
import jax.numpy as jnp

import simulations
import teacher_student as ts
from simulations.engine._samples import block_of_dimension
from teacher_student import internal

from . import build

BATCH = 250


def steps(cases: list[tuple[ts.Problem, ts.Overlaps]], seed: int, dim: int, samples: int) -> list[ts.Overlaps]:
    """N (Omega_after - Omega_before) of many single steps from the same weights, in N = `dim` (leading axis)."""
    with jax.enable_x64(True):
        weights_key, samples_key = jax.random.split(jax.random.key(seed))
        starts = []
        for problem, state in internal.to_float(cases, jnp.float64):
            sizes = problem.inputs.sizes(dim, problem.task.latents)
            starts.append((problem, simulations.weights_with(state, sizes, weights_key, jnp.float64), sizes))
        found: list[ts.Overlaps] = internal.to_host(_compiled_steps(starts, samples_key, dim, samples))
        return found


def _steps(starts: list[tuple[Any, Any, Any]], key: Any, dim: int, samples: int) -> list[ts.Overlaps]:
    before = [simulations.measure_overlaps(weights, sizes) for _, weights, sizes in starts]

    def one(key: Any) -> list[ts.Overlaps]:
        keys = jax.random.split(key, 4)
        normal, noise = jax.random.normal(keys[1], (dim,)), jax.random.normal(keys[2])
        found = []
        for (problem, weights, sizes), start in zip(starts, before, strict=True):
            shares = problem.level_shares(problem.curriculum.shares(0.0))
            clusters = jnp.asarray(problem.task.cluster_probabilities)
            cluster = jax.random.choice(keys[3], clusters.size, p=clusters)
            level = jax.random.choice(keys[0], shares.size, p=shares)
            blocks = block_of_dimension(sizes)
            sample = simulations.make_sample(problem, weights.latents, blocks, normal, level, cluster, noise)
            after = simulations.measure_overlaps(simulations.sgd_step(problem, weights, sample), sizes)
            found.append(jax.tree.map(lambda a, b: dim * (a - b), after, start))
        return found

    changes: list[ts.Overlaps] = jax.lax.map(one, jax.random.split(key, samples), batch_size=BATCH)
    return changes


_compiled_steps = build.compiled(_steps, {"xla_backend_optimization_level": 1})
