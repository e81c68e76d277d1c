"""Committee teachers: y = sum_m vt_m phi(nu_m) + noise, or the sign of it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from .._counts import as_width
from .._errors import InputError, require_name
from .._fields import with_fields
from .._numbers import as_numbers, check_at_least, check_finite
from .._shapes import Numbers
from .._usual import Usual
from ..tables import LABELS, CommitteeTable, read_table
from ._activation import Activation, activation_from_table, as_activation
from ._at_time import at_time
from ._by_level import by_level, of_level, row_of_levels
from ._inputs import Inputs
from ._schedule import Schedule, ScheduledNumber, as_rate
from ._schedule_tables import schedule_from_table, table_of_number
from ._task import SumOfUnits, Task
from ._task_tables import inputs_from_table, table_of_inputs
from ._ties import angle_between, field_covariance


class Committee(Task):
    """A two-layer teacher with M hidden units, on Gaussian inputs without clusters.

    With the fields nu_m = u_m . x / sqrt(N) and the noise xi ~ N(0, 1) the label is

      y = sum_m vt_m phi(nu_m) + noise * xi     for labels="value",
      y = the sign of the same                  for labels="sign".

    Arguments:
      inputs: the blocks and levels of the inputs.
      width: the number M of hidden units.
      activation: "erf", "relu", "linear", "sign", a polynomial such as "x**2", or an elementwise JAX function.
      readout: (M,) weights vt_m. One number is used for every unit. {level: weights} gives each level its own teacher
        of the same units: two tasks are two levels, with readouts of 1 and 0 on the units of one or the other.
      support: the name or names of the blocks that the teacher sees. None means all of them.
      labels: "value" for regression or "sign" for classification.
      noise: the standard deviation of the output noise, which is added before the sign is taken. It may be a
        `ts.Schedule` of alpha, or {level: number}, where noise is what makes a level hard.

    Raises InputError for a name, a number or a shape that no committee has.
    Source: Saad & Solla 1995, Eq. (2) (B = 1); Goldt et al. 2019; Saglietti et al. 2022 (sign).

    Example:
      >>> import teacher_student as ts
      >>> inputs = ts.Inputs({"relevant": 0.3, "irrelevant": 0.7})
      >>> teacher = ts.Committee(inputs, width=2, readout=[1.0, -1.0], support="relevant", labels="sign")
      >>> teacher.latents, teacher.seen_blocks
      (2, (True, False))
    """

    inputs: Inputs
    width: int = eqx.field(static=True)
    activation: Activation
    readout: Float[Numbers, "*levels M"]  # (M,), or (L, M) where each level has its own
    support: tuple[str, ...] = eqx.field(static=True)
    labels: str = eqx.field(static=True)
    noise: ScheduledNumber | Float[Numbers, "L"]

    def __init__(
        self,
        inputs: Inputs,
        width: int,
        activation: "str | Activation | Callable[[jax.Array], jax.Array]" = Usual.activation,
        readout: Any = CommitteeTable.readout,
        support: str | Sequence[str] | None = CommitteeTable.support,
        labels: str = CommitteeTable.labels,
        noise: Any = CommitteeTable.noise,
    ):
        if not isinstance(inputs, Inputs):
            raise InputError("an Inputs object for the committee's inputs", type(inputs).__name__)
        self.inputs = inputs
        self.width = as_width(width, "width M of the teacher")
        self.activation = as_activation(activation)
        self.readout = _readouts(readout, inputs, self.width)
        check_finite(self.readout, "the teacher's readout")
        names = inputs.block_names if support is None else (support,) if isinstance(support, str) else tuple(support)
        for name in names:
            require_name(name, inputs.block_names, "block in the teacher's support")
        if not names:
            raise InputError("at least one block in the teacher's support", "none")
        self.support = tuple(name for name in inputs.block_names if name in names)
        require_name(labels, LABELS, "kind of labels")
        self.labels = labels
        self.noise = _noise(noise, inputs)

    @property
    def latents(self) -> int:
        return self.width

    @property
    def seen_blocks(self) -> tuple[bool, ...]:
        return tuple(name in self.support for name in self.inputs.block_names)

    @property
    def cluster_probabilities(self) -> Float[np.ndarray, "C"]:
        return np.ones(1)

    @property
    def cluster_means(self) -> Float[np.ndarray, "L C M"]:
        return np.zeros((len(self.inputs.level_names), 1, self.width))

    @property
    def units(self) -> SumOfUnits:
        return SumOfUnits(self.activation, self.readout, self.noise, self.labels == "sign")

    @property
    def smooth(self) -> bool:  # type: ignore[override]  # a task may declare it by an attribute, or, as here, compute it
        """Whether labels do not jump: they are values of units that do not."""
        return self.labels == "value" and self.activation.continuous

    def tie_probability(self, T: Float[Any, "B M M"]) -> dict[str, float]:
        """Return the probability that the noiseless label is 0, for each level, as every task does.

        It is exact for up to two units of sign or relu, and 0 for erf and polynomial units.

        Arguments: T: (B, M, M) overlaps of the teacher's units, in every block.
        """
        unit, levels = self.activation, self.inputs.level_names
        if self.labels == "sign" and unit.name in ("sign", "relu") and self.width <= 2:
            readouts = np.broadcast_to(np.asarray(self.readout, float), (len(levels), self.width))
            rows = (field_covariance(row, T) for row in np.asarray(at_time(self.inputs, 0.0).variances))
            laws = zip(levels, readouts, rows, strict=True)
            return {level: _ties_of_few(unit.name, readout, C) for level, readout, C in laws}
        if (unit.name == "erf" or unit.polynomial is not None) and np.all(np.any(np.asarray(self.readout), axis=-1)):
            return dict.fromkeys(levels, 0.0)  # outputs are analytic in the fields, and 0 on a set of measure 0
        return super().tie_probability(T)

    def unnamed(self) -> "Committee":
        inputs = self.inputs.unnamed()
        support = tuple(name for name, seen in zip(inputs.block_names, self.seen_blocks, strict=True) if seen)
        return with_fields(self, inputs=inputs, support=support)

    def to_table(self) -> dict[str, Any]:
        return {
            **table_of_inputs(self.inputs),
            "width": self.width,
            "activation": self.activation.text,
            "readout": self._table_by_level(np.asarray(self.readout).tolist(), np.ndim(self.readout) > 1),
            "support": list(self.support),
            "labels": self.labels,
            "noise": self._table_by_level(np.asarray(self.noise).tolist(), True)
            if self._noise_knows_level
            else table_of_number(self.noise),
        }

    def _table_by_level(self, entries: list[Any], by_level: bool) -> Any:
        return dict(zip(self.inputs.level_names, entries, strict=True)) if by_level else entries

    def _shown(self) -> list[tuple[str, Any]]:
        readout: Any = self.readout
        noise: Any = self.noise
        if np.ndim(readout) > 1:
            readout = dict(zip(self.inputs.level_names, readout, strict=True))
        if self._noise_knows_level:
            noise = dict(zip(self.inputs.level_names, noise, strict=True))
        return [
            *((name, getattr(self, name)) for name in ("inputs", "width", "activation")),
            ("readout", readout),
            ("support", self.support),
            ("labels", self.labels),
            ("noise", noise),
        ]

    def name_of(self, field: str, index: tuple[int, ...]) -> str:
        if (field, len(index)) in (("readout", 2), ("noise", 1)):
            return ".".join([field, self.inputs.level_names[index[0]], *map(str, index[1:])])
        return super().name_of(field, index)

    @property
    def _noise_knows_level(self) -> bool:
        return not isinstance(self.noise, Schedule) and np.ndim(self.noise) > 0

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> "Committee":
        read = read_table(CommitteeTable, table, "task")
        inputs = inputs_from_table(read.fractions, read.levels)
        unit, noise = activation_from_table(read.activation), schedule_from_table(read.noise)
        return cls(inputs, read.width, unit, read.readout, read.support, read.labels, noise)

    def at_level(self, level: Any) -> "Committee":
        if np.ndim(self.readout) == 1 and not self._noise_knows_level:
            return self
        readout = of_level(self.readout, level) if np.ndim(self.readout) > 1 else self.readout
        noise = of_level(self.noise, level) if self._noise_knows_level else self.noise
        return with_fields(self, readout=readout, noise=noise)

    def output(self, nu: Float[Array, "*samples M"]) -> Float[Array, "*samples"]:
        """Return the teacher's output before noise and sign, sum_m vt_m phi(nu_m).

        Arguments: nu: (..., M) latent fields nu_m = u_m . x / sqrt(N). Returns outputs (...), in the precision of nu.
        """
        return self.activation(nu) @ jnp.asarray(self.readout, nu.dtype)

    def label(
        self, nu: Float[Array, "*samples M"], cluster: Int[Array, "*#samples"], noise: Float[Array, "*samples"]
    ) -> Float[Array, "*samples"]:
        y = self.output(nu) + jnp.asarray(self.noise, nu.dtype) * noise
        return jnp.sign(y) if self.labels == "sign" else y

    def before_sign(
        self, nu: Float[Array, "*samples M"], cluster: Int[Array, "*#samples"]
    ) -> tuple[Float[Array, "*samples"], Any] | None:
        return (self.output(nu), self.noise) if self.labels == "sign" else None

    def clean_label(self, nu: Float[Array, "*samples M"], cluster: Int[Array, "*#samples"]) -> Float[Array, "*samples"]:
        y = self.output(nu)
        return jnp.sign(y) if self.labels == "sign" else y


def _readouts(readout: Any, inputs: Inputs, width: int) -> Any:
    """Return (M,) weights, or (L, M) from {level: weights}; one number stands for all units."""
    if isinstance(readout, Mapping):
        rows = [_row(each, width) for each in by_level(readout, inputs.level_names, "the teacher's readout")]
        return as_numbers(rows, "the teacher's readout")
    numbers = as_numbers(readout, "the teacher's readout")
    if np.ndim(numbers) == 2 and np.shape(numbers) == (len(inputs.level_names), width):  # as a committee holds them
        return numbers
    if np.ndim(numbers) > 1:
        remedy = "write {level: weights} for a readout of each level"
        raise InputError(f"{width} readout weights of the teacher", f"shape {np.shape(numbers)}", remedy)
    return _row(numbers, width)


def _row(readout: Any, width: int) -> Any:
    readout = as_numbers(readout, "the teacher's readout")
    row = readout if np.ndim(readout) else readout * np.ones(width)
    if np.shape(row) != (width,):
        raise InputError(f"{width} readout weights of the teacher", f"shape {np.shape(row)}")
    return row


def _noise(noise: Any, inputs: Inputs) -> Any:
    """Return one standard deviation or schedule, or (L,) from {level: number}."""
    quantity = "noise (a standard deviation)"
    if not isinstance(noise, Mapping):
        if np.ndim(noise):  # not taken as one of each level: it may be a batch, which jax.vmap takes
            remedy = "use jax.vmap over several, or write {level: noise}"
            raise InputError(f"one number for {quantity}", f"shape {np.shape(noise)}", remedy)
        return as_rate(noise, quantity)
    if any(isinstance(each, Schedule) for each in noise.values()):
        raise InputError("numbers as the noise of each level", "a schedule", "one schedule may stand for all levels")
    row = row_of_levels(noise, inputs.level_names, quantity)
    check_at_least(row, 0.0, quantity)
    return row


def _ties_of_few(unit: str, readout: Float[np.ndarray, "M"], covariance: Float[np.ndarray, "M M"]) -> float:
    """Return P(sum_m vt_m phi(nu_m) = 0) of one or two sign or relu units.

    It follows from the angle between their fields.
    """
    silent = readout == 0
    if np.all(silent):
        return 1.0
    if unit == "sign":
        if readout.size == 1 or np.any(silent) or abs(readout[0]) != abs(readout[1]):
            return 0.0
        differ = angle_between(covariance) / np.pi
        return differ if readout[0] == readout[1] else 1 - differ
    if readout.size == 1 or np.any(silent):  # one relu unit that counts is off half of the time
        return 0.5
    return 0.5 - angle_between(covariance) / (2 * np.pi)  # both are off
