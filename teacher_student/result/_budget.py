"""The error budget of a theory result: what each approximation contributes to each quantity."""

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from .._errors import InputError
from .._public_record import PublicRecord
from ._observables import Observables, quantities

if TYPE_CHECKING:
    from ._trajectory import Trajectory

PARTS = {  # what each part is, and how it is got where it is missing
    "integrator": ("twice the change when both tolerances are halved", "ode.fluctuations states it"),
    "averages": ("standard error over scramblings", ""),
    "mean shift": ("|m1| / N, the 1/N term of the mean", "ode.fluctuations, and budget(dim)"),
    "spread": ("standard deviation of one run", "ode.fluctuations, and budget(dim)"),
}


@dataclasses.dataclass(frozen=True, repr=False)
class Budget(PublicRecord):
    """The error of each quantity by part, as the largest over the recorded alphas. Printing it shows the table.

    Fields:
      names: of the quantities.
      parts: part -> one number per quantity. The parts are "integrator", "averages", "mean shift" and "spread". Those
        that were not computed are left out.
      missing: part -> how to get it, for those that are left out.
      dim: the dimension N of the last two parts.
    """

    names: tuple[str, ...]
    parts: dict[str, np.ndarray]
    missing: dict[str, str]
    dim: int | None

    @property
    def largest(self) -> tuple[str, str, float]:
        """The part, the quantity and the size of the largest contribution."""
        part = max(self.parts, key=lambda name: float(np.max(self.parts[name])))
        where = int(np.argmax(self.parts[part]))
        return part, self.names[where], float(self.parts[part][where])

    def __repr__(self) -> str:
        width = max(22, *(len(name) + 2 for name in self.names))
        at = f" at N = {self.dim}" if self.dim is not None else ""
        rows = [f"error budget{at}, largest over the recorded alphas"]
        rows.append(f"{'quantity':<{width}}" + "".join(f"{part:>13}" for part in self.parts))
        for i, name in enumerate(self.names):
            cells = (f"{values[i]:.2e}" if values[i] > 0 else "-" for values in self.parts.values())
            rows.append(f"{name:<{width}}" + "".join(f"{cell:>13}" for cell in cells))
        part, name, size = self.largest
        rows.append("-: exact, or less than the points of sampled accuracies resolve")
        rows.append(f"largest: {part}, {size:.2e} of {name} ({PARTS[part][0]})")
        rows += [f"not computed: {part} ({how})" for part, how in self.missing.items()]
        return "\n".join(rows)


def budget(theory: "Trajectory", dim: int | None) -> Budget:
    """Return the error budget of a theory trajectory. See `Trajectory.budget`."""
    if theory.runs is not None:
        raise InputError("a theory trajectory for an error budget", f"{theory.runs} runs")
    errors: dict[str, Observables] = {}
    if theory.integrator_error is not None:
        errors["integrator"] = theory.integrator_error
    if theory.sampling_error is not None:
        errors["averages"] = theory.sampling_error
    if theory.fluctuations is not None and dim is not None:
        errors["mean shift"] = theory.fluctuations.mean_shift(dim)
        errors["spread"] = theory.fluctuations.spread(dim)
    names = tuple(q.name for q in quantities(theory.observables, theory.problem))
    parts = {part: _largest(error, theory) for part, error in errors.items()}
    if theory.sampling_error is None:
        parts["averages"] = np.zeros(len(names))  # closed forms
    parts = {part: parts[part] for part in PARTS if part in parts}
    missing = {part: how for part, (_, how) in PARTS.items() if part not in parts}
    moving = np.any([values > 0 for values in parts.values()], axis=0) | (len(parts) == 1)
    return Budget(
        tuple(name for name, kept in zip(names, moving, strict=True) if kept),
        {part: values[moving] for part, values in parts.items()},
        missing,
        dim if theory.fluctuations is not None else None,
    )


def _largest(part: Observables, theory: "Trajectory") -> np.ndarray:
    """Return the largest magnitude of every quantity over the recorded alphas."""
    of_quantities = [np.abs(np.asarray(q.values, float)) for q in quantities(part, theory.problem)]
    return np.array([np.max(values[np.isfinite(values)], initial=0.0) for values in of_quantities])
