"""A user's own labels and units, tried out on a few points: what they declare, and what they would end in later."""

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from .._errors import InputError, first_line
from .._forked import refuse_fork
from .._numbers import is_known
from ._by_level import knows_levels

if TYPE_CHECKING:
    from ._task import Task

POINTS = np.random.default_rng(0).standard_normal(64)  # of a unit
FIELDS = 16  # samples of a task's latent fields, for each cluster


def try_labels(task: "Task") -> None:
    """Raise InputError unless the labels of a task of the user's own are what SGD and theory can take.

    One label for each sample; none that reads a latent field which is not there; +1 or -1 (0 at a tie) where the task
    declares so. Nothing is tried while numbers of the task are being traced, nor of this package's tasks.
    """
    if type(task).__module__.partition(".")[0] == __package__.partition(".")[0] or not is_known(task):
        return
    refuse_fork()
    _trace_numbers(task)
    rng = np.random.default_rng(0)
    nu, noise = rng.standard_normal((FIELDS, task.latents)), rng.standard_normal(FIELDS)
    whole, levels = task, len(task.inputs.level_names) if knows_levels(type(task)) else 1
    with jax.enable_x64(True), jax.ensure_compile_time_eval():
        for level, cluster in itertools.product(range(levels), range(np.size(task.cluster_probabilities))):
            task = whole.at_level(np.asarray(level))
            labels = _tried(task, "label", nu, np.asarray(cluster), noise)
            _check_labels(task, "label", labels)
            clean = _tried(task, "clean_label", nu, np.asarray(cluster))
            _check_labels(task, "clean_label", clean)
            _check_units(task, "label", nu, noise, labels)
            _check_units(task, "clean_label", nu, 0 * noise, clean)


def _name(task: "Task") -> str:
    """Return the name of the user's class, also of the rule of one level."""
    return type(getattr(task, "whole", task)).__name__


def _trace_numbers(task: "Task") -> None:
    """Raise InputError unless what sets shapes is known while the task's numbers are being traced, as in a solve."""

    def shapes(task: "Task") -> Any:
        jnp.zeros((task.latents, len(task.seen_blocks), len(task.spanned_blocks)))
        units = task.units
        return task.cluster_probabilities, task.cluster_means, None if units is None else units.readout

    try:
        with jax.enable_x64(True):
            jax.eval_shape(shapes, jax.tree.map(np.asarray, task))
    except (Exception, SystemExit) as error:  # the user's members may raise anything
        required = f"members of a {_name(task)} as JAX operations on its numbers"
        remedy = "a number that sets shapes is a static field: eqx.field(static=True)"
        raise InputError(required, f"{type(error).__name__}: {first_line(error)}", remedy) from error


def _tried(task: "Task", method: str, *arguments: np.ndarray) -> np.ndarray:
    """Return what a method returns for samples, after it was traced for them as a solve traces it."""
    function = getattr(task, method)
    required = f"{method} of a {_name(task)} as JAX operations on fields nu (..., {task.latents})"
    try:
        jax.eval_shape(lambda task, *given: getattr(task, method)(*given), jax.tree.map(np.asarray, task), *arguments)
        return np.asarray(_of_numpy_arrays(function, arguments))
    except (Exception, SystemExit) as error:  # the user's method may raise anything
        raise InputError(required, f"{type(error).__name__}: {first_line(error)}", _remedy(error)) from error


def _of_numpy_arrays(function: Callable[..., Any], arguments: tuple[np.ndarray, ...]) -> Any:
    # JAX moves an index beyond the end to the last entry and says nothing. NumPy raises an error.
    try:
        return function(*arguments)
    except (AttributeError, TypeError):  # what only JAX's arrays have, such as nu.at
        return function(*map(jnp.asarray, arguments))


def _remedy(error: BaseException) -> str:
    if isinstance(error, IndexError):
        return "`latents` says how many fields there are"
    if isinstance(error, jax.errors.ConcretizationTypeError):
        return "use jnp.where in place of `if`"
    return "use jnp, not np" if isinstance(error, jax.errors.TracerArrayConversionError) else ""


