"""Problems, states and small helpers that several tests use."""

import dataclasses
from collections.abc import Callable
from typing import Any, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import ode
import simulations
import teacher_student as ts
from teacher_student import internal

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

# A program that runs for less time than it takes to compile need not be made fast.
QUICKLY_COMPILED = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}


def compiled(function: F, options: dict[str, Any] | None = None) -> F:
    """`eqx.filter_jit` with options of XLA (None: QUICKLY_COMPILED), which its annotations do not have."""
    jitted: Any = eqx.filter_jit
    made: F = jitted(function, compiler_options=QUICKLY_COMPILED if options is None else options)
    return made


def given(value: T | None) -> T:
    """What may be None, and is not here."""
    assert value is not None
    return value


def unchecked(value: Any) -> Any:
    """For what a type checker refuses: an argument that is wrong on purpose, or a class with an inherited __init__."""
    return value


BLOCKS = {
    1: {"all": 1.0},
    2: {"relevant": 0.3, "irrelevant": 0.7},
    3: {"plane": 0.0, "relevant": 0.4, "irrelevant": 0.6},
}
VARIANCES = {"all": (0.8, 1.3), "plane": (0.5, 1.5), "relevant": (1.0, 0.7), "irrelevant": (0.2, 1.6)}


def inputs(blocks: int = 2) -> ts.Inputs:
    """Two levels, easy and hard, on one to three blocks (with three, one of fraction 0)."""
    names = BLOCKS[blocks]
    levels = {level: {name: VARIANCES[name][i] for name in names} for i, level in enumerate(("easy", "hard"))}
    return ts.Inputs(names, levels)


def problem(
    *,
    blocks: int = 2,
    K: int = 3,
    M: int = 2,
    student: Any = "erf",
    teacher: Any = "erf",
    readout: Any = (1.0, -0.7),
    labels: str = "value",
    loss: str = "squared",
    noise: float = 0.3,
    learning_rate: Any = 0.7,
    readout_learning_rate: Any = 0.4,
    weight_decay: Any = 0.1,
    curriculum: ts.Curriculum | None = None,
) -> ts.Problem:
    """A problem in which every term of the drift counts; the teacher sees all blocks but "irrelevant"."""
    seen = [name for name in BLOCKS[blocks] if name != "irrelevant"]
    task = ts.Committee(inputs(blocks), M, teacher, readout[:M], seen, labels, noise)
    order = curriculum or ts.Curriculum.mixed({"easy": 0.4, "hard": 0.6}, 10.0)
    sgd = ts.SGD(learning_rate, readout_learning_rate, weight_decay, loss)
    return ts.Problem(task, ts.Student(K, student), sgd, order)


def weights(student: Any, latents: Any, readout: Any) -> "simulations.Weights":
    """Weights of NumPy's arrays, which runs may be started from."""
    return simulations.Weights(student, latents, readout)


def structure(tree: Any) -> Any:
    """The structure of a tree, to be compared."""
    return jax.tree.structure(tree)


class SignOfTwo(ts.Task):
    """A user's own task, with nothing declared: y = sign(erf nu_1 + erf nu_2), which is sign(nu_1 + nu_2)."""

    inputs: ts.Inputs

    @property
    def latents(self) -> int:
        return 2

    @property
    def seen_blocks(self) -> tuple[bool, ...]:
        return (True,)

    @property
    def cluster_probabilities(self) -> Any:
        return np.ones(1)

    @property
    def cluster_means(self) -> Any:
        return np.zeros((1, 1, 2))

    def label(self, nu: Any, cluster: Any, noise: Any) -> Any:
        return self.clean_label(nu, cluster)

    def clean_label(self, nu: Any, cluster: Any) -> Any:
        return jnp.sign(jax.lax.erf(nu / np.sqrt(2)).sum(axis=-1))


class DeclaredSmooth(SignOfTwo):
    """The same, wrongly declared to have no jumps."""

    smooth = True


class DeclaredSigns(SignOfTwo):
    """The same with output noise, and with everything declared that there is to declare."""

    noise: Any

    labels = "sign"

    def before_sign(self, nu: Any, cluster: Any) -> Any:
        return jax.lax.erf(nu / np.sqrt(2)).sum(axis=-1), self.noise

    def label(self, nu: Any, cluster: Any, noise: Any) -> Any:
        return jnp.sign(self.before_sign(nu, cluster)[0] + self.noise * noise)


class Relabelled(ts.XorMixture):
    """The mixture with a wrong label on its last cluster."""

    def clean_label(self, nu: Any, cluster: Any) -> Any:
        return super().clean_label(nu, cluster % 3)


