"""What a sweep keeps of each cell: final errors and accuracies, times to a threshold, overlaps, trajectories."""

from __future__ import annotations  # types are not looked up, which would load JAX before a file is checked

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

import teacher_student as ts
from teacher_student import internal

KEPT = ("error", "accuracy", "means_right", "overlaps")
PER_LEVEL = ("error", "accuracy", "means_right", "solved")
OVERLAPS = ("Q", "R", "T", "readout")


@dataclasses.dataclass(frozen=True)
class TimeTo:
    """[measures.time_to.NAME]: the alpha at which `value` (error or accuracy) of `level` first passes `threshold`.

    level: a level's name, or a mixture of levels on which a student is tested, as { easy = 0.5, hard = 0.5 }.
    """

    value: str
    level: str | dict[str, float]
    threshold: float

    @property
    def tested_on(self) -> dict[str, float]:
        """The weight of each level."""
        return internal.mixture_weights(self.level, "[measures.time_to]")


@dataclasses.dataclass(frozen=True)
class Measures:
    """[measures]: what is kept of each cell.

    keep: any of "error", "accuracy", "means_right" and "overlaps", at the last recorded alpha. time_to: times to a
    threshold, by name. trajectories: whether what is kept is also kept at every recorded alpha.
    """

    keep: list[str] = dataclasses.field(default_factory=lambda: ["error", "accuracy"])
    time_to: dict[str, TimeTo] = dataclasses.field(default_factory=dict)
    trajectories: bool = False

    @property
    def needs_record(self) -> bool:
        """Whether more than the last alpha matters."""
        return self.trajectories or bool(self.time_to)

    @property
    def needs_accuracy(self) -> bool:
        """Whether accuracies are looked at."""
        return "accuracy" in self.keep or any(time_to.value == "accuracy" for time_to in self.time_to.values())


def read_measures(table: Any) -> Measures:
    """Read measures from a table, or from a sequence of names to keep. Raises InputError."""
    if isinstance(table, Measures):
        return table
    if isinstance(table, str):
        table = [table]
    if not isinstance(table, (Mapping, list, tuple, set, frozenset)):
        with internal.about_entry("measures"):
            raise ts.InputError("a table [measures], or names to keep", table, 'such as ["error"]')
    measures = internal.read_table(Measures, table if isinstance(table, Mapping) else {"keep": list(table)}, "measures")
    for name in measures.keep:
        with internal.about_entry("measures", "keep"):
            internal.require_name(name, KEPT, "measure to keep")
    for name, time_to in measures.time_to.items():
        if not name.isidentifier():
            raise ts.InputError("a name of letters, digits and _ in [measures.time_to.NAME]", repr(name))
        internal.require_name(time_to.value, ("error", "accuracy"), f"value in [measures.time_to.{name}]")
        with internal.about_entry("measures", "time_to", name, "level"):
            internal.mixture_weights(time_to.level, f"[measures.time_to.{name}]")
    if not measures.keep and not measures.time_to:
        raise ts.InputError("something to keep in [measures]", "nothing")
    return measures


@dataclasses.dataclass(frozen=True)
class Layout:
    """The labels and lengths that hold every cell's values: unions of names, largest widths."""

    levels: tuple[str, ...]
    blocks: tuple[str, ...]
    student: int
    latents: int
    runs: int
    records: int

    def union(self, other: Layout) -> Layout:
        """Return the smallest layout that holds what either does, names in the order of `self`."""
        sizes = ("student", "latents", "runs", "records")
        return Layout(
            tuple(dict.fromkeys((*self.levels, *other.levels))),
            tuple(dict.fromkeys((*self.blocks, *other.blocks))),
            *(max(getattr(self, size), getattr(other, size)) for size in sizes),
        )


def measure(trajectory: ts.Trajectory, measures: Measures, layout: Layout) -> dict[str, np.ndarray]:
    """Return the values of one cell by variable: `NAME`, its standard error `NAME_se`, and so on (see `variables`)."""
    if trajectory.runs is not None:
        return _of_runs(trajectory, measures, layout)
    result: dict[str, np.ndarray] = {}
    series = series_of(trajectory.observables, trajectory.problem, measures, layout)
    stated = trajectory.sampling_error
    with_error = dataclasses.replace(measures, keep=[name for name in measures.keep if name != "means_right"])
    errors = {} if stated is None else series_of(stated, trajectory.problem, with_error, layout)
    for name, values in series.items():
        result[name] = values[-1]
        error = errors[name][-1] if name in errors else 0.0
        result[f"{name}_se"] = np.where(np.isfinite(values[-1]), error, np.nan)
    for name, time_to in measures.time_to.items():
        values = _watched(trajectory.observables, time_to)
        result[f"time_to_{name}"] = np.asarray(crossing(trajectory.alphas, values, time_to))
        result[f"time_to_{name}_se"] = np.asarray(np.nan)  # not estimated
    return result | _trajectories(trajectory.alphas, series, measures, layout)


