"""The error budget of a theory result: what each approximation contributes to each quantity."""

import dataclasses
from typing import TYPE_CHECKING

import jax
import numpy as np

from .._errors import InputError
from .._public_record import PublicRecord
from ._breakdown import Breakdown, breakdown
from ._ending import ending
from ._observables import Observables, quantities
from ._status import Status

if TYPE_CHECKING:
    from ._trajectory import Trajectory

PARTS = {  # what each part is, and how it is got where it is missing
    "integrator": (
        "twice the change when both tolerances are halved",
        "ode.solve(..., with_error=True) and ode.fluctuations state it",
    ),
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
      stopped: what stopped the theory early, and when; the alphas beyond it are left out. None where nothing did.
      breakdown: where the expansion in 1/N ends, if it does: the last two parts are the largest before that.
    """

    names: tuple[str, ...]
    parts: dict[str, np.ndarray]
    missing: dict[str, str]
    dim: int | None
    stopped: str | None = None
    breakdown: Breakdown | None = None

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
        if self.stopped is not None:
            rows.append(f"up to where theory stopped: {self.stopped}")
        part, name, size = self.largest
        rows.append("-: exact, or less than the points of sampled accuracies resolve")
        rows.append(f"largest: {part}, {size:.2e} of {name} ({PARTS[part][0]})")
        rows += [f"not computed: {part} ({how})" for part, how in self.missing.items()]
        if self.breakdown is not None:
            rows.append(f"no mean shift and spread {self.breakdown.since}")
        return "\n".join(rows)


def budget(theory: "Trajectory", dim: int | None) -> Budget:
    """Return the error budget of a theory trajectory. See `Trajectory.budget`."""
    if theory.runs is not None:
        raise InputError("a theory trajectory for an error budget", f"{theory.runs} runs")
    stopped = None if np.all(np.asarray(theory.status) == Status.OK) else ending(theory)
    if stopped is not None and not np.any(np.isfinite(theory.overlaps.Q)):
        raise InputError("a theory that recorded something, for an error budget", stopped)
    errors: dict[str, Observables] = {}
    if theory.integrator_error is not None:
        errors["integrator"] = theory.integrator_error
    if theory.sampling_error is not None:
        errors["averages"] = theory.sampling_error
    end = None if dim is None else breakdown(theory, dim)
    if theory.fluctuations is not None and dim is not None:
        kept = theory.alphas < (np.inf if end is None else end.alpha)
        for part, of_runs in (("mean shift", theory.fluctuations.mean_shift), ("spread", theory.fluctuations.spread)):
            errors[part] = jax.tree.map(lambda x: np.asarray(x)[kept], of_runs(dim))
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
        stopped,
        end,
    )


def _largest(part: Observables, theory: "Trajectory") -> np.ndarray:
    """Return the largest magnitude of every quantity over the recorded alphas."""
    of_quantities = [np.abs(np.asarray(q.values, float)) for q in quantities(part, theory.problem)]
    return np.array([np.max(values[np.isfinite(values)], initial=0.0) for values in of_quantities])