def mixture(
    *, K: int = 3, student: Any = "relu", loss: str = "squared", slip: str = "", curriculum: ts.Curriculum | None = None
) -> ts.Problem:
    """An XOR mixture in which every term of the drift counts; `slip`: with one convention slip."""
    plane, rest = (0.5, 0.3), (0.4, 1.2)
    if slip == "variances swapped":
        plane, rest = rest, plane
    levels = {
        name: {
            "separation": (1.5, 0.8)[i] * (1.1 if slip == "separation" else 1.0),
            "plane_variance": plane[i],
            "rest_variance": rest[i],
        }
        for i, name in enumerate(("easy", "hard"))
    }
    kind = unchecked(Relabelled if slip == "one cluster relabelled" else ts.XorMixture)
    task = kind(levels)
    order = curriculum or ts.Curriculum.mixed({"easy": 0.4, "hard": 0.6}, 10.0)
    return ts.Problem(task, ts.Student(K, student), ts.SGD(0.7, 0.4, 0.1, loss), order)


def overlaps(of: ts.Problem, seed: int = 0, scale: float = 0.6) -> ts.Overlaps:
    """A generic state with sizeable R, valid also for blocks of fraction 0 (rank at most M there)."""
    B, K, M = of.shape
    rng = np.random.default_rng(seed)
    grams = []
    for b in range(B):
        directions = M if of.inputs.fractions[b] == 0 else K + M + 2
        latents = rng.normal(size=(M, directions)) if of.task.seen_blocks[b] else np.zeros((M, directions))
        students = scale * rng.normal(size=(K, directions)) + 0.5 * rng.normal(size=(K, M)) @ latents
        rows = np.concatenate([students, latents])
        grams.append(rows @ rows.T / directions)
    gram = np.stack(grams)
    readout = rng.normal(1.0, 0.3, K)
    return ts.Overlaps(gram[:, :K, :K], gram[:, :K, K:], gram[:, K:, K:], readout)


def teacher_copy(problem: ts.Problem) -> ts.Overlaps:
    state = overlaps(problem, 2)
    index = np.arange(problem.student.width) % problem.task.latents
    T = np.asarray(state.T)
    return ts.Overlaps(T[:, index][:, :, index], T[:, index], T, state.readout)


def zero_students(problem: ts.Problem) -> ts.Overlaps:
    state = overlaps(problem, 3)
    return ts.Overlaps(0 * state.Q, 0 * state.R, state.T, state.readout)


STATES: dict[str, Callable[[ts.Problem], ts.Overlaps]] = {
    "generic": lambda problem: overlaps(problem, 1),
    "student equals teacher": teacher_copy,
    "zero weights": zero_students,
}


def each_scrambling(function: Callable[[Any], Any], problem: ts.Problem, points: int = 2**12) -> Any:
    """Values of `function` at each of 16 scramblings of a sample (leading axis)."""
    sample = internal.to_float(ode.Sampled(points, 16, key=3).draw(problem), jnp.float64)
    return jax.jit(lambda sample: jax.lax.map(function, sample))(sample)


def drawn_runs(
    theory: ts.Trajectory, dim: int, runs: int, rng: np.random.Generator, stretch: float = 1.0
) -> ts.Trajectory:
    """Runs at N = `dim` that are drawn from exactly the law that theory predicts, with 256 test samples.

    Deviations from the predicted mean are multiplied by `stretch`.
    """
    fluctuations = given(theory.fluctuations)
    law, problem = given(fluctuations.law), theory.problem
    A, q, n = law.slope.shape
    x = np.zeros((A, runs, n + q))
    for i in range(A):
        drawn = rng.multivariate_normal(np.zeros(n), law.innovation[i], runs, method="eigh")
        x[i, :, :n] = drawn + (x[i - 1, :, :n] @ law.propagator[i].T if i else 0.0)
        tests = rng.multivariate_normal(np.zeros(q), law.test_covariance[i] * dim / 256, runs, method="eigh")
        x[i, :, n:] = x[i, :, :n] @ law.slope[i].T + tests
    x = np.moveaxis(x, 0, 1) * stretch / np.sqrt(dim)
    B, K, M = problem.shape
    first, second = np.triu_indices(K)
    Q = np.zeros((runs, A, B, K, K))
    upper = x[..., : B * len(first)].reshape(runs, A, B, -1)
    Q[..., first, second] = Q[..., second, first] = upper
    R = x[..., B * len(first) : n - K].reshape(runs, A, B, K, M)
    levels = problem.inputs.level_names
    measured = [
        dict(zip(levels, np.moveaxis(part, -1, 0), strict=False)) for part in (x[..., n:], x[..., n + len(levels) :])
    ]
    T = np.zeros((runs, A, B, M, M))
    deviations = ts.Observables(ts.Overlaps(Q, R, T, x[..., n - K : n]), measured[0], measured[1])
    shift = fluctuations.mean_shift(dim)
    observables = jax.tree.map(
        lambda *parts: sum(np.asarray(part) for part in parts), theory.observables, shift, deviations
    )
    source = ts.Source("sgd", "weights", "float64", dim, test_samples=256)
    return dataclasses.replace(
        theory, observables=observables, status=np.zeros(runs, int), reached=np.full(runs, theory.alphas[-1]),
        source=source, sampling_error=None, integrator_error=None, fluctuations=None,
    )  # fmt: skip
