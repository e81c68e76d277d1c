"""What a sweep needs, computed and said before it starts."""

import contextlib
import math

import numpy as np

import ode
import simulations
import teacher_student as ts

from ..experiment import SharedStarts, read_file
from ._measures import Layout
from ._spec import Sweep, cells, experiment_at
from ._variables import variables


def describe(spec: Sweep, layout: Layout) -> str:
    """Describe the sweep and what it needs, in a few lines of text."""
    axes = " x ".join(f"{axis.name} ({len(axis)})" for axis in spec.axes)
    simulated = int(np.sum(spec.wanted("simulation"))) if "simulation" in spec.engines else 0
    solved = cells(spec) if "theory" in spec.engines else 0
    parts = [f"{solved} by theory"] * bool(solved) + [f"{simulated} by simulation"] * bool(simulated)
    disk, memory = store_bytes(spec, layout) / 2**20, worker_bytes(spec) / 2**20
    return (
        f"sweep       {axes}: cells {', '.join(parts)}\n"
        f"needs       at most {max(disk, 0.1):.1f} MiB on disk, about {max(memory, 1):.0f} MiB a worker "
        "beside JAX itself (some 500 MiB)"
    )


def store_bytes(spec: Sweep, layout: Layout) -> int:
    """Return the bytes of a full store, uncompressed."""
    lengths = {
        "level": len(layout.levels),
        "block": len(layout.blocks),
        "student_unit": layout.student,
        "student_unit_2": layout.student,
        "latent": layout.latents,
        "latent_2": layout.latents,
        "run": layout.runs,
        "record": layout.records,
    }
    total = 0
    for variable in variables(spec).values():
        size = math.prod(lengths[dim] for dim in variable.trailing) * (len(spec.engines) if variable.per_engine else 1)
        total += size * np.dtype(variable.dtype).itemsize
    return total * cells(spec)


def worker_bytes(spec: Sweep) -> int:
    """Return the bytes that one worker needs at most: for the states of a tile, or a simulation's weights and inputs.

    Only the two ends of the grid are looked at, one of which has the widest students and the largest N in most sweeps.
    """
    index = tuple(0 for _ in spec.axes)
    largest = 0
    corners = {index, tuple(length - 1 for length in spec.shape)}
    for corner in corners:
        with contextlib.suppress(ts.InputError):
            experiment = experiment_at(spec, corner, SharedStarts())
            problem, sampled = experiment.problem, experiment.averages
            B, K, M = problem.shape
            records = experiment.wanted_alphas.size + 1 if spec.measures.needs_record else 1
            need = 8 * B * (K + M) ** 2 * records * spec.tile * 4 + 8 * 3 * K**2 * (K + M) ** 2
            if isinstance(sampled, ode.Sampled):
                need += 8 * 12 * sampled.points * (B * (K + M) + 1) * len(problem.inputs.level_names)
            if "simulation" in spec.engines:
                asked = read_file(spec.tables_at(corner), simulated=False).simulation
                need += simulations.memory(problem, asked.dim, precision=asked.precision, workers=1)
            largest = max(largest, need)
    return largest
