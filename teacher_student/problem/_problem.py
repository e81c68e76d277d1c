"""A problem: task, student, learning rule and curriculum. Both solvers take the same one."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._counts import check_number_of_alphas
from .._errors import InputError, require_name
from .._fields import with_fields
from .._numbers import as_number, as_numbers, check_at_least, is_known
from .._public_module import PublicModule
from ._at_time import at_time, check_schedules, schedules_of
from ._curriculum import Curriculum
from ._inputs import Inputs
from ._schedule import Schedule
from ._sgd import SGD
from ._student import Student
from ._task import Task
from ._try_out import try_labels
from ._unopened_task import refuse_unopened, unopened_parts


class Problem(PublicModule):
    """A problem says what is learned, by whom, by which rule and in which order.

    `ode` and `simulations` take the same problem.

    Arguments:
      task: the inputs and labels, such as a Committee.
      student: the network that learns.
      sgd: the learning rule.
      curriculum: the shares of the levels over time. Its levels must be levels of the task.

    Any number in a problem may be a traced array, so that vmap and grad go through.
    Raises InputError for parts of a wrong kind, and for parts that do not fit each other.

    Example:
      >>> import teacher_student as ts
      >>> teacher = ts.Committee(ts.Inputs({"all": 1.0}), width=2)
      >>> problem = ts.Problem(teacher, ts.Student(3), ts.SGD(0.5), ts.Curriculum.single("all", 20.0))
      >>> problem.shape  # blocks, student units, latent directions
      (1, 3, 2)
    """

    task: Task
    student: Student
    sgd: SGD
    curriculum: Curriculum

    def __check_init__(self) -> None:
        for name, kind in (("task", Task), ("student", Student), ("sgd", SGD), ("curriculum", Curriculum)):
            if not isinstance(getattr(self, name), kind):
                raise InputError(f"a {kind.__name__} as the problem's {name}", type(getattr(self, name)).__name__)
        _require_numbers(self.task)
        _require_shapes(self.task)
        _require_probabilities(self.task)
        require_name(self.task.labels, ("value", "sign"), f"kind of labels of {type(self.task).__name__}")
        if not unopened_parts(self.task):
            try_labels(self.task)
        for level in self.curriculum.level_names:
            require_name(level, self.inputs.level_names, "level in the curriculum")
        if self.sgd.loss == "logistic" and self.task.labels != "sign":
            # A task of the user's own says so in its class; a committee takes it as an argument.
            remedy = 'declare labels = "sign" in the task if they are, or use loss="squared"'
            raise InputError("labels +1 and -1 for the logistic loss", f"labels={self.task.labels!r}", remedy)
        if not unopened_parts(self):
            check_schedules(self, self.curriculum.end)

    @property
    def inputs(self) -> Inputs:
        """The blocks and levels of the task, as an Inputs."""
        return self.task.inputs

    @property
    def shape(self) -> tuple[int, int, int]:
        """The numbers (B, K, M) of blocks, student units and latent directions, which give a state its shapes."""
        return len(self.inputs.block_names), self.student.width, self.task.latents

    @property
    def schedules(self) -> dict[str, Schedule]:
        """The schedules among the problem's numbers, by dotted names such as "sgd.learning_rate"."""
        return schedules_of(self)

    @property
    def task_schedules(self) -> dict[str, Schedule]:
        """Those among the numbers of the task, which errors and accuracies depend on too."""
        return {name: schedule for name, schedule in self.schedules.items() if name.startswith("task.")}

    def at(self, alpha: Any) -> "Problem":
        """Return the problem with every schedule replaced by its value at the time alpha = samples / N.

        Raises InputError for a known alpha that is not one number >= 0.
        """
        alpha = as_number(alpha, "alpha")
        check_at_least(alpha, 0.0, "alpha")
        return at_time(self, alpha)

    def at_level(self, level: Any) -> "Problem":
        """Return the problem whose labels follow the rule of one level (`Task.at_level`); mostly the problem itself.

        Arguments: level: the index of the level, which may be traced.
        """
        task = self.task.at_level(level)
        return self if task is self.task else with_fields(self, task=task)

    def level_shares(self, shares: Float[Array, "levels"]) -> Float[Array, "L"]:
        """Return shares of the task's levels from those of the curriculum's, which may be fewer and in another order.

        Arguments: shares: (len(curriculum.level_names),). Returns (L,), 0 for levels that the curriculum leaves out.
        """
        order = [self.inputs.level_names.index(name) for name in self.curriculum.level_names]
        return jnp.zeros(len(self.inputs.level_names), jnp.asarray(shares).dtype).at[jnp.array(order)].set(shares)

    def curriculum_of_all_levels(self) -> Curriculum:
        """Return the curriculum with a column of shares for each of the task's levels, in the task's order.

        Its numbers must be known ones, not traced. Curricula of one task and number of phases then have the same
        shapes, and need the same programs.
        """
        columns = [self.inputs.level_names.index(name) for name in self.curriculum.level_names]

        def spread_out(shares: Any) -> np.ndarray:
            whole = np.zeros((*np.shape(shares)[:-1], len(self.inputs.level_names)))
            whole[..., columns] = shares
            return whole

        return with_fields(
            self.curriculum,
            level_names=self.inputs.level_names,
            durations=np.asarray(self.curriculum.durations, float),
            initial_shares=spread_out(self.curriculum.initial_shares),
            final_shares=spread_out(self.curriculum.final_shares),
        )

    def condition_weights(self, alpha: Any) -> Float[Array, "conditions"]:
        """Return the probabilities p(l, c) = p_l(alpha) p_c of levels and clusters, (L * C,).

        Arguments: alpha: the time, samples / N. The order is that of `task.conditions()`.
        """
        levels = self.level_shares(self.curriculum.shares(alpha))
        return jnp.outer(levels, jnp.asarray(self.task.cluster_probabilities)).ravel()


