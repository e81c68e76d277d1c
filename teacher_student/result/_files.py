"""Trajectories as labelled data sets and NetCDF files."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from .._errors import InputError, first_line, shown
from .._json_text import read_json
from .._names import without_controls
from .._places import as_path, require_file
from .._seals import check_seal, seal
from .._trust import Shape, Trust
from .._versions import versions
from .._write_whole import write_whole
from ..problem import problem_of_result, tables_to_store
from ..state import Overlaps, entry_names
from ._ending import ending
from ._fluctuations import Fluctuations
from ._joint_law_files import joint_coordinates, joint_from_xarray, joint_variables
from ._observables import Observables
from ._source import Source
from ._status import Status

if TYPE_CHECKING:
    from ._trajectory import Trajectory

CONVENTIONS = (
    "alpha = samples / N; lambda_k = w_k.x/sqrt(N); Q = w.w/N, R = w.u/N, T = u.u/N per input block; "
    "yhat = sum_k v_k phi(lambda_k); w -= eta/sqrt(N) dloss/dlambda x + eta gamma/N w; "
    "error = E(yhat - y)^2/2 with the noiseless label; accuracy = P(sign yhat = sign y)"
)
AXES = {
    "Q": ("block", "student_unit", "student_unit_2"),
    "R": ("block", "student_unit", "latent"),
    "T": ("block", "latent", "latent_2"),
    "readout": ("student_unit",),
    "error": ("level",),
    "accuracy": ("level",),
}
LONG_NAMES = {
    "Q": "student-student overlap w_k.w_l / N",
    "R": "student-teacher overlap w_k.u_m / N",
    "T": "teacher-teacher overlap u_m.u_n / N",
    "readout": "student readout v_k",
    "error": "generalisation error E(yhat - y)^2 / 2",
    "accuracy": "share of signs right",
}
FLUCTUATIONS = ("variance", "shift", "test_variance", "variance_error", "shift_error")  # as in the class
SUFFIXES = {  # of what stands beside the observables
    "": "",
    "_sampling_error": "standard error of ",
    "_integrator_error": "integration error of ",
    "_variance": "N times the variance over runs of ",
    "_variance_error": "standard error of N times the variance over runs of ",
    "_shift": "N times the mean deviation over runs of ",
    "_shift_error": "standard error of N times the mean deviation over runs of ",
    "_test_variance": "variance of one test sample of ",
    "_scatter": "each scrambling's difference from the mean of ",
}

STOPS: dict[str, dict[str, Any]] = {
    "status": {
        "long_name": "how it ended",
        "flag_values": [int(status) for status in Status],
        "flag_meanings": " ".join(status.name.lower() for status in Status),
    },
    "reached": {"units": "samples / N", "long_name": "alpha at which it stopped"},
}


def trajectory_to_xarray(trajectory: "Trajectory") -> xr.Dataset:
    """Return the data set of a trajectory.

    Its dimensions are (run,) alpha, block, units and level. Everything else is in its attributes.
    """
    problem = trajectory.problem
    leading = ("alpha",) if trajectory.runs is None else ("run", "alpha")
    variables: dict[str, Any] = _variables(trajectory.observables, trajectory, leading, "")
    for suffix, observables in beside(trajectory).items():
        variables |= _variables(observables, trajectory, leading, suffix)
    if trajectory.scatter is not None:
        variables |= _variables(trajectory.scatter, trajectory, ("replicate", *leading), "_scatter")
    if trajectory.fluctuations is not None:
        attributes = {"units": "1", "long_name": "N times the covariance of the entries over runs"}
        variables["covariance"] = (("alpha", "entry", "entry_2"), trajectory.fluctuations.covariance, attributes)
        variables |= joint_variables(trajectory.fluctuations)
    start = ("run",) if np.ndim(trajectory.start.readout) == 2 else ()
    for name in ("Q", "R", "T", "readout"):
        attributes = {"units": "1", "long_name": f"{LONG_NAMES[name]} at the start"}
        variables[f"start_{name}"] = ((*start, *AXES[name]), getattr(trajectory.start, name), attributes)
    for name, attributes in STOPS.items():
        variables[name] = (leading[:-1], getattr(trajectory, name), attributes)
    variables |= {f"stats_{name}": (leading[:-1], value) for name, value in trajectory.stats.items()}
    coords = {
        "alpha": ("alpha", trajectory.alphas, {"units": "samples / N", "long_name": "time alpha"}),
        "block": list(problem.inputs.block_names),
        "student_unit": np.arange(1, problem.student.width + 1),
        "student_unit_2": np.arange(1, problem.student.width + 1),
        "latent": np.arange(1, problem.task.latents + 1),
        "latent_2": np.arange(1, problem.task.latents + 1),
        "level": list(problem.inputs.level_names),
    }
    if trajectory.fluctuations is not None:
        coords |= {name: list(entry_names(problem)) for name in ("entry", "entry_2")}
        coords |= joint_coordinates(trajectory.fluctuations)
    attrs = {
        "problem": json.dumps(tables_to_store(problem)),
        "conventions": CONVENTIONS,
        "status": ending(trajectory),
        "versions": json.dumps(versions()),
    }
    attrs |= {f"source_{name}": value for name, value in vars(trajectory.source).items() if value is not None}
    return xr.Dataset(variables, coords, attrs)


def beside(trajectory: "Trajectory") -> dict[str, Observables]:
    """Return what is stated of the observables at each recorded alpha, by its suffix."""
    errors = {"_sampling_error": trajectory.sampling_error, "_integrator_error": trajectory.integrator_error}
    if trajectory.fluctuations is not None:
        errors |= {f"_{name}": getattr(trajectory.fluctuations, name) for name in FLUCTUATIONS}
    return {suffix: observables for suffix, observables in errors.items() if observables is not None}


def _variables(
    observables: Observables, trajectory: "Trajectory", leading: tuple[str, ...], suffix: str
) -> dict[str, Any]:
    overlaps = observables.overlaps
    values = {name: getattr(overlaps, name) for name in ("Q", "R", "T", "readout")}
    for name, per_level in (("error", observables.error), ("accuracy", observables.accuracy)):
        if not per_level:
            continue
        values[name] = np.stack([per_level[level] for level in trajectory.problem.inputs.level_names], axis=-1)
    return {
        name + suffix: (
            (*leading, *AXES[name]),
            value,
            {"units": "1", "long_name": SUFFIXES[suffix] + LONG_NAMES[name]},
        )
        for name, value in values.items()
    }


def fields_from_xarray(dataset: xr.Dataset, trust: Trust = ()) -> dict[str, Any]:
    """Return the fields of the trajectory that `trajectory_to_xarray` wrote.

    Arguments: trust: as in `Trajectory.load`.
    Raises InputError for any other data set.
    """
    missing = [name for name in ("problem", "source_engine") if name not in dataset.attrs]
    needed = (*(name for name in AXES if name != "accuracy"), "start_Q", "status", "reached")
    missing += [name for name in needed if name not in dataset]
    if missing:
        raise InputError("a data set written by this version's Trajectory.save", f"one without {missing[0]!r}")
    _check_variables(dataset)
    tables = read_json(dataset.attrs["problem"], "the attribute problem that Trajectory.save writes", "another one")
    problem = problem_of_result(without_controls(tables), _shape(dataset), trust)
    levels = problem.inputs.level_names

    def observables(suffix: str) -> Observables | None:
        if "Q" + suffix not in dataset:
            return None
        arrays = {name: np.asarray(dataset[name + suffix].values) for name in AXES if name + suffix in dataset}
        per_level = [
            {l: arrays[name][..., i] for i, l in enumerate(levels)} if name in arrays else {}
            for name in ("error", "accuracy")
        ]
        return Observables(Overlaps(*(arrays[name] for name in ("Q", "R", "T", "readout"))), *per_level)

    recorded = observables("")
    assert recorded is not None  # Q is among what is needed
    fields = Source.__dataclass_fields__
    source: dict[str, Any] = {name: dataset.attrs.get(f"source_{name}") for name in fields}
    source = {name: value.item() if isinstance(value, np.generic) else value for name, value in source.items()}
    source = without_controls(source)
    stats = [str(name) for name in dataset.data_vars if str(name).startswith("stats_")]
    if not isinstance(source["engine"], str):
        raise InputError("a text as source_engine, as Trajectory.save writes it", source["engine"])
    return dict(
        problem=problem,
        start=Overlaps(*(dataset[f"start_{name}"].values for name in ("Q", "R", "T", "readout"))),
        alphas=dataset["alpha"].values,
        observables=recorded,
        status=dataset["status"].values,
        reached=dataset["reached"].values,
        stats={name.removeprefix("stats_"): dataset[name].values for name in stats},
        sampling_error=observables("_sampling_error"),
        source=Source(**source),
        integrator_error=observables("_integrator_error"),
        fluctuations=_fluctuations(dataset, observables),
        scatter=observables("_scatter"),
    )


def fields_of(dataset: xr.Dataset, path: str | Path, trust: Trust) -> dict[str, Any]:
    """Return the fields of the trajectory that was saved at `path`. Raises InputError for any other data set."""
    try:
        return fields_from_xarray(dataset, trust)
    except InputError:
        raise
    except Exception as error:  # of a damaged file without a seal
        reason = f"{path} ({type(error).__name__}: {first_line(error)})"
        raise InputError("a file that this version's Trajectory.save wrote", reason) from error


def _shape(dataset: xr.Dataset) -> Shape:
    """Return what the arrays say of the task: it stands in for a task whose class is not imported."""
    names = [tuple(shown(str(name)) for name in dataset[dim].values) for dim in ("block", "level")]
    return Shape(names[0], names[1], int(dataset.sizes["latent"]))


def _check_variables(dataset: xr.Dataset) -> None:
    """Raise InputError unless the variables of every trajectory have their dimensions, and numbers in them."""
    leading = ("run", "alpha") if "run" in dataset.dims else ("alpha",)
    axes = {name: (*leading, *trailing) for name, trailing in AXES.items()}
    axes |= {"status": leading[:-1], "reached": leading[:-1], "alpha": ("alpha",)}
    for name, dims in axes.items():
        if name not in dataset.variables and name == "accuracy":  # theory need not be asked for it
            continue
        if name not in dataset.variables or dataset[name].dims != dims or dataset[name].dtype.kind not in "iufb":
            got = dataset[name] if name in dataset.variables else None
            words = "none" if got is None else f"{got.dtype} with the dimensions {got.dims}"
            raise InputError(f"numbers {name} with the dimensions {dims}, as Trajectory.save writes them", words)
    known = [int(status) for status in Status]
    if not np.all(np.isin(dataset["status"].values, known)) or not dataset.sizes["alpha"]:
        raise InputError(f"the states {known} and a recorded alpha", np.unique(dataset["status"].values).tolist())


def _fluctuations(dataset: xr.Dataset, observables: Callable[[str], Any]) -> Fluctuations | None:
    if "covariance" not in dataset:
        return None
    parts = (observables(f"_{name}") for name in FLUCTUATIONS)
    return Fluctuations(dataset["covariance"].values, *parts, *joint_from_xarray(dataset))


def save_dataset(
    dataset: xr.Dataset, path: str | Path, *, force: bool = False, encoding: Mapping[str, Any] | None = None
) -> Path:
    """Write `dataset` to NetCDF, sealed by a digest, whole or not at all.

    Raises InputError if `path` exists, unless `force`.
    """

    def write(temporary: Path) -> None:
        try:
            dataset.to_netcdf(temporary, engine="netcdf4", encoding=encoding)
        except RuntimeError as error:  # HDF5's word for a full disk, among others
            raise OSError(first_line(error)) from error
        seal(temporary)

    return write_whole(path, write, force=force)


def load_dataset(path: str | Path) -> xr.Dataset:
    """Read a NetCDF file, sealed or not. Raises InputError where it cannot be read, or is damaged."""
    path = as_path(path)
    require_file(path, "a readable NetCDF file")
    try:
        check_seal(path)
        return xr.load_dataset(path, engine="netcdf4")
    except InputError:
        raise
    except Exception as error:  # of a damaged file without a seal: HDF5, xarray and NumPy each raise their own
        reason = getattr(error, "strerror", None) or first_line(error)
        raise InputError("a readable NetCDF file", f"{path} ({reason})") from error