def _of_runs(trajectory: ts.Trajectory, measures: Measures, layout: Layout) -> dict[str, np.ndarray]:
    result: dict[str, np.ndarray] = {}
    series = series_of(trajectory.observables, trajectory.problem, measures, layout)
    runs = trajectory.runs or 0
    for name, values in series.items():
        final = values[:, -1]
        result[name] = final.mean(axis=0)
        result[f"{name}_se"] = _standard_error(final)
        if name in PER_LEVEL:
            result[f"{name}_run"] = _padded(final, (layout.runs, *final.shape[1:]))
    for name, time_to in measures.time_to.items():
        values = _watched(trajectory.observables, time_to)
        total = values.sum(axis=0)
        # The time of the mean curve, not the mean of times, which is infinite if one run never passes. Its error is
        # by the jackknife: how the time moves when one run after the other is left out.
        together = crossing(trajectory.alphas, total / runs, time_to)
        pseudo = np.full(runs, together)
        if runs > 1:
            without = np.array([crossing(trajectory.alphas, (total - run) / (runs - 1), time_to) for run in values])
            with np.errstate(invalid="ignore"):  # never: infinite
                pseudo = runs * together - (runs - 1) * without
        with np.errstate(invalid="ignore"):
            result[f"time_to_{name}_se"] = _standard_error(pseudo)
        result[f"time_to_{name}"] = np.asarray(together)
        result[f"time_to_{name}_run"] = _padded(pseudo, (layout.runs,))
    result["diverged_runs"] = np.asarray(np.sum(np.asarray(trajectory.status) != ts.Status.OK), float)
    means = {name: values.mean(axis=0) for name, values in series.items()}
    return result | _trajectories(trajectory.alphas, means, measures, layout)


def _standard_error(values: np.ndarray) -> np.ndarray:
    """Return the standard error of the mean over runs (leading axis); NaN for one run."""
    runs = values.shape[0]
    return np.asarray(values.std(axis=0, ddof=1) / np.sqrt(runs) if runs > 1 else np.full(values.shape[1:], np.nan))


def _trajectories(
    alphas: Any, series: Mapping[str, np.ndarray], measures: Measures, layout: Layout
) -> dict[str, np.ndarray]:
    if not measures.trajectories:
        return {}
    paths = {f"{name}_path": _padded(values, (layout.records, *values.shape[1:])) for name, values in series.items()}
    return {"alpha": _padded(np.asarray(alphas, float), (layout.records,)), **paths}


def series_of(
    observables: ts.Observables, problem: ts.Problem, measures: Measures, layout: Layout
) -> dict[str, np.ndarray]:
    """Return the recorded values (..., A, ...) of what is kept, laid out."""
    series: dict[str, np.ndarray] = {}
    for name in ("error", "accuracy"):
        if name in measures.keep:
            per_level = getattr(observables, name)
            nothing = np.full_like(next(iter(per_level.values())), np.nan)
            series[name] = np.stack([per_level.get(level, nothing) for level in layout.levels], axis=-1)
    if "means_right" in measures.keep:
        right = ts.means_right(problem, observables.overlaps)
        share = {level: values.mean(axis=-1) for level, values in right.items()}
        known = np.isfinite(np.asarray(observables.overlaps.readout)).all(axis=-1)
        nothing = np.full_like(next(iter(share.values())), np.nan)
        values_of_levels = np.stack(
            [np.where(known, share.get(level, nothing), np.nan) for level in layout.levels], axis=-1
        )
        series["means_right"], series["solved"] = (
            values_of_levels,
            np.where(np.isnan(values_of_levels), np.nan, values_of_levels == 1),
        )
    if "overlaps" in measures.keep:
        K, M, blocks = layout.student, layout.latents, layout.blocks
        order = [blocks.index(name) for name in problem.inputs.block_names]
        sizes = {"Q": (K, K), "R": (K, M), "T": (M, M)}
        for name, size in sizes.items():
            values = np.asarray(getattr(observables.overlaps, name))
            values_of_levels = np.full((*values.shape[:-3], len(blocks), *size), np.nan)
            values_of_levels[..., order, : values.shape[-2], : values.shape[-1]] = values
            series[name] = values_of_levels
        readout = np.asarray(observables.overlaps.readout)
        series["readout"] = _padded(readout, (*readout.shape[:-1], K))
    return series


def _padded(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return `values` with NaN behind, up to `shape`."""
    return np.pad(values, [(0, n - m) for n, m in zip(shape, values.shape, strict=True)], constant_values=np.nan)


def _watched(observables: ts.Observables, time_to: TimeTo) -> np.ndarray:
    return internal.of_mixture(getattr(observables, time_to.value), time_to.tested_on, "[measures.time_to]")


def crossing(alphas: Any, values: np.ndarray, time_to: TimeTo) -> float:
    """Return the first alpha at which an error is at most, or an accuracy at least, the threshold; inf if never.

    Between two recorded alphas the error is interpolated by its logarithm, the accuracy linearly.
    """
    alphas, sign = np.asarray(alphas, float), 1.0 if time_to.value == "error" else -1.0
    passed = sign * (np.asarray(values) - time_to.threshold) <= 0
    if not passed.any():
        return np.inf
    index = int(np.argmax(passed))
    if index == 0:
        return float(alphas[0])
    ends, threshold = np.asarray(values)[index - 1 : index + 1], time_to.threshold
    if time_to.value == "error" and min(*ends, threshold) > 0:
        ends, threshold = np.log(ends), np.log(threshold)
    share = (ends[0] - threshold) / (ends[0] - ends[1])
    return float(alphas[index - 1] + share * (alphas[index] - alphas[index - 1]))