def _require_numbers(task: Task) -> None:
    """Raise InputError unless all that compiled programs take from a task are numbers."""
    for path, leaf in jax.tree_util.tree_leaves_with_path(task):
        if not isinstance(leaf, jax.Array) and np.asarray(leaf).dtype.kind not in "biuf":
            field = jax.tree_util.keystr(path).lstrip(".")
            remedy = "declare the field static: eqx.field(static=True)"
            raise InputError(f"numbers as fields of a {type(task).__name__}", f"{field} = {leaf!r}", remedy)


def _require_shapes(task: Task) -> None:
    """Raise InputError unless what a task says of its clusters and blocks fits its levels, latents and blocks."""
    L, C, M = len(task.inputs.level_names), np.size(task.cluster_probabilities), task.latents
    B = len(task.inputs.block_names)
    for name, axes, wanted, shape in (
        ("cluster_probabilities", "clusters", (C,), np.shape(task.cluster_probabilities)),
        ("cluster_means", "levels, clusters, latents", (L, C, M), np.shape(task.cluster_means)),
        ("seen_blocks", "blocks", (B,), np.shape(task.seen_blocks)),
        ("spanned_blocks", "blocks", (B,), np.shape(task.spanned_blocks)),
    ):
        if shape != wanted:
            raise InputError(f"{name} of shape ({axes}) = {wanted} of a {type(task).__name__}", f"shape {shape}")


def _require_probabilities(task: Task) -> None:
    """Raise InputError unless known probabilities of the clusters are none below 0 and sum to 1."""
    probabilities = task.cluster_probabilities
    if is_known(probabilities):
        p = np.asarray(probabilities, float)
        if not (np.all(p >= 0) and abs(p.sum() - 1) < 1e-6):
            raise InputError(f"cluster_probabilities >= 0 of sum 1 of a {type(task).__name__}", p.tolist())


def check_problem(problem: Any) -> None:
    """Raise InputError unless `problem` is a Problem whose units and tasks can be computed with."""
    if not isinstance(problem, Problem):
        raise InputError("a ts.Problem", type(problem).__name__)
    refuse_unopened(problem)


def check_one_problem(problem: Problem, purpose: str) -> None:
    """Raise InputError for a batch of problems, where only one serves the `purpose` ("write")."""
    if np.ndim(problem.at(0.0).sgd.learning_rate) or np.ndim(problem.curriculum.durations) != 1:
        raise InputError(f"one problem, not a batch, to {purpose}", "a problem with batched numbers")


def to_times(alphas: Any, problem: Problem) -> Any:
    """Return `alphas` as float64 times within the curriculum; traced ones are returned as they are.

    Rounded to their own precision, alphas that end with the curriculum may lie past its end (20.1 in float32 is
    20.1000004), and so they may where its durations were rounded. These are moved to the end, so that nothing is
    integrated or simulated where no level is defined.
    """
    check_number_of_alphas(alphas)
    times = as_numbers(alphas, "alphas")
    end = problem.curriculum.end
    if not is_known((times, end)):
        return times
    rounding = max(rounding_of(alphas), _rounding_of_phases(np.asarray(problem.curriculum.durations)))
    return np.where((times > end) & (times <= end * (1 + rounding)), end, times)


def rounding_of(numbers: Any) -> float:
    """Return the relative error that rounding to their type leaves in numbers: in a list, that of the coarsest.

    Of float64 ones it is also what a sum of phases leaves.
    """
    if isinstance(numbers, (list, tuple)):
        return max(map(rounding_of, numbers), default=1e-12)
    kind = numbers.dtype if hasattr(numbers, "dtype") else np.asarray(numbers).dtype
    if not jnp.issubdtype(kind, jnp.floating):
        return 1e-12
    return max(float(jnp.finfo(kind).eps), 1e-12)  # type: ignore[no-untyped-call]  # JAX leaves it untyped


def _rounding_of_phases(durations: Float[np.ndarray, "P"]) -> float:
    """Return the relative error of durations that were numbers of a coarser type before they became float64.

    They then have no more digits than that type, though more than a person writes, such as 0.699999988 for 0.7.
    """
    if all(float(f"{duration:.6g}") == duration for duration in durations.ravel()):
        return 0.0
    coarser = (kind for kind in (np.float16, np.float32) if np.all(durations.astype(kind) == durations))
    return max((float(np.finfo(kind).eps) for kind in coarser), default=0.0)


def check_alphas(alphas: Any, problem: Problem, *, positive: bool = True) -> None:
    """Raise InputError unless known `alphas` are finite, >= 0, increasing and within the curriculum.

    positive: whether the last one must be > 0.
    """
    check_problem(problem)
    if hasattr(alphas, "readout"):  # a state, of a class that stands above this one
        raise InputError("numbers for alphas", type(alphas).__name__, "the order is (problem, start, alphas)")
    times = to_times(alphas, problem)
    if np.ndim(times) != 1 or np.size(times) == 0:
        raise InputError("alphas as a non-empty list of times", f"shape {np.shape(times)}")
    check_at_least(times, 0.0, "alphas")
    if not is_known(times):
        return
    if np.any(np.diff(times) <= 0):
        raise InputError("increasing alphas", np.asarray(alphas, float).tolist())
    end = problem.curriculum.end
    if positive and times[-1] <= 0:
        raise InputError("a last alpha > 0", times.tolist())
    if is_known(end) and times[-1] > end:
        # All digits: rounded ones may say the same of both.
        raise InputError(f"alphas up to the curriculum's end, {float(end)!r}", repr(float(times[-1])))