def _check_labels(task: "Task", method: str, labels: np.ndarray) -> None:
    name = _name(task)
    if labels.shape != (FIELDS,):
        raise InputError(
            f"one label for each sample from {method} of a {name}, nu (..., M) -> (...)",
            f"shape {(FIELDS, task.latents)} -> {labels.shape}",
        )
    if labels.dtype.kind not in "iuf" or not np.all(np.isfinite(labels)):
        got = "booleans" if labels.dtype.kind == "b" else "NaN or infinite ones, or no numbers"
        raise InputError(f"finite numbers as labels from {method} of a {name}", got)
    if task.labels == "sign" and (other := labels[~np.isin(labels, (-1.0, 0.0, 1.0))]).size:
        remedy = 'take the sign, or declare labels = "value"'
        raise InputError(f'{method} +1 or -1 of a {name}, which declares labels = "sign"', f"{other[0]:.6g}", remedy)


def _check_units(task: "Task", method: str, nu: np.ndarray, noise: np.ndarray, labels: np.ndarray) -> None:
    """Raise InputError unless labels are the sum of units that the task declares, if it declares one."""
    declared = task.units
    if declared is None:
        return
    if np.shape(declared.readout) != (task.latents,):
        required = f"a readout of shape ({task.latents},) in the units of a {_name(task)}"
        raise InputError(required, f"shape {np.shape(declared.readout)}")
    if np.size(task.cluster_probabilities) > 1:
        required = f"one cluster of inputs of a {_name(task)} that declares units"
        raise InputError(required, f"{np.size(task.cluster_probabilities)} clusters", "leave units out")
    if np.any(np.asarray(task.cluster_means)):
        required = f"inputs of mean 0 of a {_name(task)} that declares units"
        raise InputError(required, "cluster_means other than 0", "leave units out")
    outputs = np.asarray(declared.activation(jnp.asarray(nu))) @ np.asarray(declared.readout) + declared.noise * noise
    wanted = np.sign(outputs) if declared.signed else outputs
    off = np.abs(labels - wanted) > 1e-4 * (1 + np.abs(wanted))  # far above what single precision rounds
    if np.any(off):
        remedy = "units are for labels sum_m vt_m psi(nu_m) + noise, or their sign"
        first = int(np.argmax(off))
        required = f"{method} {wanted[first]:.6g}, from the units that a {_name(task)} declares"
        raise InputError(required, f"{labels[first]:.6g}", remedy)


def try_unit(name: str, function: Callable[[jax.Array], jax.Array], *, odd: bool) -> None:
    """Raise InputError unless `function` is elementwise, made of JAX operations, and odd where it is declared so."""
    try:
        argument: Any = jax.ShapeDtypeStruct((3,), jnp.float32)  # type: ignore[no-untyped-call]  # JAX leaves it untyped
        shape = jax.eval_shape(function, argument).shape
    except (Exception, SystemExit) as error:  # whatever the user's function raises is the message
        got = f"{type(error).__name__}: {first_line(error)}"
        raise InputError("an elementwise JAX function as activation", got, _remedy(error)) from error
    if shape != (3,):
        raise InputError("an activation that keeps its argument's shape", f"(3,) -> {shape}")
    if not odd:
        return
    refuse_fork()
    with jax.enable_x64(True), jax.ensure_compile_time_eval():
        right, left = (np.asarray(function(jnp.asarray(sign * np.abs(POINTS)))) for sign in (1.0, -1.0))
    even = np.abs(right + left) > 1e-4 * np.max(np.abs(right))  # far above what functions of single precision round
    if np.any(even) or not np.all(right > 0):
        worst = int(np.argmax(even)) if np.any(even) else int(np.argmin(right))
        x = abs(POINTS[worst])
        raise InputError(
            f"phi(-x) = -phi(x), and phi(x) > 0 for x > 0, of the activation {name!r}, which is declared odd",
            f"phi({x:.3g}) = {right[worst]:.4g}, phi({-x:.3g}) = {left[worst]:.4g}",
            "leave odd=True out",
        )
